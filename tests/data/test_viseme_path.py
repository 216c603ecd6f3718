"""The likeliest path is the one that trying them all finds, and no state is left too soon."""

from itertools import groupby, product

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from phonoscope.data.viseme_path import likeliest


def lengths(path) -> list[tuple[int, int]]:
    return [(int(state), len(list(rows))) for state, rows in groupby(path)]


def allowed(path, hold, at_ends) -> bool:
    parts = lengths(path)
    least = [at_ends if place in (0, len(parts) - 1) else hold for place in range(len(parts))]
    return all(rows >= of[state] for (state, rows), of in zip(parts, least, strict=True))


def worth(path, scores, cost) -> float:
    return sum(scores[row, state] for row, state in enumerate(path)) - cost * (len(lengths(path)) - 1)


@st.composite
def problems(draw, least=1, most=7):
    hold = np.array(draw(st.lists(st.integers(1, 4), min_size=3, max_size=3)))
    at_ends = np.array([draw(st.integers(1, most)) for most in hold.tolist()])
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    return rng.normal(size=(draw(st.integers(least, most)), 3)), hold, at_ends, draw(st.floats(0, 2))


@given(problem=problems())
def test_it_is_the_best_of_all_paths(problem):
    scores, hold, at_ends, cost = problem
    paths = [path for path in product(range(3), repeat=len(scores)) if allowed(path, hold, at_ends)]
    found = likeliest(*problem)
    if len(scores) < at_ends.max():
        assert found.tolist() == [scores.sum(0).argmax()] * len(scores)
    else:
        assert allowed(found, hold, at_ends)
        assert worth(found, scores, cost) >= max(worth(path, scores, cost) for path in paths) - 1e-9


@given(problem=problems(least=20, most=200))
def test_no_state_is_left_too_soon(problem):
    assert allowed(likeliest(*problem), *problem[1:3])


def test_a_path_of_nothing_is_empty():
    assert likeliest(np.zeros((0, 15)), np.full(15, 7), np.full(15, 3), 1.0).shape == (0,)
