"""Landmarks of known heads, for the steps that are made from them."""

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest

from phonoscope.core.faces import TrackArrays, TrackTable
from phonoscope.core.media import Recording
from phonoscope.core.pose import COLUMNS
from phonoscope.testing.puppet import one_head
from phonoscope.testing.puppet.truth import truth_of


@pytest.fixture(scope="session")
def landmarks_of() -> Callable[..., TrackArrays]:
    """Makes landmarks of tracks: id -> points (T, 68, 2), and, if heads are seen in depth, rotations (T, 3, 3)."""

    def make(points: dict[int, np.ndarray], rotations: dict[int, np.ndarray] | None = None) -> TrackArrays:
        ids = sorted(points)
        seen = rotations or {id: np.full((len(points[id]), 3, 3), np.nan) for id in ids}
        rows = np.concatenate([np.zeros((0, 9)), *(seen[id].reshape(-1, 9) for id in ids)]).astype(np.float32)
        empty = np.zeros(0, np.int32)
        track = np.concatenate([empty, *(np.full(len(points[id]), id, np.int32) for id in ids)])
        frame = np.concatenate([empty, *(7 + np.arange(len(points[id]), dtype=np.int32) for id in ids)])
        columns = {name: rows[:, at] for at, name in enumerate(COLUMNS)}
        return TrackArrays({id: points[id].astype(np.float32) for id in ids}, TrackTable(track, frame, columns))

    return make


@pytest.fixture(scope="session")
def drawn() -> np.ndarray:
    """True landmarks (T, 68, 2) px of a drawn head that talks for two seconds and moves a little, T = 50."""
    return truth_of(one_head(2.0)).heads[0].landmarks.astype(np.float64)


@pytest.fixture(scope="session")
def recording() -> Recording:
    """A film at 30000/1001 frames a second."""
    return Recording("film-00000000", "", "", Fraction(30000, 1001), 400, 640, 360, 0, 0, Fraction(0))
