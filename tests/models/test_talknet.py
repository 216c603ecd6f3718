"""TalkNet without PyTorch: against the numbers of its authors' code, and against our PyTorch on other weights."""

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from phonoscope.core.errors import MissingWeights, UsageError
from phonoscope.models import registry
from phonoscope.models.backends.talknet import TalkNet
from phonoscope.models.backends.talknet_entries import entries
from phonoscope.models.speaking import rows_of
from phonoscope.models.state_dicts import read_state_dict
from phonoscope.testing.formulas import formula_inputs, formula_weights

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "asd_networks.json").read_text())["formula"]
UNUSED = "model.visualFrontend.resnet.layer1.downsample.weight"


def random_weights(seed: int) -> dict[str, np.ndarray]:
    """Weights as a trained network might have them: norms that have learnt something, deviations above zero."""
    generator = np.random.default_rng(seed)
    made = {}
    for name, shape in entries().items():
        numbers = generator.standard_normal(shape, np.float32)
        if name.endswith("running_var"):
            numbers = 0.5 + np.abs(numbers)
        elif len(shape) < 2:
            numbers = 0.3 * numbers + (1 if name.endswith("weight") else 0)
        elif name.endswith(("gamma", "beta")):
            numbers = 0.3 * numbers + (1 if name.endswith("gamma") else 0)
        else:
            numbers = numbers * np.sqrt(2 / np.prod(shape[1:]))
        made[name] = np.zeros((), np.int64) if name.endswith("tracked") else numbers.astype(np.float32)
    return made


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "formula.safetensors"
    save_file(formula_weights(entries()), path)
    return path


@pytest.fixture(scope="module")
def talknet(file: Path) -> TalkNet:
    return TalkNet(file)


@pytest.mark.parametrize("case", ["talknet_T8", "talknet_T25"])
def test_weights_by_formula_give_the_logits_of_its_authors_code(talknet: TalkNet, case: str) -> None:
    golden = GOLDEN[case]
    said = talknet.logits(*formula_inputs(golden["frames"]))
    assert said.dtype == np.float32
    np.testing.assert_allclose(said.T, golden["av"], atol=1e-4, rtol=0)


@pytest.mark.parametrize("frames", [1, 40])  # 32 frames make a portion
def test_other_weights_give_what_pytorch_gives(tmp_path: Path, frames: int) -> None:
    torch = pytest.importorskip("torch")
    from phonoscope.tasks.asd.networks.registry import network

    weights = random_weights(frames)
    save_file(weights, tmp_path / "random.safetensors")
    with torch.device("meta"):  # drawing weights that are replaced at once would take most of the time
        theirs = network("talknet").eval()
    theirs.load_state_dict({name: torch.from_numpy(array) for name, array in weights.items()}, assign=True)
    mfcc, faces = formula_inputs(frames, phase=1.0)
    with torch.inference_mode():
        expected = theirs(torch.from_numpy(mfcc)[None], torch.from_numpy(faces)[None]).av[0].numpy()
    np.testing.assert_allclose(
        TalkNet(tmp_path / "random.safetensors").logits(mfcc, faces), expected, atol=1e-4, rtol=0
    )


def test_there_are_as_many_entries_as_published_and_the_unused_one_is_among_them() -> None:
    assert len(entries()) == 487
    assert entries()[UNUSED] == (64, 64, 1, 1)


def test_entries_are_those_of_our_pytorch_in_their_order() -> None:
    torch = pytest.importorskip("torch")
    from phonoscope.tasks.asd.networks.registry import network

    with torch.device("meta"):
        theirs = network("talknet").state_dict()
    assert list(entries().items()) == [(name, tuple(tensor.shape)) for name, tensor in theirs.items()]


def test_weights_without_the_unused_entry_are_refused(tmp_path: Path) -> None:
    weights = {name: array for name, array in formula_weights(entries()).items() if name != UNUSED}
    save_file(weights, tmp_path / "less.safetensors")
    with pytest.raises(UsageError, match=f"talknet cannot take these weights: missing: {UNUSED}"):
        TalkNet(tmp_path / "less.safetensors")


def test_exact_windows_give_the_mean_of_each_window_alone(talknet: TalkNet) -> None:
    frames, audio = 55, 0.1 * np.random.default_rng(1).standard_normal(55 * 640).astype(np.float32)
    faces = formula_inputs(frames)[1].astype(np.uint8)
    rows = rows_of(audio, frames, Fraction(25))
    alone = []
    for length, durations in ((25, 1), (50, 1), (55, 4)):  # 3 to 6 s are longer than the track
        spans = [slice(at, at + length) for at in range(0, frames, length)]
        parts = [talknet.logits(rows[4 * span.start : 4 * span.stop], faces[span]) for span in spans]
        alone += [np.concatenate(parts)] * durations
    logits = np.mean(alone, 0)
    said = talknet.at(Fraction(25), "exact")(faces, audio)
    np.testing.assert_allclose(said, logits[:, 1] - logits[:, 0], atol=1e-4, rtol=0)


@pytest.mark.parametrize("windows", ["shared", "exact", "track"])
@pytest.mark.parametrize("frames", [0, 1, 27])
def test_there_is_a_finite_score_for_every_frame(talknet: TalkNet, windows: str, frames: int) -> None:
    faces = formula_inputs(frames)[1].astype(np.uint8)
    audio = np.random.default_rng(2).standard_normal(frames * 640).astype(np.float32)
    said = talknet.at(Fraction(25), windows)(faces, audio)
    assert (said.shape, said.dtype) == ((frames,), np.float32)
    assert np.isfinite(said).all()


def test_shared_windows_differ_from_exact_ones_by_little_more_than_the_edges(talknet: TalkNet) -> None:
    faces = formula_inputs(40)[1].astype(np.uint8)
    audio = np.random.default_rng(3).standard_normal(40 * 640).astype(np.float32)
    exact, shared = (talknet.at(Fraction(25), windows)(faces, audio) for windows in ("exact", "shared"))
    assert 0 < np.abs(exact - shared).max() < 0.5


def test_without_weights_it_says_where_they_are_and_how_to_give_them() -> None:
    with pytest.raises(MissingWeights, match=r"--asd.weights FILE: .* Google Drive"):
        registry.load("talknet")


def test_its_weights_are_loaded_by_name_and_file(file: Path) -> None:
    scorer = registry.load("talknet", weights=file)
    assert scorer.card.name == "talknet"
    assert scorer.card.sha256
    assert registry.load(f"talknet:{file}").card == scorer.card


def test_weights_tuned_on_other_crops_are_shown_those(file: Path, tmp_path: Path) -> None:
    tensors = {name: values.copy() for name, values in read_state_dict(file).tensors.items()}
    save_file(tensors, tmp_path / "own.safetensors", {"phonoscope": '{"network": "talknet", "policy": "aligned"}'})
    scorer = registry.load("talknet", weights=tmp_path / "own.safetensors")
    assert scorer.policy == scorer.at().policy == registry.policy_of(f"talknet:{tmp_path}/own.safetensors") == "aligned"
