"""Boxes that overlap: which of them to keep."""

import numpy as np

from phonoscope.core.geometry import iou


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
