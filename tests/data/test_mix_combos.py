"""Combinations by number: all of them, each once, and by lot."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phonoscope.data.mix_combos import Combos, by_lot, shared_out

sizes = st.lists(st.integers(0, 4), max_size=5)


def groups_of(counts):
    return [[(group, at) for at in range(count)] for group, count in enumerate(counts)]


@given(sizes, st.integers(1, 4))
def test_every_way_has_one_number(counts, choose):
    groups = groups_of(counts)
    every = {
        frozenset(things) for some in itertools.combinations(groups, choose) for things in itertools.product(*some)
    }
    combos = Combos(groups, choose)
    assert combos.total == len(every)
    assert {frozenset(combos[number]) for number in range(combos.total)} == every
    for number in (-1, combos.total):
        with pytest.raises(IndexError):
            combos[number]


def test_there_may_be_more_than_any_machine_could_list():
    combos = Combos(groups_of([1000] * 1000), 8)
    assert combos.total > 2**64
    taken = [combos[number] for number in by_lot(combos.total, 100, np.random.default_rng(0))]
    assert all(len({group for group, _ in it}) == 8 for it in taken) and len({tuple(it) for it in taken}) == 100


@settings(max_examples=50)
@given(st.integers(0, 300), st.integers(0, 300), st.integers(0, 99))
def test_numbers_by_lot_are_different_and_no_more_than_asked_for(total, count, seed):
    found = by_lot(total, count, np.random.default_rng(seed))
    assert len(found) == len({*found}) == min(total, count) and all(0 <= it < total for it in found)
    assert found == by_lot(total, count, np.random.default_rng(seed))


@given(st.integers(0, 60), st.dictionaries(st.text(max_size=3), st.tuples(st.integers(1, 9), st.integers(0, 40))))
def test_what_one_cannot_take_goes_to_the_others(count, told):
    weights, most = ({name: it[k] for name, it in told.items()} for k in (0, 1))
    given_ = shared_out(count, weights, most)
    assert sum(given_.values()) == min(count, sum(most.values())) and all(given_[it] <= most[it] for it in told)


def test_shares_go_by_weight():
    assert shared_out(100, {"a": 7, "b": 2, "c": 1}, {"a": 999, "b": 999, "c": 999}) == {"a": 70, "b": 20, "c": 10}
    assert shared_out(100, {"a": 7, "b": 2, "c": 1}, {"a": 999, "b": 5, "c": 999})["b"] == 5
