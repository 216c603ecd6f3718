"""How well scores tell who speaks: AVA's average precision, its bracket, and where it comes from."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from phonoscope.core.errors import UsageError
from phonoscope.corpora.ava import AvaRows
from phonoscope.metrics.ranking import average_precision_and_bounds, by_score, f1, f1_by_person
from phonoscope.tasks.asd.matching import Matched, match

SMALL_PX, LARGE_PX = 64, 128  # of a face's width, where AVA's paper parts them


@dataclass(frozen=True, slots=True)
class Part:
    """Some of the rows; None where no row is positive, so that there is no average precision."""

    rows: int
    positives: int
    average_precision: float | None
    average_precision_worst: float | None
    average_precision_best: float | None


@dataclass(frozen=True, slots=True)
class AtThreshold:
    """What comes of it if scores above a threshold count as speaking."""

    threshold: float
    f1: float  # of all rows
    f1_by_person: float  # the mean of each face's own, as the Columbia set is reported
    persons: int  # faces that speak, or were taken for it: only they have an F1


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What scores reach on a table of truth; fractions, not percent."""

    average_precision: float  # rows of equal score in order of video, entity and time
    average_precision_worst: float  # the least that any order of rows with equal scores could give
    average_precision_best: float  # the greatest
    counts: Mapping[str, int]  # rows, positives, entities, videos; if lenient: nearest, lowest, passed_over
    breakdowns: Mapping[str, Mapping[str, Part]]  # of what, then which rows
    at_threshold: AtThreshold | None = None  # if one was given


def evaluate(
    truth: AvaRows,
    scores: AvaRows,
    strict: bool = True,
    sizes: Mapping[str, tuple[int, int]] | None = None,
    threshold: float | None = None,
) -> Evaluation:
    """Average precision of `scores` over all faces of all videos together, as the AVA-ActiveSpeaker challenge has it.

    Only SPEAKING_AUDIBLE is positive. No row's place in its file matters. Broken down by `faces_in_frame` (1, 2, 3+),
    and by size of face: with `sizes` `face_width_px`, as AVA's paper has it (small under 64 px, medium, large over
    128), else `face_height`, a third of the rows each by the box's share of the picture's height.

    Args:
        strict: refuse what the official procedure refuses; else see `match` for what is done instead.
        sizes: width and height of each video, px.
        threshold: on the scores; what lies above it counts as speaking.

    Raises:
        UsageError: what `match` refuses; no row of the truth is positive; or `sizes` lacks a video.

    Source: Roth et al., "AVA-ActiveSpeaker: An Audio-Visual Dataset for Active Speaker Detection", ICASSP 2020.
    """
    matched = match(truth, scores, strict)
    if not truth.speaking.any():
        raise UsageError(f"none of the {len(truth)} rows of the truth is SPEAKING_AUDIBLE: there is no precision")
    order = truth.order[by_score(matched.score[truth.order])]
    speaking, score = truth.speaking[order], matched.score[order]
    groups = {"faces_in_frame": _faces_in_frame(truth)}
    groups |= {"face_width_px": _widths(truth, sizes)} if sizes is not None else {"face_height": _thirds(truth)}
    breakdowns = {}
    for what, (names, group) in groups.items():
        ranked = group[order]
        parts = {name: np.flatnonzero(ranked == code) for code, name in enumerate(names)}
        breakdowns[what] = {name: _part(speaking[rows], score[rows]) for name, rows in parts.items()}
    at = None if threshold is None else _at(truth, matched.score, threshold)
    return Evaluation(*average_precision_and_bounds(speaking, score), _counts(truth, matched, strict), breakdowns, at)


def read_sizes(path: Path | str) -> dict[str, tuple[int, int]]:
    """Width and height of each video, px, from a csv: video, width, height; a first line that names them may be there.

    Raises:
        UsageError: the file cannot be read, or a line is something else.
    """
    sizes: dict[str, tuple[int, int]] = {}
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read sizes of videos from '{path}': {error}") from None
    for number, line in enumerate(lines, 1):
        cells = [cell.strip() for cell in line.split(",")]
        if cells == [""] or (number == 1 and cells[1:] == ["width", "height"]):
            continue
        if len(cells) != 3 or not all(cell.isdecimal() and int(cell) for cell in cells[1:]):
            raise UsageError(f"'{path}', line {number}: expected video,width,height in px, got '{line}'")
        sizes[cells[0]] = int(cells[1]), int(cells[2])
    return sizes


def _at(truth: AvaRows, score: np.ndarray, threshold: float) -> AtThreshold:
    taken = score > threshold
    counts = np.bincount(truth.entity, truth.speaking | taken, len(truth.entities)) > 0
    rows = counts[truth.entity]
    person = np.asarray(truth.entities, dtype=object)[truth.entity[rows]]
    each = f1_by_person(truth.speaking[rows], taken[rows], person)
    return AtThreshold(threshold, f1(truth.speaking, taken), float(np.mean([*each.values()])), len(each))


def _part(speaking: np.ndarray, score: np.ndarray) -> Part:
    positives = int(speaking.sum())
    if not positives:
        return Part(len(speaking), 0, None, None, None)
    return Part(len(speaking), positives, *average_precision_and_bounds(speaking, score))


def _counts(truth: AvaRows, matched: Matched, strict: bool) -> dict[str, int]:
    counts = {
        "rows": len(truth),
        "positives": int(truth.speaking.sum()),
        "entities": truth.num_faces,
        "videos": int(np.count_nonzero(np.bincount(truth.video))),
    }
    if strict:
        return counts
    return counts | {"nearest": matched.nearest, "lowest": matched.lowest, "passed_over": matched.passed_over}


def _faces_in_frame(truth: AvaRows) -> tuple[tuple[str, ...], np.ndarray]:
    """One, two, or more faces in the picture of each row: names, and the number of each row's, (N,) int8."""
    import pyarrow as pa

    tick = truth.tick
    picture = truth.video.astype(np.int64) * (int(tick.max()) + 1) + tick
    number = pa.array(picture).dictionary_encode().indices.to_numpy()  # faster than np.unique: it does not sort
    return ("1", "2", "3+"), (np.bincount(number).clip(max=3) - 1).astype(np.int8)[number]


def _widths(truth: AvaRows, sizes: Mapping[str, tuple[int, int]]) -> tuple[tuple[str, ...], np.ndarray]:
    """Small, medium or large, by how many pixels each face is wide: names, and the number of each row's, (N,) int8."""
    if lacking := [name for name in truth.videos if name not in sizes]:
        raise UsageError(f"the size of '{lacking[0]}' is not given; {len(sizes)} videos have one")
    across = np.array([sizes[name][0] for name in truth.videos])[truth.video]
    width_px = (truth.box[:, 2] - truth.box[:, 0]) * across
    return ("small", "medium", "large"), (width_px >= SMALL_PX).astype(np.int8) + (width_px > LARGE_PX)


def _thirds(truth: AvaRows) -> tuple[tuple[str, ...], np.ndarray]:
    """Which third of the rows each belongs to, by its box's height: names, and the number of each row's, (N,) int8."""
    height = truth.box[:, 3] - truth.box[:, 1]
    edges = np.quantile(height, (1 / 3, 2 / 3))
    names = ("smallest_third", "middle_third", "largest_third")
    return names, (height > edges[0]).astype(np.int8) + (height > edges[1])
