"""What is taken for what, beside scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from phonoscope.metrics.confusion import accuracy, balanced_accuracy, confusion, majority, recalls


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=60))
def test_figures_are_scikit_learns(pairs):
    truth, said = np.array(pairs).T
    counts = confusion(truth, said, 5)
    assert np.array_equal(counts, metrics.confusion_matrix(truth, said, labels=range(5)))
    assert accuracy(counts) == pytest.approx(metrics.accuracy_score(truth, said))
    there = np.unique(truth)
    each = metrics.recall_score(truth, said, labels=there, average=None, zero_division=0)
    np.testing.assert_allclose(recalls(counts)[there], each)
    assert np.isnan(recalls(counts)).sum() == 5 - len(there)
    assert balanced_accuracy(counts) == pytest.approx(np.mean(each))
    assert majority(counts) == pytest.approx(np.bincount(truth).max() / len(truth))


def test_nothing_has_no_figures():
    counts = confusion(np.zeros(0, int), np.zeros(0, int), 3)
    assert np.isnan([accuracy(counts), balanced_accuracy(counts), majority(counts)]).all()


def test_lengths_that_differ_are_refused():
    with pytest.raises(ValueError, match=r"expected two \(N,\), got \(2,\) and \(3,\)"):
        confusion(np.zeros(2, int), np.zeros(3, int), 2)


def test_classes_may_be_bytes():
    every = np.arange(15, dtype=np.int8)
    assert np.array_equal(confusion(every, every, 15), np.eye(15, dtype=int))
