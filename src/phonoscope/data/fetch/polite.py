"""Manners: so many films a minute of one host, and a pause, longer each time, when it wants us to stop."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from phonoscope.core.checks import within

LEAST_S = 0.001  # that a wait lasts: a shorter one might not move the clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """How a host is asked."""

    per_minute: float = 6.0  # films of one host; a guest of YouTube's gets some 300 an hour
    burst: int = 3  # films that may follow each other at once after a rest
    at_once: int = 1  # films of one host at the same time
    pause_s: float = 60.0  # when a host wants us to stop; twice as long each time it says so again
    patience: int = 4  # pauses in a row after which the rest of its films wait for another run

    def __post_init__(self) -> None:
        within("fetch.burst", self.burst, 1)
        within("fetch.at_once", self.at_once, 1)
        within("fetch.pause_s", self.pause_s, 0)
        within("fetch.patience", self.patience, 1)
        if not self.per_minute > 0:
            within("fetch.per_minute", self.per_minute, 1e-6)


@dataclass(slots=True)
class Host:
    """One host's bucket of tokens, each worth a film; several threads may draw from it."""

    manners: Manners
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], object] = time.sleep
    stopped: Callable[[], bool] = lambda: False  # nobody is to ask any more
    _tokens: float = field(init=False)
    _filled_at: float = field(init=False)
    _until: float = field(init=False, default=0.0)  # before which nobody asks
    _pauses: int = field(init=False, default=0)  # in a row
    _lock: threading.Lock = field(init=False, default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._tokens, self._filled_at = float(self.manners.burst), self.clock()

    def wait(self) -> bool:
        """Wait until one may ask for a film; False if the host has said too often that it wants none, or all stops."""
        while True:
            with self._lock:
                if self.given_up or self.stopped():
                    return False
                now = self.clock()
                rate = self.manners.per_minute / 60
                self._tokens = min(float(self.manners.burst), self._tokens + (now - self._filled_at) * rate)
                self._filled_at = now
                if now >= self._until and self._tokens >= 1:
                    self._tokens -= 1
                    return True
                due = max(self._until - now, (1 - self._tokens) / rate if self._tokens < 1 else 0.0)
            self.sleep(max(due, LEAST_S))

    @property
    def given_up(self) -> bool:
        """Whether its films wait for another run."""
        return self._pauses >= self.manners.patience

    def blocked(self) -> float:
        """The host wants us to stop: nobody asks it for so many seconds."""
        with self._lock:
            pause_s = self.manners.pause_s * 2**self._pauses
            if self.clock() >= self._until:  # films under way when it said so do not make it worse
                self._pauses += 1
                self._until = self.clock() + pause_s
            return max(0.0, self._until - self.clock())

    def came(self) -> None:
        """A film came: all is well again."""
        with self._lock:
            self._pauses = 0
