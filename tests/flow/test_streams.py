"""One decode serves every step, and each sees what it asked for."""

import threading
from functools import partial
from types import SimpleNamespace

import pytest

from phonoscope.core.time import Span
from phonoscope.flow.streams import LookFailed, drive, look


def pictures(spans):
    return (SimpleNamespace(frame=frame) for span in spans for frame in range(span.start, span.stop))


def collector(spans):
    seen = []
    batch = yield spans
    while batch:
        seen += [picture.frame for picture in batch]
        batch = yield None
    return seen


def test_each_step_sees_its_own_spans_and_the_film_is_decoded_once():
    asked = []

    def decode(spans):
        asked.append(list(spans))
        return pictures(spans)

    seen = look(
        decode, {"a": collector([Span(0, 40)]), "b": collector([Span(30, 50), Span(90, 95)]), "c": collector(None)}
    )
    assert seen.made == {"a": [*range(40)], "b": [*range(30, 50), *range(90, 95)], "c": []}
    assert asked == [[Span(0, 50), Span(90, 95)]]
    assert set(seen.seconds) == {"a", "b", "c"}


def test_nothing_is_decoded_if_nobody_wants_to_look():
    def decode(_):
        raise AssertionError("decoded for nobody")

    assert look(decode, {"a": collector([])}).made == {"a": []}


def test_a_step_that_fails_is_named_and_the_others_are_closed():
    closed = []

    def failing():
        yield [Span(0, 3)]
        raise OSError("no space")

    def patient():
        try:
            while True:
                yield [Span(0, 3)]
        finally:
            closed.append(True)

    with pytest.raises(LookFailed) as failure:
        look(pictures, {"patient": patient(), "failing": failing()})
    assert failure.value.name == "failing" and isinstance(failure.value.__cause__, OSError)
    assert closed == [True]


def test_a_step_that_never_ends_is_refused():
    def endless():
        while True:
            yield [Span(0, 1)]

    with pytest.raises(TypeError, match="goes on after the film is over"):
        look(pictures, {"endless": endless()})


def test_driving_a_step_gives_what_it_makes_or_its_own_error():
    assert drive(collector([Span(1, 3)]), pictures([Span(0, 9)])) == [1, 2]

    def failing():
        yield None
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        drive(failing(), ())


@pytest.mark.parametrize("depth", [0, 1, 3])
def test_film_that_is_decoded_ahead_shows_the_same_and_fails_at_the_same_place(depth):
    def decode(spans, broken_at=999):
        for picture in pictures(spans):
            if picture.frame == broken_at:
                raise OSError("no more of it")
            yield picture

    def noting(spans, seen):
        batch = yield spans
        while batch:
            seen.append([picture.frame for picture in batch])
            batch = yield None
        return seen

    spans, threads = [Span(2, 9), Span(20, 61)], threading.active_count()
    frames = [*range(2, 9), *range(20, 61)]
    batches = [frames[at : at + 16] for at in range(0, len(frames), 16)]
    assert look(decode, {"it": noting(spans, [])}, depth=depth).made["it"] == batches
    seen = []
    with pytest.raises(OSError, match="no more of it"):
        look(partial(decode, broken_at=40), {"it": noting(spans, seen)}, depth=depth)
    assert seen == batches[:1]  # that which 40 stands in never comes
    assert threading.active_count() == threads


def test_a_step_that_fails_ends_what_was_decoded_ahead():
    closed = []

    def decode(spans):
        try:
            yield from pictures(spans)
        finally:
            closed.append(threading.current_thread())

    def failing():
        yield [Span(0, 99)]
        raise KeyError("mine")

    threads = threading.active_count()
    with pytest.raises(LookFailed):
        look(decode, {"it": failing()}, depth=2)
    assert len(closed) == 1 and closed[0] is not threading.current_thread()
    assert threading.active_count() == threads
