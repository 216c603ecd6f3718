"""Splits: a speaker is in one set, and stays there whatever else comes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonoscope.core.errors import UsageError
from phonoscope.data.split import SETS, check_disjoint, set_named, split_of

names = st.sets(st.text(min_size=1, max_size=8), min_size=1, max_size=30)
weights = st.tuples(*[st.integers(0, 5)] * 3).filter(any).map(lambda it: dict(zip(SETS, it, strict=True)))


@given(speakers=names, more=names, seed=st.integers(0, 9))
def test_adding_speakers_moves_nobody(speakers, more, seed):
    before = {name: split_of(name, seed=seed) for name in speakers}
    after = {name: split_of(name, seed=seed) for name in speakers | more}
    assert before.items() <= after.items()
    check_disjoint(after.items())


@given(speakers=names, shares=weights, seed=st.integers(0, 9), times=st.integers(2, 7))
def test_shares_are_weights_and_a_set_without_one_stays_empty(speakers, shares, seed, times):
    scaled = {name: times * share for name, share in shares.items()}
    for name in speakers:
        assert shares[split_of(name, shares, seed)] > 0
        assert split_of(name, scaled, seed) == split_of(name, shares, seed)


def test_of_many_speakers_each_set_has_about_its_share():
    found = [split_of(f"speaker {number}", {"training": 0.5, "validation": 0.3, "test": 0.2}) for number in range(5000)]
    assert [round(found.count(name) / 5000, 1) for name in SETS] == [0.5, 0.3, 0.2]


def test_the_seed_decides():
    assert len({tuple(split_of(f"{number}", seed=seed) for number in range(20)) for seed in range(8)}) == 8


def test_the_same_seed_gives_the_same_sets_for_ever():
    said = {"ana": "test", "ben": "training", "eve": "validation", "kofi": "training", "li": "training"}
    assert {name: split_of(name) for name in said} == said


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("train", "training"), ("Training", "training"), ("my_train_set", "training"), ("val", "validation"),
        ("valid", "validation"), ("dev", "validation"), ("devSamples", "validation"), ("test", "test"),
        ("eval", "test"), ("fold1", "fold1"), (" held out ", "held out"),
    ],
)  # fmt: skip
def test_sets_go_by_their_usual_names(theirs, ours):
    assert set_named(theirs) == ours


def test_a_speaker_in_two_sets_is_refused_by_name():
    with pytest.raises(UsageError, match=r"speaker 'ana' is in test and training, and 1 more speakers"):
        check_disjoint([("ana", "training"), ("ben", "test"), ("ana", "test"), ("eve", "x"), ("eve", "y")])


@pytest.mark.parametrize("shares", [{}, {"training": 0}, {"training": 1, "test": -1}])
def test_shares_that_are_none_are_refused(shares):
    with pytest.raises(UsageError, match="shares of sets are 0 or more"):
        split_of("ana", shares)
