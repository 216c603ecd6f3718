"""Examples from a store: labelled tracks whole, seed 001's windows, or drawn windows; and what is refused."""

import shutil

import numpy as np
import pytest

from phonoscope import Store, prepare
from phonoscope.core.clips import Listed
from phonoscope.core.errors import UsageError
from phonoscope.core.faces import TrackTable
from phonoscope.job import params_from
from phonoscope.store.receipts import BY_CORPUS, Receipt
from phonoscope.tasks.asd.batches import batches_of
from phonoscope.tasks.asd.material import checked, material_of
from phonoscope.tasks.asd.params import AugmentParams, ExamplesParams
from phonoscope.tasks.asd.task import batch_of

P = ExamplesParams(piece=40, n_samples=24)


@pytest.fixture(scope="module")
def made(puppets, tmp_path_factory):
    """A store of one drawn film of two people, of a speaker of the training set, with faces as seed 001 wants them."""
    root = tmp_path_factory.mktemp("material") / "films"
    tight = params_from({"face_crops": {"policy": "tight", "size": 100}, "faces": {"every": 3}})
    (outcome,) = prepare([str(puppets)], root, ("tracks", "face_crops"), tight).carry_out()
    assert outcome.failure is None
    stored = Store(root)[next(iter(Store(root)))]
    stored.list_as(Listed("mine", "train/ana/film.mp4", "ana", "train"))
    return root


@pytest.fixture
def films(made, tmp_path):
    """The same, without labels."""
    shutil.copytree(made, tmp_path / "films")
    return tmp_path / "films"


@pytest.fixture
def labelled(films):
    """Every frame of every track has a label; nobody has said anything of the first ten."""
    store = Store(films)
    stored = store[next(iter(store))]
    tracks = stored.load("tracks")
    track = np.concatenate([np.full(len(it) - 10, it.id, np.int32) for it in tracks])
    frame = np.concatenate([np.arange(it.start + 10, it.start + len(it), dtype=np.int32) for it in tracks])
    labels = TrackTable(track, frame, {"label": (frame % 3).astype(np.int8)})
    stored.save("labels", labels, Receipt(key="labels", step=BY_CORPUS, version=1))
    return films


def test_labelled_tracks_are_learnt_whole_in_pieces(labelled):
    material = material_of(labelled, P)
    tracks = Store(labelled)[next(iter(Store(labelled)))].load("tracks")
    examples = material.examples["training"]
    assert sum(it.num_frames for it in examples) == sum(len(it) for it in tracks)
    assert max(it.num_frames for it in examples) <= 40
    first = material.load(examples[0])
    assert first.faces.shape[1:] == (112, 112) and len(first.mfcc) == 4 * len(first.faces)
    assert not first.weight[:10].any() and first.weight[10:].all()
    assert first.labels[10:].tolist() == [int((10 + at) % 3 == 1) for at in range(len(first.labels) - 10)]


def test_seed_001_learns_windows_that_end_at_a_labelled_frame(labelled):
    material = material_of(labelled, P, "ava-asd")
    examples = material.examples["training"]
    assert len(examples) > 8 and {it.label for it in examples} == {0, 1}
    assert all(it.start >= 10 for it in examples)
    it = material.load(examples[-1])
    assert (it.faces.shape, it.faces.dtype) == ((5, 100, 100), np.uint8)
    assert (it.mfcc.shape, it.mfcc.dtype) == ((13, 20), np.float32)
    crops = Store(labelled)[next(iter(Store(labelled)))].load("face_crops")
    assert np.array_equal(it.faces[-1], crops[examples[-1].video.track][examples[-1].start])
    batches = batches_of(material, "training", 1, ExamplesParams(batch_frames=4), AugmentParams(), 0, batch_of)
    assert batches[0].faces.shape == (4, 5, 100, 100) and batches[0].mfcc.shape == (4, 13, 20)


def test_seed_001_wants_labels_and_faces_of_its_own(films, labelled, tmp_path):
    store = Store(labelled)
    stored = store[next(iter(store))]
    stored.forget("face_crops")
    with pytest.raises(UsageError, match=r"--face-crops\.policy tight --face-crops\.size 100"):
        material_of(labelled, P, "ava-asd")
    stored.forget("labels")
    with pytest.raises(UsageError, match="'ava-asd' learns from labels"):
        material_of(labelled, P, "ava-asd")
    with pytest.raises(UsageError, match="not a folder of windows"):
        material_of(tmp_path, P, "ava-asd")


def test_one_speaker_alone_is_refused_in_one_line(films):
    with pytest.raises(UsageError, match="speaker") as refusal:
        material_of(films, P)
    assert "\n" not in str(refusal.value)


def test_a_store_without_a_validation_split_is_refused(labelled):
    with pytest.raises(UsageError, match="no examples of the split 'validation'"):
        checked(material_of(labelled, P), labelled)
