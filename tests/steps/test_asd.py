"""Speaking scores as an artifact: every frame of every track, once, from the right pixels and the right sound."""

import weakref
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import ClassVar, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phonoscope.core.errors import UsageError
from phonoscope.core.faces import Track, TrackArrays, Tracks, TrackTable
from phonoscope.core.geometry import central, crop_track
from phonoscope.core.media import Picture, Recording
from phonoscope.core.series import Series
from phonoscope.core.time import sample_at
from phonoscope.flow.streams import Film, drive
from phonoscope.models.cards import Card
from phonoscope.models.protocols import SpeakingScorer
from phonoscope.steps.asd import AsdParams, asd

FRAMES = 400
FPS = Fraction(30000, 1001)


@dataclass
class FlatPicture:
    """A picture whose crops are one grey: the frame's number and the height of the face in the picture."""

    frame: int
    asked: list[tuple[np.ndarray, tuple[int, int], int]]

    def crop_grey(self, matrix: np.ndarray, size: tuple[int, int], border: int) -> np.ndarray:
        self.asked.append((matrix, size, border))
        return np.full(size, self.frame % 251, np.uint8)


class Window:
    """A scorer that adds up what it sees and hears within its context, and notes how much it was given."""

    backend_kind: ClassVar[str] = "speaking_scorer"
    card = Card("window", "1", (), "", "", "", "", "")
    policy, size, period = "asd", 112, 1

    def __init__(self, context: int) -> None:
        self.context = context
        self.longest = 0

    def __call__(self, faces: np.ndarray, audio: np.ndarray) -> np.ndarray:
        assert faces.shape[1:] == (112, 112)
        self.longest = max(self.longest, len(faces))
        edges = [round(at * len(audio) / len(faces)) for at in range(len(faces) + 1)]
        heard = np.array([np.median(audio[a:b]) for a, b in pairwise(edges)])
        return np.convolve(faces[:, 0, 0] + heard, np.ones(2 * self.context + 1))[self.context :][: len(faces)]


def track_of(id: int, start: int, length: int) -> Track:
    box = np.tile(np.array([40, 30, 80, 80], np.float32), (length, 1)) + np.arange(length, dtype=np.float32)[:, None]
    return Track(id, start, box, np.ones(length, np.float32), np.ones(length, bool))


def recording() -> Recording:
    samples = sample_at(FRAMES, FPS, 16000)
    return Recording("film-00000000", "", "", FPS, FRAMES, 640, 360, 16000, samples, Fraction(0))


def sound() -> Series:
    """Sound whose level says which frame it belongs to."""
    edges = [sample_at(at, FPS, 16000) for at in range(FRAMES + 1)]
    levels = np.repeat(np.arange(FRAMES) / FRAMES, np.diff(edges))
    return Series(levels.astype(np.float32), Fraction(16000))


def score(
    tracks: Tracks,
    scorer: SpeakingScorer,
    p: AsdParams,
    asked: list | None = None,
    audio: Series | None = None,
    landmarks: TrackArrays | None = None,
) -> TrackTable:
    film = Film(recording())
    shown = [FlatPicture(frame, [] if asked is None else asked) for frame in range(FRAMES)]
    return drive(asd(film, tracks, audio or sound(), recording(), landmarks, scorer, p), cast(list[Picture], shown))


spans = st.tuples(st.integers(0, FRAMES - 1), st.integers(1, 150)).map(lambda s: (s[0], min(s[1], FRAMES - s[0])))


@settings(max_examples=30, deadline=None)
@given(layout=st.lists(spans, max_size=4), piece=st.integers(1, 60), context=st.integers(0, 12))
def test_pieces_with_context_give_what_whole_tracks_give(layout, piece, context):
    tracks = Tracks(tuple(track_of(id, *span) for id, span in enumerate(layout)))
    whole, pieces = Window(context), Window(context)
    want = score(tracks, whole, AsdParams(piece=FRAMES))
    made = score(tracks, pieces, AsdParams(piece=piece))
    np.testing.assert_allclose(made.columns["score"], want.columns["score"], atol=1e-2)  # a frame of sound: 1/400
    assert pieces.longest <= piece + 2 * context


@settings(max_examples=30, deadline=None)
@given(layout=st.lists(spans, max_size=4), data=st.data())
def test_each_frame_of_each_track_has_one_row_in_order(layout, data):
    ids = data.draw(st.permutations(range(10, 10 + len(layout))))
    tracks = Tracks(tuple(track_of(id, *span) for id, span in zip(ids, layout, strict=True)))
    made = score(tracks, Window(0), AsdParams(piece=50))
    rows = sorted((t.id, frame) for t in tracks for frame in range(t.start, t.start + len(t)))
    assert list(zip(made.track.tolist(), made.frame.tolist(), strict=True)) == rows
    assert made.columns["score"].dtype == np.float32
    want = [frame % 251 + frame / FRAMES for _, frame in rows]
    np.testing.assert_allclose(made.columns["score"], want, atol=3e-3)


def test_the_scorer_sees_the_middle_of_the_asd_crop():
    asked: list = []
    track = track_of(0, 7, 3)
    score(Tracks((track,)), Window(0), AsdParams(), asked)
    crop = central(crop_track(track, "asd"), 112)
    assert len(asked) == 3
    for at, (matrix, size, border) in enumerate(asked):
        np.testing.assert_array_equal(matrix, crop.matrix[at])
        assert (size, border) == ((112, 112), 110)


def test_no_more_faces_are_held_than_a_piece_and_what_lies_around_it():
    held: list[weakref.ref] = []
    most = 0

    class Watched(FlatPicture):
        def crop_grey(self, matrix: np.ndarray, size: tuple[int, int], border: int) -> np.ndarray:
            nonlocal most
            face = super().crop_grey(matrix, size, border)
            held.append(weakref.ref(face))
            most = max(most, sum(ref() is not None for ref in held))
            return face

    looker = asd(
        Film(recording()), Tracks((track_of(0, 0, FRAMES),)), sound(), recording(), None, Window(5), AsdParams(piece=20)
    )
    drive(looker, cast(list[Picture], [Watched(frame, []) for frame in range(FRAMES)]))
    assert len(held) == FRAMES
    assert most <= 20 + 2 * 5


def test_no_tracks_give_an_empty_table_and_nothing_is_looked_at():
    looker = asd(Film(recording()), Tracks(), sound(), recording(), None, Window(0), AsdParams())
    assert list(next(looker) or ()) == []
    made = score(Tracks(), Window(0), AsdParams())
    assert (len(made.track), len(made.frame), len(made.columns["score"])) == (0, 0, 0)


def test_sound_that_ends_early_is_silent_from_there():
    track = track_of(0, FRAMES - 10, 10)
    short = Series(sound().values[: sample_at(FRAMES - 5, FPS, 16000)], Fraction(16000))
    scores = score(Tracks((track,)), Window(0), AsdParams(), audio=short).columns["score"]
    np.testing.assert_allclose(scores[5:], np.arange(FRAMES - 5, FRAMES) % 251)


def test_a_film_that_leaves_out_a_frame_or_ends_early_is_refused():
    def shown(frames: list[int]) -> TrackTable:
        looker = asd(
            Film(recording()), Tracks((track_of(3, 5, 20),)), sound(), recording(), None, Window(0), AsdParams()
        )
        return drive(looker, cast(list[Picture], [FlatPicture(frame, []) for frame in frames]))

    with pytest.raises(ValueError, match="track 3 needs frame 8, got 9"):
        shown([5, 6, 7, 9])
    with pytest.raises(ValueError, match="ended before these tracks did: 3"):
        shown(list(range(5, 20)))
    with pytest.raises(ValueError, match="ended before these tracks did: 3"):
        shown([])


@pytest.mark.parametrize("wrong", [np.zeros(3), np.full(10, np.nan), np.zeros((10, 2))])
def test_a_scorer_that_breaks_its_promise_is_named(wrong):
    class Broken(Window):
        def __call__(self, faces: np.ndarray, audio: np.ndarray) -> np.ndarray:
            return wrong

    with pytest.raises(ValueError, match=r"window must give \(10,\) finite scores"):
        score(Tracks((track_of(0, 0, 10),)), Broken(0), AsdParams())


def test_a_face_that_no_landmarks_place_is_shown_as_nothing(landmarks_of):
    shown, asked = [], []

    class Seeing(Window):
        def __call__(self, faces: np.ndarray, audio: np.ndarray) -> np.ndarray:
            shown.extend(faces[:, 0, 0].tolist())
            return super().__call__(faces, audio)

    points = np.tile(np.random.default_rng(0).uniform(10, 90, (68, 2)), (5, 1, 1))
    points[2:4] = np.nan
    landmarks = landmarks_of({0: points})
    score(Tracks((track_of(0, 7, 5),)), Seeing(0), AsdParams(policy="aligned"), asked, landmarks=landmarks)
    assert shown == [7, 8, 0, 0, 11]
    assert len(asked) == 3


def test_a_crop_that_there_is_not_is_refused_before_any_film_is_touched():
    with pytest.raises(UsageError, match=r"no crop policy 'algined' for asd\.policy; there are auto, asd"):
        AsdParams(policy="algined")


def test_pieces_of_no_frames_and_sound_at_another_rate_are_refused():
    with pytest.raises(UsageError, match=r"asd\.piece must be 1 or more, got 0"):
        score(Tracks(), Window(0), AsdParams(piece=0))
    with pytest.raises(UsageError, match="asd hears 16000 samples a second, the store's audio has 48000"):
        score(Tracks(), Window(0), AsdParams(), audio=Series(np.zeros(9, np.float32), Fraction(48000)))


class Periodic(Window):
    """A scorer whose scores begin anew with each period."""

    def __init__(self, period: int) -> None:
        super().__init__(0)
        self.period = period
        self.starts: list[int] = []

    def __call__(self, faces: np.ndarray, audio: np.ndarray) -> np.ndarray:
        self.starts.append(int(faces[0, 0, 0]))
        return np.arange(len(faces)) % max(1, self.period)


@pytest.mark.parametrize(("period", "starts"), [(60, [5, 125]), (100, [5, 105, 205]), (0, [5]), (1, [5, 95, 185])])
def test_pieces_begin_at_multiples_of_the_period(period: int, starts: list[int]):
    scorer = Periodic(period)
    made = score(Tracks((track_of(0, 5, 240),)), scorer, AsdParams(piece=90))
    assert scorer.starts == starts
    if period:
        assert np.array_equal(made.columns["score"], np.arange(240) % period)


class Looking(Window):
    """A scorer that looks at faces as they come: it keeps of each one number."""

    def __init__(self, context: int, period: int) -> None:
        super().__init__(context)
        self.period = period

    def begin(self) -> "Looking":
        begun = Looking(self.context, self.period)
        begun.seen = []
        return begun

    def see(self, faces: np.ndarray) -> None:
        assert faces.shape == (1, 112, 112)
        self.seen.append(np.full((1, 112, 112), faces[0, 0, 0], np.uint8))

    def end(self, audio: np.ndarray) -> np.ndarray:
        return Window.__call__(self, np.concatenate(self.seen), audio)

    def __call__(self, faces: np.ndarray, audio: np.ndarray) -> np.ndarray:
        raise AssertionError("it wants faces as they come")


@settings(max_examples=30, deadline=None)
@given(
    layout=st.lists(spans, max_size=4), piece=st.integers(1, 60), context=st.integers(0, 12), period=st.integers(0, 40)
)
def test_a_scorer_that_looks_as_faces_come_gives_what_it_gives_of_whole_pieces(layout, piece, context, period):
    tracks = Tracks(tuple(track_of(id, *span) for id, span in enumerate(layout)))
    whole = Window(context)
    whole.period = period
    made, want = (score(tracks, it, AsdParams(piece=piece)) for it in (Looking(context, period), whole))
    np.testing.assert_array_equal(made.columns["score"], want.columns["score"])
