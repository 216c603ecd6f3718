"""Shots: runs of frames filmed without a cut."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Literal

import numpy as np

from phonoscope.core.change import change, small_hsv, small_size
from phonoscope.core.checks import within
from phonoscope.core.faces import Shots
from phonoscope.core.time import Span
from phonoscope.flow.step import step
from phonoscope.flow.streams import Film, Look


@dataclass(frozen=True, slots=True, kw_only=True)
class ShotsParams:
    """When a change of picture is a cut."""

    rule: Literal["content", "adaptive", "both"] = "both"  # a change by itself, against those around it, or either
    content: float = 27.0  # mean change of hue, saturation and value that is a cut by itself
    adaptive: float = 3.0  # times the mean change around it that makes a change a cut
    adaptive_floor: float = 15.0  # mean change below which the adaptive rule sees no cut
    adaptive_window: int = 2  # frames on either side that the adaptive rule compares with
    fade: float = 12.0  # mean level (0-255) below which a picture is black; 0: fades are no cuts
    min_len: int = 5  # frames between two cuts; closer ones are merged

    def __post_init__(self) -> None:
        for name in ("content", "adaptive", "adaptive_floor", "min_len"):
            within(f"shots.{name}", getattr(self, name), 0)
        within("shots.fade", self.fade, 0, 255)
        within("shots.adaptive_window", self.adaptive_window, 1)


@step(version=1)
def shots(film: Film, p: ShotsParams) -> Look[Shots]:
    """Where the film was cut or faded; the shots tile the recording.

    Source: the content, adaptive and threshold rules of PySceneDetect (Castellano, BSD-3), restated.
    """
    size = small_size(film.recording)
    before, changes, levels = None, [], []
    batch = yield film.whole
    while batch:
        for picture in batch:
            now = small_hsv(picture, size)
            changes.append(0.0 if before is None else change(before, now))
            levels.append(float(picture.bgr(size).mean()))
            before = now
        batch = yield None
    return shots_from(np.array(changes), np.array(levels), film.recording.fps, p)


def shots_from(changes: np.ndarray, levels: np.ndarray, fps: Fraction, p: ShotsParams) -> Shots:
    """The shots of a film whose pictures change by `changes` (T,) and are `levels` (T,) bright."""
    rules = {"content": [content_cuts], "adaptive": [adaptive_cuts], "both": [content_cuts, adaptive_cuts]}[p.rule]
    cuts: list[int] = []
    for found in (rule(changes, p) for rule in rules):
        cuts += [cut for cut in found if all(abs(cut - other) > p.min_len for other in cuts)]  # one cut, seen twice
    for out, middle, back in _fades(levels, p):
        if not any(out <= cut <= back for cut in cuts):  # else the film was cut into black, or out of it
            cuts.append(middle)
    edges = [0, *sorted(cut for cut in cuts if 0 < cut <= len(changes) - max(1, p.min_len)), len(changes)]
    return Shots(tuple(Span(a, b) for a, b in pairwise(edges)), fps)


def content_cuts(changes: np.ndarray, p: ShotsParams) -> list[int]:
    """Frames that differ enough from the one before. Cuts closer than `min_len` are merged into the last of them."""
    above = np.flatnonzero(changes >= p.content)
    if p.min_len <= 0:
        return [int(frame) for frame in above]
    return list(_merged((int(frame) for frame in above), len(changes), p.min_len))


def _merged(above: Iterable[int], stop: int, min_len: int) -> Iterable[int]:
    last, began, cut_before = 0, None, False
    for frame in above:
        if began is not None and last - began >= min_len and frame - last > min_len:
            yield last  # a run of merged cuts ended `min_len` quiet frames ago
            began = None
        if began is None and frame - last >= min_len:
            cut_before = True
            yield frame
        elif began is None and cut_before:
            began = frame
        last = frame
    if began is not None and last - began >= min_len and stop - 1 - last >= min_len:
        yield last


def adaptive_cuts(changes: np.ndarray, p: ShotsParams) -> list[int]:
    """Frames that change several times more than those around them."""
    window = p.adaptive_window
    if len(changes) < 2 * window + 1:
        return []
    around = np.lib.stride_tricks.sliding_window_view(changes, 2 * window + 1)
    here = around[:, window]
    mean = (around.sum(1) - here) / (2 * window)
    still = mean < 1e-5
    ratio = np.where(still, 255.0, np.minimum(here / np.where(still, 1.0, mean), 255.0))
    found, last = [], 0
    for frame in np.flatnonzero((ratio >= p.adaptive) & (here >= p.adaptive_floor)) + window:
        if frame - last >= p.min_len:
            found.append(int(frame))
            last = frame
    return found


def fade_cuts(levels: np.ndarray, p: ShotsParams) -> list[int]:
    """The middle of each black stretch that the film fades or cuts to and comes back from."""
    return [middle for _, middle, _ in _fades(levels, p)]


def _fades(levels: np.ndarray, p: ShotsParams) -> list[tuple[int, int, int]]:
    """First frame, middle, and first frame after each black stretch; its end is `min_len` after the one before."""
    black = np.concatenate([[False], levels < int(p.fade), [False]])
    edges = np.flatnonzero(np.diff(black.astype(np.int8))).reshape(-1, 2)
    found: list[tuple[int, int, int]] = []
    for out, back in edges.tolist():
        if back < len(levels) and back - (found[-1][2] if found else 0) >= p.min_len:
            found.append((out, out + round((back - out) / 2), back))
    return found
