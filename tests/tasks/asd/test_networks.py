"""The networks in PyTorch, against the numbers of their authors' code."""

import json
from pathlib import Path

import numpy as np
import pytest

from phonoscope.core.errors import UsageError
from phonoscope.testing.formulas import formula_inputs, formula_weights

torch = pytest.importorskip("torch")

from phonoscope.tasks.asd.networks.registry import NETWORKS, network  # noqa: E402

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "asd_networks.json").read_text())
PUBLISHED = {"lr-asd": (168, 837156), "light-asd": (192, 1021636), "talknet": (487, 15744481)}
REACH = {"lr-asd": 9, "light-asd": 6}  # frames on either side that a visual embedding depends on


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def filled(name: str):
    """A network with weights by formula, evaluating."""
    made = network(name)
    weights = formula_weights({entry: tuple(tensor.shape) for entry, tensor in made.state_dict().items()})
    made.load_state_dict({entry: torch.from_numpy(tensor) for entry, tensor in weights.items()}, strict=True)
    return made.eval()


def heard(made, mfcc: np.ndarray, faces: np.ndarray):
    with torch.inference_mode():
        return made(torch.from_numpy(mfcc), torch.from_numpy(faces))


def clips(frames: int, count: int, side: int = 112) -> tuple[np.ndarray, np.ndarray]:
    made = [formula_inputs(frames, phase=2.0 * clip, side=side) for clip in range(count)]
    return np.stack([mfcc for mfcc, _ in made]), np.stack([faces for _, faces in made])


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_network_has_as_many_entries_and_parameters_as_published(name: str) -> None:
    made = network(name)
    assert (len(made.state_dict()), sum(each.numel() for each in made.parameters())) == PUBLISHED[name]


@pytest.mark.parametrize("case", GOLDEN["formula"])
def test_weights_by_formula_give_the_golden_logits(case: str) -> None:
    golden = GOLDEN["formula"][case]
    mfcc, faces = formula_inputs(golden["frames"])
    said = heard(filled(case.rpartition("_")[0]), mfcc[None], faces[None])
    np.testing.assert_allclose(said.av[0].T, golden["av"], atol=1e-4, rtol=0)
    for head in ("audio", "video"):
        if f"{head}_1" in golden:
            np.testing.assert_allclose(getattr(said, head)[0, :, 1], golden[f"{head}_1"], atol=1e-4, rtol=0)


@pytest.mark.real
@pytest.mark.parametrize("case", GOLDEN["published"])
def test_published_weights_load_strictly_and_give_the_logits_of_their_authors(shared_weights: Path, case: str) -> None:
    golden, file = GOLDEN["published"][case], case.rpartition("_")[0]
    made = network(file.removesuffix("_ava").replace("_", "-")).eval()
    made.load_state_dict(torch.load(shared_weights / f"{file}.model", map_location="cpu", weights_only=True))
    mfcc, faces = formula_inputs(golden["frames"])
    np.testing.assert_allclose(heard(made, mfcc[None], faces[None]).av[0].T, golden["av"], atol=1e-4, rtol=0)


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_batch_gives_what_its_clips_give_one_by_one(name: str) -> None:
    made, (mfcc, faces) = filled(name), clips(frames=6, count=3)
    together = heard(made, mfcc, faces)
    alone = [heard(made, mfcc[clip : clip + 1], faces[clip : clip + 1]) for clip in range(3)]
    for head in ("av", "audio", "video"):
        if getattr(together, head) is not None:
            each = np.concatenate([getattr(said, head) for said in alone])
            np.testing.assert_allclose(getattr(together, head), each, atol=2e-5, rtol=0)


@pytest.mark.parametrize("name", REACH)
def test_a_face_is_seen_no_further_than_the_reach(name: str) -> None:
    encoder = filled(name).model.visualEncoder
    _, faces = formula_inputs(25, side=32)
    other = faces.copy()
    other[12] = 255 - other[12]
    with torch.inference_mode():
        told = [encoder(torch.from_numpy((each / 255 - 0.4161) / 0.1688)[None, None])[0] for each in (faces, other)]
    touched = np.flatnonzero((told[0] - told[1]).abs().amax(1) > 0)
    assert 12 - REACH[name] <= touched.min()
    assert touched.max() <= 12 + REACH[name]
    assert len(touched) > 2 * REACH[name] - 1


def test_talknet_sees_two_frames_on_either_side_before_its_temporal_layers() -> None:
    frontend = filled("talknet").model.visualFrontend
    _, faces = formula_inputs(9)
    other = faces.copy()
    other[4] = 255 - other[4]
    with torch.inference_mode():
        told = [frontend(torch.from_numpy((each / 255 - 0.4161) / 0.1688)[None, None])[0] for each in (faces, other)]
    assert np.flatnonzero((told[0] - told[1]).abs().amax(1) > 0).tolist() == [2, 3, 4, 5, 6]


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_parameter_learns_but_the_one_that_talknet_never_uses(name: str) -> None:
    made, (mfcc, faces) = filled(name).train(), clips(frames=4, count=2)
    said = made(torch.from_numpy(mfcc), torch.from_numpy(faces))
    sum(
        (head[..., 1] - head[..., 0]).square().sum() for head in (said.av, said.audio, said.video) if head is not None
    ).backward()
    idle = [entry for entry, each in made.named_parameters() if each.grad is None]
    assert idle == (["model.visualFrontend.resnet.layer1.downsample.weight"] if name == "talknet" else [])


@pytest.mark.parametrize("name", PUBLISHED)
def test_sound_and_faces_of_different_lengths_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"got \(1, 30, 13\) and \(1, 8, 112, 112\)"):
        network(name)(torch.zeros(1, 30, 13), torch.zeros(1, 8, 112, 112))


def test_an_unknown_network_is_refused_by_name() -> None:
    with pytest.raises(UsageError, match=f"no network 'loconet'; there are {', '.join(NETWORKS)}"):
        network("loconet")


def test_a_shape_that_a_network_does_not_have_is_refused() -> None:
    with pytest.raises(UsageError, match="'lr-asd' has no channels; it takes nothing"):
        network("lr-asd", channels=3)
    with pytest.raises(UsageError, match="'ava-asd' has no colours; it takes mode, channels, dropout"):
        network("ava-asd", colours=3)
