"""Fewer and better balanced examples: classes dropped, small faces dropped, a share kept, classes made equal."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from phonoscope.core.checks import within


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceParams:
    """What is kept of examples of whatever kind: windows, clips, annotations."""

    drop: tuple[str, ...] = ()  # classes of which none are kept
    min_face: float = 0.0  # px, longer side of the face; below 1 as a share of the picture's height
    equal: bool = False  # as many of each class as of the smallest
    keep_ratio: float = 1.0  # share of what is left that is kept, of each class if they are made equal

    def __post_init__(self) -> None:
        within("min_face", self.min_face, 0)
        within("keep_ratio", self.keep_ratio, 0, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What one condition leaves."""

    condition: str
    left: Mapping[str, int]  # class -> examples
    dropped: int


def balance(
    classes: np.ndarray,
    p: BalanceParams,
    rng: np.random.Generator,
    size_px: np.ndarray | None = None,
    height_px: np.ndarray | float = np.nan,
) -> tuple[np.ndarray, tuple[Kept, ...]]:
    """Which of N examples are kept, (M,) int64 in their order, and what each condition leaves.

    At least one of a class stays of those that a share is kept of.

    Args:
        classes: (N,) names.
        size_px: (N,) longer side of each face; needed for `min_face`.
        height_px: (N,) or one, of the pictures; needed for a share of it.

    Raises:
        ValueError: faces are to be measured, and their sizes are not given.
    """
    kept = np.arange(len(classes))
    stages = [_stage("all", classes, kept, len(kept))]

    def leave(condition: str, rows: np.ndarray) -> None:
        nonlocal kept
        stages.append(_stage(condition, classes, rows, len(kept)))
        kept = rows

    if p.drop:
        leave(f"not {', '.join(p.drop)}", kept[~np.isin(classes[kept], p.drop)])
    if p.min_face:
        if size_px is None:
            raise ValueError("min_face needs the sizes of the faces")
        least = p.min_face * height_px if p.min_face < 1 else np.full(len(classes), p.min_face)
        meant = f"{p.min_face:.0%} of the picture's height" if p.min_face < 1 else f"{p.min_face:g} px"
        leave(f"face of {meant}", kept[(size_px >= least)[kept]])
    if p.equal:
        names, counts = np.unique(classes[kept], return_counts=True)
        most = _share(counts.min(), p.keep_ratio) if len(counts) else 0
        parts = [_some(kept[classes[kept] == name], most, rng) for name in names]
        leave(f"{p.keep_ratio:g} of the smallest class of each", np.sort(np.concatenate([kept[:0], *parts])))
    elif p.keep_ratio < 1:
        leave(f"{p.keep_ratio:g} of them", _some(kept, _share(len(kept), p.keep_ratio), rng))
    return kept, tuple(stages)


def _share(count: int, ratio: float) -> int:
    return max(round(int(count) * ratio), int(count > 0 and ratio > 0))


def _some(rows: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    return np.sort(rng.choice(rows, count, replace=False)) if count < len(rows) else rows


def _stage(condition: str, classes: np.ndarray, rows: np.ndarray, before: int) -> Kept:
    left = Counter(classes[rows].tolist())
    return Kept(condition=condition, left=dict(sorted(left.items())), dropped=before - len(rows))
