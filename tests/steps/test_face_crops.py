"""Face crops as an artifact: what a scorer is shown, every frame of every track, without holding a film in memory."""

import tracemalloc
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest

from phonoscope import Store
from phonoscope.core.align import face_crop
from phonoscope.core.errors import UsageError
from phonoscope.core.faces import Track, TrackArrays, Tracks
from phonoscope.core.geometry import POLICIES
from phonoscope.core.media import Recording
from phonoscope.core.series import Series
from phonoscope.flow.streams import Film, PartFolder, drive
from phonoscope.job import params_from, prepare
from phonoscope.media.picture import Picture
from phonoscope.steps.asd import AsdParams, asd
from phonoscope.steps.face_crops import FaceCropsParams, face_crops
from phonoscope.store.codecs import read_track_arrays
from phonoscope.testing.fakes import FakeScorer
from phonoscope.testing.puppet import two_heads_taking_turns

SCENE = two_heads_taking_turns(1.0)
RECORDING = Recording("x", "", "", Fraction(25), 25, SCENE.width, SCENE.height, 16000, 16000, Fraction(0))


@pytest.fixture(scope="module")
def pictures() -> list[Picture]:
    return [Picture.from_rgb(rgb, k) for k, rgb in enumerate(SCENE.frames())]


def cut(pictures, tracks, out, landmarks=None, **settings) -> TrackArrays:
    drive(face_crops(Film(RECORDING), tracks, landmarks, PartFolder(out), FaceCropsParams(**settings)), pictures)
    return read_track_arrays(out)


@dataclass
class Watching(FakeScorer):
    """A scorer that keeps what it is shown."""

    def __post_init__(self) -> None:
        self.shown: list[np.ndarray] = []

    def __call__(self, faces: np.ndarray, audio: np.ndarray) -> np.ndarray:
        self.shown.append(faces)
        return np.zeros(len(faces), np.float32)


def test_they_are_what_the_step_asd_shows_to_a_scorer(pictures, tmp_path):
    tracks, watching = SCENE.truth.tracks(), Watching()
    sound = Series(np.zeros(16000, np.float32), Fraction(16000))
    drive(asd(Film(RECORDING), tracks, sound, RECORDING, None, watching, AsdParams()), pictures)
    made = cut(pictures, tracks, tmp_path)
    assert len(watching.shown) == len(tracks) == len(made.arrays)
    assert all(made[t.id].dtype == np.uint8 and made[t.id].shape == (len(t), 112, 112) for t in tracks)
    assert {made[track.id].tobytes() for track in tracks} == {faces.tobytes() for faces in watching.shown}
    assert not made.frames.columns["missing"].any()


def test_every_frame_of_every_track_has_its_row_wherever_it_begins(pictures, tmp_path):
    whole = SCENE.truth.tracks().tracks[0]

    def piece(id: int, start: int, stop: int) -> Track:
        return Track(id, start, whole.box[start:stop], whole.score[start:stop], whole.observed[start:stop])

    tracks = Tracks((piece(4, 3, 9), piece(1, 8, 25), piece(9, 24, 25)))
    made = cut(pictures, tracks, tmp_path, policy="tight", size=48)
    for track in tracks:
        crop, _ = face_crop(track, "tight", 48)
        seen = zip(pictures[track.span.start : track.span.stop], crop.matrix, strict=True)
        np.testing.assert_array_equal(made[track.id], [it.crop_grey(matrix, (48, 48), 0) for it, matrix in seen])
    assert made.frames.track.tolist() == [1] * 17 + [4] * 6 + [9]
    assert made.frames.frame.tolist() == [*range(8, 25), *range(3, 9), 24]


def test_aligned_faces_are_masked_where_there_are_no_landmarks(pictures, landmarks_of, tmp_path):
    (track, *_), (head, *_) = SCENE.truth.tracks(), SCENE.truth.heads
    points = head.landmarks[track.start : track.span.stop].copy()
    points[5:8] = np.nan
    made = cut(pictures, Tracks((track,)), tmp_path, landmarks_of({track.id: points}), policy="aligned")
    assert np.flatnonzero(made.frames.of(track.id, "missing")).tolist() == [5, 6, 7]
    crop, _ = face_crop(track, "aligned", 112, points)
    again = pictures[track.start + 6].crop_grey(crop.matrix[6], (112, 112), POLICIES["aligned"].border)
    np.testing.assert_array_equal(made[track.id][6], again)
    steps = np.abs(np.diff(made[track.id].astype(int), axis=0)).mean(axis=(1, 2))
    assert steps.min() > 0  # nothing was put in twice


def test_no_tracks_are_no_arrays(pictures, tmp_path):
    assert cut(pictures, Tracks(), tmp_path).arrays == {}


def test_a_film_that_ends_early_or_leaves_a_frame_out_is_refused(pictures, tmp_path):
    tracks = SCENE.truth.tracks()
    for name, shown, said in (
        ("a", pictures[:20], "ended before these tracks did: 0, 1"),
        ("b", pictures[1:], "needs frame 0"),
    ):
        (tmp_path / name).mkdir()
        with pytest.raises(ValueError, match=said):
            cut(shown, tracks, tmp_path / name)


def test_a_long_track_takes_no_more_memory_than_a_short_one(tmp_path):
    picture = Picture.from_rgb(np.zeros((64, 64, 3), np.uint8))

    def peak(length: int) -> int:
        box = np.tile(np.array([10, 10, 50, 50], np.float32), (length, 1))
        track = Track(0, 0, box, np.ones(length, np.float32), np.ones(length, bool))
        out = PartFolder(tmp_path / str(length))
        out.mkdir()
        step = face_crops(Film(RECORDING), Tracks((track,)), None, out, FaceCropsParams())
        next(step)
        tracemalloc.start()
        for k in range(length):
            picture.frame = k
            step.send([picture])
        made = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return made

    peak(10)
    assert peak(1000) < peak(100) + 200_000  # 900 more faces alone would be 11 MB


def test_it_runs_in_a_store_and_needs_landmarks_only_where_it_goes_by_them(puppets, tmp_path):
    params = params_from({"faces": {"model": "blazeface"}})
    (outcome,) = prepare([puppets], tmp_path / "films", ["face_crops"], params).carry_out()
    assert outcome.failure is None and "landmarks" not in outcome.made
    stored = Store(tmp_path / "films")[outcome.recording]
    made, track = stored.load("face_crops"), next(iter(stored.load("tracks")))
    grey = stored.crops(track.id, "tight", grey=True)
    assert made[track.id].shape == grey.shape
    with pytest.raises(UsageError, match="has no 'landmarks'"):
        stored.crops(track.id, "aligned")
    aligned = params_from({"faces": {"model": "blazeface"}, "face_crops": {"policy": "aligned"}})
    (outcome,) = prepare([puppets], tmp_path / "films", ["face_crops"], aligned).carry_out()
    assert outcome.failure is None and {"landmarks", "face_crops"} <= {*outcome.made}
    np.testing.assert_array_equal(stored.load("face_crops")[track.id], stored.crops(track.id, "aligned", grey=True))


@pytest.mark.real
def test_a_real_face_is_upright_and_of_one_size_when_aligned(shared_data, tmp_path):
    film = shared_data / "a_talking_head" / "grid_bbaf2n.mpg"
    params = params_from({"face_crops": {"policy": "aligned"}})
    (outcome,) = prepare([film], tmp_path / "films", ["face_crops"], params).carry_out()
    assert outcome.failure is None
    stored = Store(tmp_path / "films")[outcome.recording]
    (track,) = stored.load("tracks")
    made, points = stored.load("face_crops"), stored.load("landmarks")[track.id]
    assert len(made[track.id]) == len(track) and not made.frames.columns["missing"].any()
    crop, _ = face_crop(track, "aligned", 112, points)
    seen = np.einsum("tij,tkj->tki", crop.matrix[:, :, :2], points) + crop.matrix[:, None, :, 2]
    eyes = seen[:, 45] - seen[:, 36]
    assert np.abs(np.degrees(np.arctan2(eyes[:, 1], eyes[:, 0]))).max() < 5
    assert np.linalg.norm(eyes, axis=1) == pytest.approx(72.7, rel=0.1)  # as far apart as in the mean face
