"""Film in portions: the same numbers however it comes, and however many look at it."""

import weakref

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phonoscope.models.face_encoders import (
    PORTION,
    Block,
    Encoder,
    along_time,
    encoder,
    greatest,
    per_deviation,
    pixels,
)
from phonoscope.models.graphs import Graph

BLOCK = Block("only", 2, 56, reach=3, first_reach=2)


def made(threads: int) -> Encoder:
    """A network of one block, which looks three frames around."""
    graph, generator = Graph(), np.random.default_rng(0)
    stem, first, second = (
        generator.normal(0, 1, shape).astype(np.float32) for shape in ((2, 1, 5, 5), (2, 2, 5, 1), (2, 2, 3, 1))
    )
    value = graph.convolve(pixels(graph), per_deviation(stem), np.zeros(2, np.float32), stride=(2, 2))
    value = along_time(graph, value, BLOCK)
    value = graph.convolve(value, first, np.ones(2, np.float32), reach=(0, 0))
    value = graph.convolve(value, second, np.ones(2, np.float32), reach=(1, 0))
    graph.output("seen", ["T'", 2], greatest(graph, value, BLOCK))
    return encoder(graph, [BLOCK], threads)


ALONE, SIDE_BY_SIDE = made(1), made(2)
FACES = np.random.default_rng(1).integers(0, 256, (3 * PORTION + 5, 112, 112), np.uint8)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, len(FACES)), st.sets(st.integers(0, len(FACES)), max_size=5), st.sampled_from([1, 2]))
def test_film_that_comes_in_parts_gives_the_bytes_of_the_whole(frames: int, cuts: set[int], threads: int) -> None:
    encode = {1: ALONE, 2: SIDE_BY_SIDE}[threads]
    encoding = encode.begin()
    for some in np.split(FACES[:frames], sorted(cuts)):
        encoding.see(some)
    seen = encoding.end()
    assert seen.shape == (frames, 2)
    assert seen.tobytes() == ALONE(FACES[:frames]).tobytes()


@given(st.lists(st.integers(0, 1), min_size=1, max_size=20))
@settings(max_examples=10, deadline=None)
def test_films_that_are_looked_at_at_once_do_not_meet(turns: list[int]) -> None:
    films, encodings = (FACES[:50], FACES[50:]), (SIDE_BY_SIDE.begin(), SIDE_BY_SIDE.begin())
    at = [0, 0]
    for turn in turns:
        encodings[turn].see(films[turn][at[turn] : at[turn] + 7])
        at[turn] += 7
    for film, encoding, begun in zip(films, encodings, at, strict=True):
        encoding.see(film[begun:])
        assert encoding.end().tobytes() == ALONE(film).tobytes()


def test_no_more_than_a_portion_is_held() -> None:
    encoding, held = ALONE.begin(), []
    for face in FACES:
        one = face[None].copy()
        held.append(weakref.ref(one))
        encoding.see(one)
        del one
        assert sum(it() is not None for it in held) <= PORTION


def test_what_goes_wrong_in_a_thread_is_raised_where_it_is_waited_for() -> None:
    encoding = SIDE_BY_SIDE.begin()
    encoding.see(np.zeros((PORTION + 1, 99, 99), np.uint8))
    with pytest.raises(Exception, match="99"):
        encoding.end()
