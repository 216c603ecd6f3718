"""Hands: how much of each face may be hidden by one."""

from dataclasses import dataclass

import numpy as np

from phonoscope.core.along import Passing, blank_table
from phonoscope.core.checks import within
from phonoscope.core.faces import Tracks, TrackTable
from phonoscope.core.geometry import areas, crop_track, intersection
from phonoscope.core.media import Picture
from phonoscope.flow.step import Apart, step
from phonoscope.flow.streams import Film, Look
from phonoscope.models.protocols import HandDetector


@dataclass(frozen=True, slots=True, kw_only=True)
class HandsParams:
    """Which model looks for hands, how often, and how far around the face."""

    model: str = "auto"  # a hand detector by name; auto: the best whose weights can be had
    every: int = 5  # frames from one look to the next; those between keep what was seen last
    around: float = 3.0  # sides of the face's box, of the square around the face that is looked at

    def __post_init__(self) -> None:
        within("hands.every", self.every, 1)
        within("hands.around", self.around, 1)


@step(version=1, apart=Apart())
def hands(film: Film, tracks: Tracks, detector: HandDetector, p: HandsParams) -> Look[TrackTable]:
    """Column "hands" float32 in [0, 1], a row for every frame of every track, by track, then frame.

    The share of the face's box that lies under the box of a palm, times that palm's score; of several palms the largest
    counts. 0: no hand was found, or none before the face.
    """
    table, first = blank_table(tracks, "hands")
    covered = table.columns["hands"]
    passing, side = Passing(tracks), detector.size
    squares = {track.id: crop_track(track, "tight", expand=p.around - 1, size=side) for track in tracks}
    batch = yield [track.span for track in tracks]
    while batch:
        for picture in batch:
            for track in passing.at(picture.frame):
                at = picture.frame - track.start
                if at % p.every == 0:
                    row = first[track.id] + at
                    share = _share(picture, track.box[at], squares[track.id].matrix[at], detector)
                    covered[row : row + min(p.every, len(track) - at)] = share
        batch = yield
    return table


def _share(picture: Picture, box: np.ndarray, matrix: np.ndarray, detector: HandDetector) -> float:
    """How much of a face's box (4,) is under a palm; `matrix` (2, 3) cuts out what the detector sees."""
    palms, scores = detector(picture.crop_rgb(matrix, (detector.size, detector.size), 0))
    face = (np.asarray(box, np.float64).reshape(2, 2) * matrix[0, 0] + matrix[:, 2]).reshape(1, 4)
    shares = intersection(face, palms)[0] / areas(face)[0] * scores
    return float(shares.max(initial=0))
