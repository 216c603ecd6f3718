"""Light-ASD without PyTorch: the published numbers, and those of our own network in PyTorch under any weights."""

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
from phonoscope.models.backends import lr_asd
from phonoscope.models.backends.light_asd import LightAsd, entries
from phonoscope.models.speaking import rows_of
from phonoscope.models.state_dicts import read_state_dict
from phonoscope.testing.formulas import formula_inputs, formula_weights

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "asd_networks.json").read_text())


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "formula.safetensors"
    save_file(formula_weights(entries(), phase=1.0), path)
    return path


@pytest.fixture(scope="module")
def network(file: Path) -> LightAsd:
    return LightAsd(file)


@pytest.fixture(scope="module")
def witness(file: Path) -> Any:
    torch = pytest.importorskip("torch")
    from phonoscope.tasks.asd.networks.light_asd import LightAsd as Witness

    made = Witness().eval()
    made.load_state_dict({name: torch.tensor(np.array(t)) for name, t in read_state_dict(file).tensors.items()})
    return made


@pytest.mark.parametrize("frames", [1, 3, 32, 33, 41])  # portions are of 32 frames
def test_it_says_what_the_network_in_pytorch_says(network: LightAsd, witness: Any, frames: int) -> None:
    import torch

    generator = np.random.default_rng(frames)
    mfcc = generator.normal(0, 8, (4 * frames, 13)).astype(np.float32)
    faces = generator.integers(0, 256, (frames, 112, 112), np.uint8)
    with torch.inference_mode():
        wanted = witness(torch.tensor(mfcc)[None], torch.tensor(faces, dtype=torch.float32)[None]).av[0].numpy()
    assert np.ptp(wanted[:, 1]) > 1e-3 or frames == 1  # weights by which nothing changes would prove nothing
    said = network.logits(mfcc, faces)
    assert said.dtype == np.float32
    np.testing.assert_allclose(said, wanted, atol=1e-4, rtol=0)


def test_its_entries_are_those_of_the_network_in_pytorch(witness: Any) -> None:
    assert {name: tuple(entry.shape) for name, entry in witness.state_dict().items()} == entries()
    assert list(witness.state_dict()) == list(entries())


@pytest.mark.real
@pytest.mark.parametrize("case", [name for name in GOLDEN["published"] if name.startswith("light_asd")])
def test_the_published_weights_give_the_published_numbers(case: str, shared_weights: Path) -> None:
    golden = GOLDEN["published"][case]
    said = LightAsd(shared_weights / "light_asd_ava.model").logits(*formula_inputs(golden["frames"]))
    np.testing.assert_allclose(said.T, golden["av"], atol=1e-4, rtol=0)


@pytest.mark.real
@pytest.mark.parametrize("variant", ["talkset", "ava"])
def test_it_loads_by_name(variant: str, shared_weights: Path) -> None:
    loaded = registry.load(f"light-asd:{variant}")
    assert loaded.calibration == LightAsd.calibrations[variant]
    assert loaded.card == LightAsd.cards[variant]
    assert read_state_dict(shared_weights / f"light_asd_{variant}.model").tensors.keys() == entries().keys()


def test_exact_windows_give_what_each_window_gives_alone(network: LightAsd) -> None:
    generator = np.random.default_rng(0)
    faces = generator.integers(0, 256, (61, 112, 112), np.uint8)
    audio = generator.normal(0, 0.1, 61 * 640).astype(np.float32)
    rows, total = rows_of(audio, 61, Fraction(25)), np.zeros((61, 2))
    for length in (25, 50, 75):
        windows = [slice(at, at + length) for at in range(0, 61, length)]
        times = 4 if length == 75 else 1  # windows of 3, 4, 5 and 6 s are one: the track
        total += times * np.concatenate([network.logits(rows[4 * w.start : 4 * w.stop], faces[w]) for w in windows])
    said = network.at(Fraction(25), "exact")(faces, audio)
    np.testing.assert_allclose(said, (total[:, 1] - total[:, 0]) / 6, atol=1e-4, rtol=0)


def test_the_default_is_25_frames_a_second_in_shared_windows(network: LightAsd) -> None:
    faces, audio = np.full((30, 112, 112), 99, np.uint8), np.zeros(19200, np.float32)
    assert np.array_equal(network(faces, audio), network.at(Fraction(25), "shared")(faces, audio))
    assert (network.context, network.period) == (0, 1500)


def test_the_same_faces_give_the_same_bytes(file: Path, network: LightAsd) -> None:
    mfcc, faces = formula_inputs(40)
    assert network.logits(mfcc, faces).tobytes() == LightAsd(file).logits(mfcc, faces).tobytes()


def test_weights_of_another_network_are_refused_by_name(tmp_path: Path) -> None:
    save_file(formula_weights(lr_asd.entries()), tmp_path / "other.safetensors")
    with pytest.raises(UsageError, match="light-asd cannot take these weights: these are the weights of lr-asd"):
        LightAsd(tmp_path / "other.safetensors")


def test_weights_say_which_crops_they_have_learnt_from(tmp_path: Path, network: LightAsd) -> None:
    save_file(formula_weights(entries()), tmp_path / "own.safetensors", {"phonoscope": '{"policy": "aligned"}'})
    own = LightAsd(tmp_path / "own.safetensors")
    assert (network.policy, own.policy, own.at().policy) == ("asd", "aligned", "aligned")


def test_weights_of_ones_own_have_no_calibration_until_one_is_fitted(file: Path) -> None:
    assert LightAsd(file, card=replace(LightAsd.card, sha256="0" * 64)).calibration is None
    assert LightAsd.calibrations.keys() == LightAsd.cards.keys()


def test_mfcc_and_faces_must_be_of_the_same_frames(network: LightAsd) -> None:
    mfcc, faces = formula_inputs(3)
    with pytest.raises(ValueError, match="expected MFCC"):
        network.logits(mfcc[:-1], faces)
