"""One decode serves every step, and each sees what it asked for."""

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
