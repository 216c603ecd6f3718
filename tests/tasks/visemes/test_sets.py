"""Whoever is tested is not learnt from."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonoscope.core.errors import UsageError
from phonoscope.tasks.visemes.frames import Frames
from phonoscope.tasks.visemes.sets import parted


def frames_of(utterance, speakers=(), classes=None):
    count = len(utterance)
    names = tuple(str(it) for it in range(max(utterance) + 1))
    kinds = np.arange(count) % 2 if classes is None else np.array(classes)
    return Frames(np.zeros((count, 13)), kinds, np.array(utterance), ("aa", "ou"), names, names, tuple(speakers))


@given(data=st.data(), seed=st.integers(0, 1000), many=st.integers(3, 12))
def test_sets_are_whole_and_share_nobody(data, seed, many):
    sizes = data.draw(st.lists(st.integers(20, 60), min_size=many, max_size=many))
    utterance = np.random.default_rng(seed).permutation(np.repeat(np.arange(many), sizes))
    speakers = [f"p{it % 3}" for it in range(many)] if many > 5 and seed % 2 else ()
    frames = frames_of(utterance, speakers)
    try:
        sets = parted(frames, "disjoint", seed)
    except UsageError as error:
        assert "all frames of" in str(error)
        return
    assert np.array_equal(np.sort(np.concatenate(list(sets.values()))), np.arange(len(utterance)))
    said = [set(utterance[rows].tolist()) for rows in sets.values()]
    assert all(said) and not (said[0] & said[1] or said[0] & said[2] or said[1] & said[2])
    if speakers:
        learnt, _, tested = ({speakers[it] for it in each} for each in said)
        assert not learnt & tested
    assert {name: rows.tolist() for name, rows in parted(frames, "disjoint", seed).items()} == {
        name: rows.tolist() for name, rows in sets.items()
    }


def test_about_a_fifth_is_tested():
    frames = frames_of(np.repeat(np.arange(100), 20))
    for seed in range(5):
        sizes = {name: len(rows) / 2000 for name, rows in parted(frames, "disjoint", seed).items()}
        assert sizes == pytest.approx({"training": 0.7, "validation": 0.1, "test": 0.2}, abs=0.02)


def test_the_seeds_split_is_of_rows_four_to_one():
    frames = frames_of(np.repeat(np.arange(10), 20))
    sets = parted(frames, "row", 0)
    assert [len(sets[name]) for name in ("training", "validation", "test")] == [140, 20, 40]
    assert sets["test"].tolist() == list(range(160, 200)), "the last fifth of what lies in the order of chance"


def test_what_cannot_be_parted_is_told():
    with pytest.raises(UsageError, match=r"there is one utterance only, and nobody else to test on: .* --split row"):
        parted(frames_of([0] * 10), "disjoint", 0)
    with pytest.raises(UsageError, match="there is one speaker only"):
        parted(frames_of([0, 1] * 5, ["ana", "ana"]), "disjoint", 0)
    with pytest.raises(UsageError, match=r"with utterances kept apart there must be another one"):
        parted(frames_of([0, 1] * 5), "disjoint", 0)
    with pytest.raises(UsageError, match=r"all frames of (aa|ou) are of those who are tested"):
        parted(frames_of([0] * 9 + [1] * 9 + [2] * 9, classes=[0] * 9 + [1] * 18), "disjoint", 2)
    assert len(parted(frames_of([0] * 10), "row", 0)["test"]) == 2
