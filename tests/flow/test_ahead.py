"""What is made ahead is what would have been made, and nothing of it is left behind."""

import threading
from collections.abc import Generator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonoscope.flow.ahead import ahead

DEPTHS = st.integers(1, 5)


class Counting:
    """Whole numbers, and in which threads they were made and closed."""

    def __init__(self, count: int, broken_at: int | None = None) -> None:
        self.count, self.broken_at = count, broken_at
        self.made, self.threads, self.closed_in = 0, set[int](), list[int]()

    def __call__(self) -> Generator[int, None, None]:
        try:
            for number in range(self.count):
                if number == self.broken_at:
                    raise OSError(f"broken at {number}")
                self.threads.add(threading.get_ident())
                self.made += 1
                yield number
        finally:
            self.closed_in.append(threading.get_ident())


@given(st.integers(0, 20), DEPTHS)
def test_the_same_things_come_in_the_same_order(count: int, depth: int) -> None:
    assert list(ahead(Counting(count)(), depth)) == list(range(count))


@given(st.integers(0, 20), DEPTHS, st.data())
def test_what_goes_wrong_is_raised_where_it_would_have_been(count: int, depth: int, data: st.DataObject) -> None:
    broken_at = data.draw(st.integers(0, count))
    seen = []
    with pytest.raises(OSError, match=f"broken at {broken_at}"):
        seen.extend(ahead(Counting(count + 1, broken_at)(), depth))
    came = []
    with pytest.raises(OSError, match=f"broken at {broken_at}"):
        for number in ahead(Counting(count + 1, broken_at)(), depth):
            came.append(number)  # noqa: PERF402 - what came before it is wanted
    assert came == list(range(broken_at))


@given(st.integers(0, 20), DEPTHS)
def test_it_is_never_further_ahead_than_asked(count: int, depth: int) -> None:
    counting = Counting(count)
    for taken, _ in enumerate(ahead(counting(), depth), 1):
        assert counting.made <= taken + depth


@given(st.integers(1, 20), DEPTHS, st.data())
def test_closed_early_it_closes_what_makes_in_the_thread_that_made(count: int, depth: int, data: st.DataObject) -> None:
    before = threading.active_count()
    counting = Counting(count)
    items = ahead(counting(), depth)
    for _ in range(data.draw(st.integers(1, count))):
        next(items)
    items.close()
    assert threading.active_count() == before
    assert counting.closed_in == [*counting.threads]
    assert counting.closed_in != [threading.get_ident()]


def test_the_next_is_made_while_the_last_is_worked_on() -> None:
    second = threading.Event()

    def two() -> Generator[int, None, None]:
        yield 1
        second.set()
        yield 2

    items = ahead(two(), 1)
    assert next(items) == 1
    assert second.wait(60)  # nobody has asked for it yet
    assert list(items) == [2]


def test_what_fails_while_it_is_closed_says_so() -> None:
    def stubborn() -> Generator[int, None, None]:
        try:
            yield 1
            yield 2
        finally:
            raise RuntimeError("does not close")

    items = ahead(stubborn(), 1)
    next(items)
    with pytest.raises(RuntimeError, match="does not close"):
        items.close()
