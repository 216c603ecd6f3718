"""Landmarks against an independent judge, how still they are, and what they cost.

The judge is dlib, whose weights exclude commercial use and are not fetched for this: they must lie in the cache or the
mirror. The clips lie beside the project; the map has been fitted on them too, so what people left out of the fit get
stands in the output of `bench.landmarks_map`.
"""

import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from statistics import median
from time import process_time

import numpy as np

from bench.table import Row, Table, at_most, spread
from bench.teacher import Teacher
from phonoscope import Store, prepare
from phonoscope.core.faces import Track, Tracks
from phonoscope.core.media import Picture
from phonoscope.flow.streams import Film, drive
from phonoscope.media.video import decode
from phonoscope.models.backends.dlib68 import Dlib68
from phonoscope.models.backends.facemesh import FaceMesh
from phonoscope.models.follow import Follower
from phonoscope.models.registry import load
from phonoscope.models.weights import weights
from phonoscope.steps.landmarks import LandmarksParams, landmarks
from phonoscope.steps.pose import pose
from phonoscope.store.recording import StoredRecording

CLIPS = Path(__file__).resolve().parents[2] / "shared" / "data" / "a_talking_head"
STILL = ("grid_bbaf2n.mpg", "grid_lbax4n.mpg", "grid_lrwp9a.mpg", "grid_sbwe5n.mpg", "may_5s.mp4")
FAST = "hdtf_KatieHill.mp4"
MOST, RUNS = 75, 5  # pictures of a clip; times that it is timed
HARDLY = 0.005  # outer-eye distances: a face that moves less from picture to picture counts as still


def measure() -> list[Table]:
    """How far points are from dlib's, how they tremble where the head hardly moves, and CPU a face and frame."""
    with tempfile.TemporaryDirectory() as folder:
        list(prepare([CLIPS / name for name in (*STILL, FAST)], folder, ("tracks",)).carry_out())
        recordings = [Store(folder)[id] for id in Store(folder)]
        still = [recording for recording in recordings if recording.source.name != FAST]
        (fast,) = (recording for recording in recordings if recording.source.name == FAST)
        return [_still(still), _cost(fast)]


def _shown(recording: StoredRecording) -> tuple[Track, Iterator[Picture]]:
    """The first track of a recording, and its pictures."""
    track = recording.load("tracks").tracks[0]
    return track, islice(decode(recording.source, recording.clock, [track.span]), MOST)


def _still(recordings: list[StoredRecording]) -> Table:
    judge, network = Teacher(weights(Dlib68.card)), load("facemesh")
    errors, ours, theirs = [], [], []
    for recording in recordings:
        track, pictures = _shown(recording)
        follower, rows = Follower(network, track), []
        for picture in pictures:
            shape = follower.see(picture)
            said = judge(picture, network.next(shape))
            nobody = np.full((68, 2), np.nan)
            rows.append([shape.points, *(said or (nobody, nobody))])
        points, plain, mean = np.moveaxis(np.array(rows, np.float64), 1, 0)
        unit = np.nanmedian(np.linalg.norm(mean[:, 45] - mean[:, 36], axis=-1))
        errors.append(np.nanmean(np.linalg.norm(points - mean, axis=-1), axis=0) / unit)
        moved = np.linalg.norm(np.diff(mean[:, 17:48].mean(axis=1), axis=0), axis=-1) / unit
        calm = (moved[1:] < HARDLY) & (moved[:-1] < HARDLY)
        for kept, shown in ((ours, points), (theirs, plain)):
            kept.append(np.linalg.norm(np.diff(shown, n=2, axis=0), axis=-1)[calm][:, :48].mean() / unit)
    inner, whole = (100 * float(np.mean([error[first:].mean() for error in errors])) for first in (17, 0))
    rows = [
        at_most("points 17–67 from dlib's, of the outer-eye distance", inner, 2.0, " %"),
        at_most("all 68 points", whole, 3.0, " %"),
        at_most("trembling ÷ dlib's, points 0–47, where the head hardly moves", np.mean(ours) / np.mean(theirs), 1.0),
        Row("trembling, of the outer-eye distance, and dlib's", f"{np.mean(ours):.3%}, {np.mean(theirs):.3%}"),
    ]
    notes = (
        f"{len(recordings)} people who sit still, up to {MOST} pictures each. dlib is asked fourteen times, with moved "
        "boxes and in a mirror, and its answers averaged; it trembles when asked once. Trembling: mean length of the "
        "second difference of points over time.",
    )
    return Table("Landmarks against dlib", rows, notes)


def _cost(recording: StoredRecording) -> Table:
    track, pictures = _shown(recording)
    shown, network = list(pictures), load("facemesh")
    part = Track(
        track.id, track.start, track.box[: len(shown)], track.score[: len(shown)], track.observed[: len(shown)]
    )
    costs = []
    for _ in range(RUNS):
        began = process_time()
        pose(drive(landmarks(Film(recording.recording), Tracks((part,)), network, LandmarksParams()), shown))
        costs.append(1000 * (process_time() - began) / len(shown))
    rows = [
        at_most("CPU of landmarks and pose, a face and frame", median(costs), 2.5, " ms"),
        Row("least and greatest of the runs", spread(costs, " ms")),
    ]
    notes = (f"One face of 512×512, {len(shown)} decoded pictures, {FaceMesh.card.name}, one thread; {RUNS} runs.",)
    return Table("Cost of landmarks", rows, notes)


if __name__ == "__main__":
    for table in measure():
        table.show()
