"""Boxes that overlap, and which of them to keep."""

import numpy as np


def iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Intersection over union of every box of `a` (N, 4) xyxy with every box of `b` (M, 4), (N, M) in [0, 1]."""
    shared = intersection(a, b)
    union = areas(a)[:, None] + areas(b)[None] - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def intersection(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Area that every box of `a` (N, 4) xyxy shares with every box of `b` (M, 4), (N, M)."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    return np.clip(high - low, 0, None).prod(axis=2)


def areas(boxes: np.ndarray) -> np.ndarray:
    """Area of each box (N, 4) xyxy, (N,); 0 for a box turned inside out."""
    return np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(axis=1)


def best_first(scores: np.ndarray) -> np.ndarray:
    """Rows from the highest score to the lowest, (N,) int64; rows with equal scores keep their order."""
    return np.argsort(-scores, kind="stable")


def keep_best(boxes: np.ndarray, scores: np.ndarray, max_iou: float) -> np.ndarray:
    """Rows to keep, best score first, such that no two kept boxes overlap by more than `max_iou`, (K,) int64.

    Greedy non-maximum suppression: a box goes when it overlaps a better one that stays.

    Args:
        boxes: (N, 4) xyxy.
        scores: (N,).
    """
    order = best_first(scores)
    overlap = iou(boxes[order], boxes[order]) > max_iou
    stays = np.ones(len(order), bool)
    for row in range(len(order)):
        if stays[row]:
            stays[row + 1 :] &= ~overlap[row, row + 1 :]
    return order[stays]
