"""Hands: how much of the face is under a palm, looked at now and then."""

from fractions import Fraction
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phonoscope.core.errors import UsageError
from phonoscope.core.faces import Track, Tracks
from phonoscope.core.media import Recording
from phonoscope.flow.streams import Film, drive
from phonoscope.media.picture import Picture
from phonoscope.models.cards import Card
from phonoscope.models.protocols import HandDetector
from phonoscope.steps.hands import HandsParams, hands

FILM = Film(Recording("film-00000000", "", "", Fraction(25), 200, 320, 240, 0, 0, Fraction(0)))
FACE = (100.0, 80.0, 160.0, 160.0)


class WhiteHands:
    """Takes the white patch for a palm, with a score that stands in the patch as a level from 128."""

    backend_kind: ClassVar[str] = "hand_detector"
    card = Card("white", "1", (), "", "", "", "", "")
    size = 120

    def __init__(self) -> None:
        self.looks = 0

    def __call__(self, image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        assert image.shape == (120, 120, 3)
        self.looks += 1
        rows, columns = np.nonzero(image.min(2) >= 128)
        if not len(rows):
            return np.zeros((0, 4), np.float32), np.zeros(0, np.float32)
        box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        score = float(np.median(image[rows, columns])) / 255
        return np.array([box, [0, 0, 1, 1]], np.float32), np.array([score, 0.9], np.float32)


def check_types() -> HandDetector:
    """For the type checker."""
    return WhiteHands()


def track_of(id: int, start: int, length: int, box: tuple[float, ...] = FACE) -> Track:
    boxes = np.tile(np.array(box, np.float32), (length, 1))
    return Track(id, start, boxes, np.ones(length, np.float32), np.ones(length, bool))


def picture(frame: int, hand: tuple[int, int, int, int] | None, level: int = 255) -> Picture:
    rgb = np.zeros((240, 320, 3), np.uint8)
    if hand:
        rgb[hand[1] : hand[3], hand[0] : hand[2]] = level
    return Picture.from_rgb(rgb, frame)


def covered(film: list[Picture], *tracks: Track) -> np.ndarray:
    return drive(hands(FILM, Tracks(tracks), WhiteHands(), HandsParams()), film).columns["hands"]


@pytest.mark.parametrize(
    ("hand", "share"),
    [((90, 70, 170, 170), 1.0), ((100, 80, 130, 160), 0.5), ((100, 120, 160, 160), 0.5), ((170, 80, 200, 160), 0.0)],
)
def test_the_share_of_the_face_under_a_palm(hand, share):
    assert covered([picture(0, hand)], track_of(0, 0, 1))[0] == pytest.approx(share, abs=0.05)


def test_a_doubtful_palm_counts_less_and_no_palm_nothing():
    assert covered([picture(0, (90, 70, 170, 170), 153)], track_of(0, 0, 1))[0] == pytest.approx(0.6, abs=0.02)
    assert covered([picture(0, None)], track_of(0, 0, 1)).tolist() == [0]


def test_hands_far_from_the_face_are_not_even_looked_at():
    film = [picture(0, (0, 0, 8, 8))]
    assert covered(film, track_of(0, 0, 1, (200, 100, 240, 140))).tolist() == [0]


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 20)), max_size=3), st.integers(1, 8))
def test_each_frame_has_a_row_that_keeps_what_was_seen_last(spans, every):
    tracks = Tracks(tuple(track_of(id, *span) for id, span in enumerate(spans)))
    film = [picture(frame, (90, 70, 170, 170) if frame % 7 < 3 else None) for frame in range(40)]
    detector = WhiteHands()
    made = drive(hands(FILM, tracks, detector, HandsParams(every=every)), film)
    rows = [(t.id, frame) for t in tracks for frame in range(t.span.start, t.span.stop)]
    assert list(zip(made.track.tolist(), made.frame.tolist(), strict=True)) == rows
    last = [frame - (frame - tracks[id].start) % every for id, frame in rows]
    np.testing.assert_array_equal(made.columns["hands"] > 0.5, [frame % 7 < 3 for frame in last])
    assert made.columns["hands"].dtype == np.float32
    assert detector.looks == sum(-(-len(track) // every) for track in tracks)


@pytest.mark.parametrize("wrong", [{"every": 0}, {"around": 0.5}])
def test_settings_that_make_no_sense_are_refused(wrong):
    with pytest.raises(UsageError, match=r"hands\.\w+ must be 1 or more"):
        HandsParams(**wrong)
