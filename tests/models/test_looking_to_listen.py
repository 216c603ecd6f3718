"""Seed 000's separator as it runs without PyTorch: the same numbers, any number of faces that it was trained for."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from phonoscope.core.errors import UsageError
from phonoscope.models import load
from phonoscope.models.backends.looking_to_listen import LookingToListen
from phonoscope.models.backends.looking_to_listen_graph import Shape, entries, onto
from phonoscope.models.protocols import VoiceSeparator
from phonoscope.models.registry import card_of, choose
from phonoscope.models.stretches import FaceLips, Voices

few = settings(max_examples=8, deadline=None)
NARROW = Shape(speakers=2, faces=6, filters=2, cells=3, dense=4)


def check_types(weights: Path) -> VoiceSeparator:
    """For the type checker: it is one."""
    return LookingToListen(weights)


def drawn(seed: int, of: Shape = NARROW) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    made = {name: rng.normal(0, 0.4, shape).astype(np.float32) for name, shape in entries(of).items()}
    variances = [name for name in made if name.endswith("running_var")]
    counts = {name: np.zeros((), np.int64) for name in made if name.endswith("num_batches_tracked")}
    return made | {name: np.abs(made[name]) + 0.5 for name in variances} | counts


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("weights")


def written(folder: Path, seed: int = 0, of: Shape = NARROW, **about) -> Path:
    path = folder / f"{seed}-{of.speakers}-{'-'.join(map(str, about.values()))}.safetensors"
    gates = about.pop("gates", "hard")
    told = {"network": "looking-to-listen", "shape": {"speakers": of.speakers, "faces": of.faces, "gates": gates}}
    save_file(drawn(seed, of), path, {"phonoscope": json.dumps(told | about)})
    return path


@pytest.fixture(scope="module")
def separator(folder) -> LookingToListen:
    """One for two faces, in stretches of half a second."""
    return LookingToListen(written(folder, stretch=12))


def given_at_random(seed: int, faces: int, frames: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    rows = rng.normal(0, 1, (faces, frames, NARROW.faces)).astype(np.float32)
    rows[rng.random((faces, frames)) < 0.2] = np.nan
    return rng.normal(0, 0.05, frames * 640).astype(np.float32), rows


@pytest.mark.parametrize("gates", ["hard", "sigmoid"])
@pytest.mark.parametrize("frames", [2, 8, 30], ids=["0.08 s", "0.3 s", "1.2 s"])
@pytest.mark.parametrize("speakers", [1, 2, 3])
def test_torch_and_the_graph_give_the_same(folder, gates, frames, speakers):
    torch = pytest.importorskip("torch")
    from phonoscope.tasks.separation.networks.registry import network
    from phonoscope.tasks.separation.task import separator_of

    of = Shape(speakers=speakers, faces=6, filters=2, cells=3, dense=4)
    made = network(
        "looking-to-listen", speakers=speakers, faces=6, gates=gates, filters=2, cells=3, dense=4
    )  # fmt: skip
    made.load_state_dict({name: torch.from_numpy(it) for name, it in drawn(frames, of).items()})
    sound, rows = given_at_random(frames, speakers, frames)
    known = separator_of(made, "looking-to-listen")(sound, rows)
    found = LookingToListen(written(folder, frames, of, gates=gates))(sound, rows)
    assert np.abs(known).max() > 1e-3
    assert np.abs(found - known).max() <= 1e-4 * max(1.0, float(np.abs(known).max()))


@given(rows=st.integers(1, 40), frames=st.integers(1, 40))
def test_rows_of_faces_are_drawn_out_from_the_first_to_the_last(rows, frames):
    """As numpy.interp has it, both ends in place."""
    x = np.random.default_rng(rows).normal(size=frames)
    at = np.linspace(0, frames - 1, rows)
    np.testing.assert_allclose(onto(rows, frames) @ x, np.interp(at, np.arange(frames), x), atol=1e-5)


@few
@given(
    faces=st.integers(0, 2), frames=st.integers(0, 6), samples=st.integers(0, 5000), gain=st.sampled_from([0, 1, 50])
)
def test_there_is_a_voice_of_finite_numbers_for_every_face_and_sample(separator, faces, frames, samples, gain):
    sound = (gain * np.random.default_rng(samples).normal(0, 1, samples)).astype(np.float32)
    made = separator(sound, np.full((faces, frames, NARROW.faces), np.nan, np.float32))
    assert made.shape == (faces, samples) and made.dtype == np.float32 and np.isfinite(made).all()
    assert not made[:, frames * 640 :].any() and (gain or not made.any())


def test_a_face_that_nobody_shows_is_one_that_is_not_seen(separator):
    sound, rows = given_at_random(1, 2, 12)
    rows[1] = np.nan
    assert np.array_equal(separator(sound, rows)[:1], separator(sound, rows[:1]))


@few
@given(cuts=st.lists(st.integers(0, 40 * 640), max_size=5), seed=st.integers(0, 9))
def test_however_a_sound_is_fed_its_voices_are_the_same(separator, cuts, seed):
    sound, rows = given_at_random(seed, 2, 40)

    def heard(edges: list[int]) -> np.ndarray:
        told = Voices(separator, [FaceLips(0, it) for it in rows])
        pieces = [told.hear(it) for it in np.split(sound, edges)]
        return np.concatenate([*pieces, told.end()], 1)

    assert separator.stretch == 12
    assert np.abs(heard(sorted(cuts)) - heard([])).max() <= 1e-6


def test_more_faces_than_it_was_trained_for_are_one_line(separator):
    sound, rows = given_at_random(0, 3, 4)
    with pytest.raises(UsageError, match=r"3 faces are seen at once, and .* was trained for 2: train one by") as caught:
        separator(sound, rows)
    assert "\n" not in str(caught.value)


def test_a_run_says_what_faces_are_to_it(folder):
    plain = LookingToListen(written(folder, 3))
    assert (plain.rows, plain.lips, plain.stretch, plain.speakers) == ("embeddings", "facenet-avgpool", 75, 2)
    told = LookingToListen(written(folder, 3, rows="lips", rows_by="mouth@1", lips="mouth", stretch=40))
    assert (told.rows, told.lips, told.stretch) == ("lips", "mouth@1", 40)


def test_it_is_had_by_its_name_with_weights_of_your_own_only(folder):
    path = written(folder, 4)
    made = load("looking-to-listen", weights=path)
    assert made.card.sources == (f"file:{path}",) and card_of(f"looking-to-listen:{path}") == made.card
    with pytest.raises(UsageError, match="no weights that can be fetched: no weights are published: train some"):
        choose("voice_separator", "looking-to-listen")


def test_what_it_cannot_take_is_refused(separator, folder, tmp_path):
    sound, rows = given_at_random(0, 2, 5)
    with pytest.raises(ValueError, match="faces"):
        separator(sound, rows[:, :, :-1])
    with pytest.raises(ValueError, match="finite"):
        separator(np.full(3200, np.nan, np.float32), rows)
    with pytest.raises(UsageError, match="says that its gates are 'soft'; there are hard, sigmoid"):
        LookingToListen(written(folder, gates="soft"))
    save_file({"slight": np.zeros(3, np.float32)}, tmp_path / "other.safetensors")
    with pytest.raises(UsageError, match="looking-to-listen cannot take these weights"):
        LookingToListen(tmp_path / "other.safetensors")
