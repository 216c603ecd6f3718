"""What is taken for what: figures of classes."""

import numpy as np


def confusion(truth: np.ndarray, said: np.ndarray, classes: int) -> np.ndarray:
    """How often class i was taken for class j, (classes, classes) int64, from two (N,) of numbers below `classes`.

    Raises:
        ValueError: their lengths differ.
    """
    truth, said = np.asarray(truth, np.int64), np.asarray(said, np.int64)  # a byte would not hold their product
    if truth.shape != said.shape or truth.ndim != 1:
        raise ValueError(f"expected two (N,), got {truth.shape} and {said.shape}")
    return np.bincount(truth * classes + said, minlength=classes * classes).reshape(classes, classes)


def accuracy(counts: np.ndarray) -> float:
    """Share of what was taken for what it is, of `confusion`'s counts; NaN if there is nothing."""
    return float(np.trace(counts) / counts.sum()) if counts.sum() else float("nan")


def recalls(counts: np.ndarray) -> np.ndarray:
    """Share of each class that was taken for what it is, (classes,) float64; NaN of a class that does not occur."""
    there = counts.sum(1)
    return np.where(there > 0, np.diag(counts) / np.maximum(there, 1), np.nan)


def balanced_accuracy(counts: np.ndarray) -> float:
    """Mean recall of the classes that occur; NaN if none does.

    Source: Brodersen et al., "The balanced accuracy and its posterior distribution", ICPR 2010.
    """
    each = recalls(counts)
    return float(np.nanmean(each)) if not np.isnan(each).all() else float("nan")


def majority(counts: np.ndarray) -> float:
    """The accuracy of whoever always says the commonest class; NaN if there is nothing."""
    return float(counts.sum(1).max() / counts.sum()) if counts.sum() else float("nan")
