"""Average precision against the official procedure, against scikit-learn, and against every order of ties."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn import metrics as witness

from phonoscope.metrics import ranking
from phonoscope.metrics.ranking import average_precision, average_precision_bounds

GOLDEN = [1, 0, 1, 1, 0, 0, 1, 0], [0.95, 0.9, 0.8, 0.45, 0.4, 0.3, 0.2, 0.1]


def official(labels, scores):
    """The official procedure, row by row, as it is described: rows by score, cumulative counts, VOC's smoothing."""
    order = sorted(range(len(scores)), key=lambda row: -scores[row])
    positives, found, precision, recall = sum(labels), 0, [0.0], [0.0]
    for k, row in enumerate(order, 1):
        found += labels[row]
        precision.append(found / k)
        recall.append(found / positives)
    precision, recall = [*precision, 0.0], [*recall, 1.0]
    for k in reversed(range(len(precision) - 1)):
        precision[k] = max(precision[k], precision[k + 1])
    return sum((recall[k] - recall[k - 1]) * precision[k] for k in range(1, len(recall)))


any_score, tied = st.floats(-1e6, 1e6), st.integers(-2, 2).map(float)


def tables(least=1, most=40, scores=any_score):
    """Labels and scores of as many rows, at least one of them positive."""
    row = st.tuples(st.integers(0, 1), scores)
    return st.lists(row, min_size=least, max_size=most).filter(lambda rows: any(label for label, _ in rows))


@given(tables())
def test_it_is_the_official_figure(rows):
    labels, scores = zip(*rows, strict=True)
    assert average_precision(labels, scores) == pytest.approx(official(labels, scores), abs=1e-12, rel=0)


@given(tables(scores=tied))
def test_tied_rows_stay_in_their_order(rows):
    labels, scores = zip(*rows, strict=True)
    assert average_precision(labels, scores) == pytest.approx(official(labels, scores), abs=1e-12, rel=0)


@given(tables(most=6, scores=st.integers(0, 2).map(float)))
def test_the_bounds_are_those_of_all_orders_of_ties(rows):
    every = [official(*zip(*order, strict=True)) for order in permutations(rows)]
    labels, scores = zip(*rows, strict=True)
    assert average_precision_bounds(labels, scores) == pytest.approx((min(every), max(every)), abs=1e-12, rel=0)


@given(tables(scores=tied))
def test_the_bounds_hold_ours_and_meet_where_nothing_is_tied(rows):
    labels, scores = zip(*rows, strict=True)
    worst, best = average_precision_bounds(labels, scores)
    assert worst - 1e-12 <= average_precision(labels, scores) <= best + 1e-12
    different = np.arange(len(rows))[::-1]
    assert len(set(average_precision_bounds(labels, different))) == 1


@given(tables(scores=tied), st.floats(0.1, 10), st.floats(-5, 5))
def test_only_the_order_of_scores_counts(rows, scale, shift):
    labels, scores = (np.array(it) for it in zip(*rows, strict=True))
    assert average_precision(labels, np.exp(scores * scale + shift)) == average_precision(labels, scores)


@given(tables(scores=tied))
def test_rows_that_are_sorted_already_give_the_same_to_the_last_bit(rows):
    labels, scores = (np.array(it) for it in zip(*rows, strict=True))
    order = ranking.by_score(scores)
    whole = ranking.average_precision_and_bounds(labels, scores)
    assert ranking.average_precision_and_bounds(labels[order], scores[order]) == whole


@given(tables(scores=tied))
def test_scikit_learn_has_the_same_stepwise_figure_and_roc(rows):
    labels, scores = zip(*rows, strict=True)
    theirs = witness.average_precision_score(labels, scores)
    assert ranking.stepwise_average_precision(labels, scores) == pytest.approx(theirs, abs=1e-12)
    assume(not all(labels))
    assert ranking.roc_auc(labels, scores) == pytest.approx(witness.roc_auc_score(labels, scores), abs=1e-12)


@given(tables(scores=st.integers(0, 1).map(float)))
def test_scikit_learn_has_the_same_f1_and_accuracy(rows):
    labels, predicted = zip(*rows, strict=True)
    assert ranking.f1(labels, predicted) == pytest.approx(witness.f1_score(labels, predicted), abs=1e-12)
    assert ranking.accuracy(labels, predicted) == pytest.approx(witness.accuracy_score(labels, predicted), abs=1e-12)


def test_the_figures_of_the_seeds_come_out():
    assert average_precision(*GOLDEN) == pytest.approx(0.767857, abs=1e-6)
    assert ranking.gated_average_precision(*GOLDEN) == pytest.approx(0.416667, abs=1e-6)
    assert average_precision([1, 0, 1, 0], [0.3] * 4) == pytest.approx(5 / 6)
    assert average_precision([0, 0, 1, 1], [0.3] * 4) == 0.5
    assert average_precision_bounds([1, 0, 1, 0], [0.3] * 4) == (0.5, 1.0)


@given(tables(scores=st.floats(0, 1)))
def test_a_gate_that_lets_all_through_changes_nothing_and_one_that_lets_none_leaves_nothing(rows):
    labels, scores = zip(*rows, strict=True)
    assert ranking.gated_average_precision(labels, scores, -1) == pytest.approx(average_precision(labels, scores))
    assert ranking.gated_average_precision(labels, scores, 1) == 0


def test_f1_is_told_by_person():
    labels, predicted = np.array([1, 0, 1, 1, 0, 0]), np.array([1, 1, 1, 0, 0, 1])
    person = ["Long", "Long", "Bell", "Bell", "Long", "Bell"]
    found = ranking.f1_by_person(labels, predicted, person)
    assert [*found] == ["Long", "Bell"] and found["Long"] == pytest.approx(2 / 3) and found["Bell"] == 0.5


def test_a_float32_score_and_a_bool_label_will_do():
    labels, scores = np.array(GOLDEN[0], bool), np.array(GOLDEN[1], np.float32)
    assert average_precision(labels, scores) == average_precision(*GOLDEN)


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda: average_precision([0, 0], [1, 2]), "none of 2 rows is positive"),
        (lambda: average_precision([], []), "none of 0 rows"),
        (lambda: average_precision_bounds([0], [1]), "none of 1 rows"),
        (lambda: average_precision([1, 0], [np.nan, 2]), "1 of 2 scores are NaN"),
        (lambda: average_precision([1, 0], [1]), "must be as many"),
        (lambda: average_precision([1, 2], [1, 2]), "of AVA's label_id, only 1 is positive"),
        (lambda: ranking.roc_auc([1, 1], [1, 2]), "all 2 rows are positive"),
        (lambda: ranking.f1([0, 0], [0, 0]), "none of 2 rows is positive"),
        (lambda: ranking.f1_by_person([1, 0], [1, 0], ["Bell", "Sick"]), "Sick: F1 is undefined"),
        (lambda: ranking.f1_by_person([1, 0], [1, 0], ["Bell"]), "as many persons"),
        (lambda: ranking.accuracy([], []), "no rows"),
    ],
)
def test_what_is_undefined_is_said_to_be(made, said):
    with pytest.raises(ValueError, match=said):
        made()
