"""LR-ASD, Light-ASD and TalkNet without PyTorch: the published numbers, and those of our PyTorch under any weights."""

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from phonoscope.core.errors import UsageError
from phonoscope.models import registry
from phonoscope.models.backends import light_asd, lr_asd, talknet_entries
from phonoscope.models.backends.light_asd import LIGHT_ASD
from phonoscope.models.backends.lr_asd import LR_ASD
from phonoscope.models.backends.talknet import TALKNET
from phonoscope.models.speaking import SpeakingNetwork, rows_of
from phonoscope.models.state_dicts import read_state_dict
from phonoscope.testing.formulas import formula_inputs, formula_weights

PUBLISHED = json.loads((Path(__file__).parents[1] / "golden" / "asd_networks.json").read_text())["published"]
BACKENDS = {"lr-asd": LR_ASD, "light-asd": LIGHT_ASD, "talknet": TALKNET}
ENTRIES = {"lr-asd": lr_asd.entries(), "light-asd": light_asd.entries(), "talknet": talknet_entries.entries()}
WITH_WEIGHTS = ("lr-asd", "light-asd")  # that are published where a program can fetch them


@pytest.fixture(scope="module", params=BACKENDS)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def file(name: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "formula.safetensors"
    save_file(formula_weights(ENTRIES[name], phase=1.0), path)
    return path


@pytest.fixture(scope="module")
def backend(name: str, file: Path) -> SpeakingNetwork:
    return BACKENDS[name](file)


@pytest.fixture(scope="module")
def witness(name: str, file: Path) -> Any:
    torch = pytest.importorskip("torch")
    from phonoscope.tasks.asd.networks.registry import network

    with torch.device("meta"):  # drawing weights that are replaced at once would take most of the time
        made = network(name).eval()
    tensors = {entry: torch.tensor(np.array(it)) for entry, it in read_state_dict(file).tensors.items()}
    made.load_state_dict(tensors, assign=True)
    return made


@pytest.mark.parametrize("frames", [1, 3, 32, 33, 41])  # portions are of 32 frames
def test_it_says_what_the_network_in_pytorch_says(backend: Any, witness: Any, frames: int) -> None:
    import torch

    generator = np.random.default_rng(frames)
    mfcc = generator.normal(0, 8, (4 * frames, 13)).astype(np.float32)
    faces = generator.integers(0, 256, (frames, 112, 112), np.uint8)
    with torch.inference_mode():
        wanted = witness(torch.tensor(mfcc)[None], torch.tensor(faces, dtype=torch.float32)[None]).av[0].numpy()
    assert np.ptp(wanted[:, 1]) > 1e-3 or frames == 1  # weights by which nothing changes would prove nothing
    said = backend.logits(mfcc, faces)
    assert said.dtype == np.float32
    np.testing.assert_allclose(said, wanted, atol=1e-4, rtol=0)


def test_its_entries_are_those_of_the_network_in_pytorch_in_their_order(name: str, witness: Any) -> None:
    theirs = [(entry, tuple(tensor.shape)) for entry, tensor in witness.state_dict().items()]
    assert list(ENTRIES[name].items()) == theirs


@pytest.mark.real
@pytest.mark.parametrize("case", PUBLISHED)
def test_the_published_weights_give_the_published_numbers(case: str, shared_weights: Path) -> None:
    golden, weights = PUBLISHED[case], case.rpartition("_")[0]
    backend = BACKENDS[weights.removesuffix("_ava").replace("_", "-")](shared_weights / f"{weights}.model")
    said = backend.logits(*formula_inputs(golden["frames"]))
    np.testing.assert_allclose(said.T, golden["av"], atol=1e-4, rtol=0)


@pytest.mark.real
@pytest.mark.parametrize("variant", ["talkset", "ava"])
@pytest.mark.parametrize("name", WITH_WEIGHTS)
def test_it_loads_by_name(name: str, variant: str, shared_weights: Path) -> None:
    loaded, weights = registry.load(f"{name}:{variant}"), f"{name.replace('-', '_')}_{variant}.model"
    assert loaded.calibration == BACKENDS[name].calibrations[variant]
    assert loaded.card == BACKENDS[name].cards[variant]
    assert read_state_dict(shared_weights / weights).tensors.keys() == ENTRIES[name].keys()


def test_exact_windows_give_what_each_window_gives_alone(backend: Any) -> None:
    generator = np.random.default_rng(0)
    faces = generator.integers(0, 256, (61, 112, 112), np.uint8)
    audio = generator.normal(0, 0.1, 61 * 640).astype(np.float32)
    rows, total = rows_of(audio, 61, Fraction(25)), np.zeros((61, 2))
    for length in (25, 50, 75):
        windows = [slice(at, at + length) for at in range(0, 61, length)]
        times = 4 if length == 75 else 1  # windows of 3, 4, 5 and 6 s are one: the track
        total += times * np.concatenate([backend.logits(rows[4 * w.start : 4 * w.stop], faces[w]) for w in windows])
    said = backend.at(Fraction(25), "exact")(faces, audio)
    np.testing.assert_allclose(said, (total[:, 1] - total[:, 0]) / 6, atol=1e-4, rtol=0)


def test_the_default_is_25_frames_a_second_in_shared_windows(backend: Any) -> None:
    faces, audio = np.full((30, 112, 112), 99, np.uint8), np.zeros(19200, np.float32)
    assert np.array_equal(backend(faces, audio), backend.at(Fraction(25), "shared")(faces, audio))
    assert (backend.context, backend.period) == (0, 1500)


def test_the_same_faces_give_the_same_bytes(name: str, file: Path, backend: Any) -> None:
    mfcc, faces = formula_inputs(40)
    assert backend.logits(mfcc, faces).tobytes() == BACKENDS[name](file).logits(mfcc, faces).tobytes()


def test_weights_of_another_network_are_refused_by_name(name: str, tmp_path: Path) -> None:
    other = "light-asd" if name == "lr-asd" else "lr-asd"
    save_file(formula_weights(ENTRIES[other]), tmp_path / "other.safetensors")
    with pytest.raises(UsageError, match=f"{name} cannot take these weights: these are the weights of {other}"):
        BACKENDS[name](tmp_path / "other.safetensors")


def test_weights_say_which_crops_they_have_learnt_from(name: str, file: Path, backend: Any, tmp_path: Path) -> None:
    tensors = {entry: values.copy() for entry, values in read_state_dict(file).tensors.items()}
    save_file(tensors, tmp_path / "own.safetensors", {"phonoscope": '{"policy": "aligned"}'})
    own = registry.load(name, weights=tmp_path / "own.safetensors")
    assert backend.policy == "asd"
    assert own.policy == own.at().policy == registry.policy_of(f"{name}:{tmp_path}/own.safetensors") == "aligned"


@pytest.mark.parametrize("name", WITH_WEIGHTS, scope="module")
def test_weights_of_ones_own_have_no_calibration_until_one_is_fitted(name: str, file: Path) -> None:
    backend = BACKENDS[name]
    assert backend(file, card=replace(backend.card, sha256="0" * 64)).calibration is None
    assert backend.calibrations.keys() == backend.cards.keys()


def test_mfcc_and_faces_must_be_of_the_same_frames(backend: Any) -> None:
    mfcc, faces = formula_inputs(3)
    with pytest.raises(ValueError, match="expected MFCC"):
        backend.logits(mfcc[:-1], faces)
