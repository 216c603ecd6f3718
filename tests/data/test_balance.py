"""Balancing: classes and small faces go, shares stay, all of it by a seed and counted."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonoscope.core.errors import UsageError
from phonoscope.data.balance import BalanceParams, balance

CLASSES = ("speaking", "not speaking", "not audible")
examples = st.lists(st.tuples(st.sampled_from(CLASSES), st.integers(1, 300)), max_size=60)
settings_ = st.builds(
    BalanceParams,
    drop=st.sets(st.sampled_from(CLASSES), max_size=2).map(tuple),
    min_face=st.sampled_from([0, 0.25, 100]),
    equal=st.booleans(),
    keep_ratio=st.sampled_from([1, 0.5, 0.1, 0]),
)


def columns(given_):
    return np.array([name for name, _ in given_], object), np.array([size for _, size in given_], np.float64)


@given(given_=examples, p=settings_, seed=st.integers(0, 5))
def test_every_example_is_kept_or_counted_as_dropped(given_, p, seed):
    classes, sizes = columns(given_)
    kept, stages = balance(classes, p, np.random.default_rng(seed), sizes, 400)
    assert len(set(kept.tolist())) == len(kept) and (np.diff(kept) > 0).all()
    before = len(given_)
    for stage in stages:
        assert before - stage.dropped == sum(stage.left.values())
        before = sum(stage.left.values())
    assert before == len(kept)
    assert {name: int((classes[kept] == name).sum()) for name in set(classes[kept])} == stages[-1].left


@given(given_=examples, p=settings_, seed=st.integers(0, 5))
def test_what_is_kept_fulfils_what_was_asked_and_the_same_seed_keeps_the_same(given_, p, seed):
    classes, sizes = columns(given_)
    kept, stages = balance(classes, p, np.random.default_rng(seed), sizes, 400)
    assert not set(classes[kept]) & set(p.drop)
    assert (sizes[kept] >= (100 if p.min_face else 0)).all()  # a quarter of 400 px is 100 px
    if p.equal:
        smallest = min(stages[-2].left.values(), default=0)
        each = max(round(smallest * p.keep_ratio), int(p.keep_ratio > 0))
        assert stages[-1].left == {name: each for name in stages[-2].left if each}
    again, _ = balance(classes, p, np.random.default_rng(seed), sizes, 400)
    assert kept.tolist() == again.tolist()


def test_another_seed_keeps_others():
    classes = np.array(["a", "b"] * 50)
    kept = [balance(classes, BalanceParams(keep_ratio=0.5), np.random.default_rng(seed))[0] for seed in (0, 1)]
    assert len(kept[0]) == len(kept[1]) == 50 and kept[0].tolist() != kept[1].tolist()


def test_the_stages_are_told_as_they_were_asked():
    classes, sizes = np.array(["a", "a", "a", "b", "c"]), np.array([50, 120, 130, 140, 150])
    p = BalanceParams(drop=("c",), min_face=100, equal=True)
    kept, stages = balance(classes, p, np.random.default_rng(0), sizes)
    assert [(it.condition, it.dropped) for it in stages] == [
        ("all", 0), ("not c", 1), ("face of 100 px", 1), ("1 of the smallest class of each", 1),
    ]  # fmt: skip
    assert classes[kept].tolist() == ["a", "b"]


def test_what_makes_no_sense_is_refused():
    with pytest.raises(UsageError, match="keep_ratio must be from 0 to 1, got 2"):
        BalanceParams(keep_ratio=2)
    with pytest.raises(ValueError, match="needs the sizes"):
        balance(np.array(["a"]), BalanceParams(min_face=10), np.random.default_rng(0))
