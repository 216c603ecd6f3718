from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from phonoscope.data.fetch.polite import Host, Manners


@dataclass
class Time:
    """A clock that goes on only while somebody sleeps."""

    now: float = 0.0

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds


def host(manners: Manners) -> tuple[Host, Time]:
    time = Time()
    return Host(manners, clock=lambda: time.now, sleep=time.sleep), time


@given(st.floats(0.5, 600), st.integers(1, 20), st.integers(1, 60))
def test_no_more_than_the_bucket_holds_and_what_flows_in(per_minute: float, burst: int, films: int) -> None:
    asked, time = host(Manners(per_minute=per_minute, burst=burst))
    assert all(asked.wait() for _ in range(films))
    due = max(0, films - burst) * 60 / per_minute
    assert due - 1e-6 <= time.now <= due + 0.001 * films + 1e-6 * due


def test_each_pause_is_twice_as_long_until_patience_ends() -> None:
    asked, time = host(Manners(per_minute=6000, burst=99, pause_s=60, patience=4))
    pauses = []
    while asked.wait():
        before = time.now
        asked.blocked()
        asked.blocked()  # a second film that was under way says the same: no worse
        if asked.wait():
            pauses.append(time.now - before)
    assert pauses == [60, 120, 240] and asked.given_up


def test_a_film_that_comes_makes_all_well() -> None:
    asked, time = host(Manners(per_minute=6000, burst=99, pause_s=60, patience=2))
    for _ in range(5):
        assert asked.wait()
        asked.blocked()
        assert asked.wait()
        asked.came()
    assert time.now == 5 * 60
