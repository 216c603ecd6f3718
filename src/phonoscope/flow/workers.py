"""A process that does one item at a time, and the line to it."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from multiprocessing import get_context, parent_process, resource_tracker
from multiprocessing.connection import Connection
from threading import Thread
from typing import Any

from phonoscope.flow.run import OnProgress, Outcome

Task = Callable[[str, OnProgress], Outcome]
"""What is done with an item, such as `Work`; it can be pickled, and raises nothing."""

READY = "ready"  # what a worker says once it has started
GRACE_S = 2.0  # from the request to stop until the end without mercy
PATIENCE_S = 0.2  # between two messages about the same thing


class Worker:
    """One process at work, as its supervisor sees it.

    It is spawned, not forked, and receives the task once. It does not hear Ctrl-C: its supervisor does, and stops it.
    When its parent dies, however that comes, it dies as well.
    """

    def __init__(self, task: Task) -> None:
        context = get_context("spawn")
        self.line, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(task, theirs), daemon=True)
        self.ready = False  # it has started
        self.gone = False  # it has died, or hung up
        self.item: str | None = None  # what it has in hand
        self.at = ("", "")  # the recording, and what of it was being made, when it last spoke
        self.deadline_s = float("inf")  # on the monotonic clock: when it is to be stopped
        self.late = False  # it was told to stop because its time was up
        resource_tracker.ensure_running()  # starting that together with a worker would unblock SIGINT under our hands
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # inherited: no moment for Ctrl-C to hit
        try:
            self.process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            theirs.close()  # so that the line ends when the worker does

    def give(self, item: str, timeout_s: float) -> bool:
        """Put an item into its hands; whether it was still there to take it."""
        try:
            self.line.send(item)
        except OSError:
            self.gone = True
            return False
        self.item, self.at, self.deadline_s = item, ("", ""), time.monotonic() + timeout_s
        return True

    @property
    def free(self) -> bool:
        """Whether it can be given an item."""
        return self.ready and self.item is None and not self.late

    def rest(self) -> None:
        """Its item is through; if it was told to stop, it still must."""
        self.item = None
        if not self.late:
            self.deadline_s = float("inf")

    def listen(self) -> list[Any]:
        """What it has said since it was last asked: `READY`, progress as tuples, outcomes."""
        self.gone = self.gone or not self.process.is_alive()  # asked first: what a dead worker said is all there now
        heard = []
        try:
            while self.line.poll():
                heard.append(self.line.recv())
        except (EOFError, OSError):
            self.gone = True
        return heard

    def hurry(self) -> None:
        """Its time is up: tell it to stop; the second time, after a while of grace, end it."""
        (self.process.kill if self.late else self.process.terminate)()
        self.late, self.deadline_s = True, time.monotonic() + GRACE_S

    def end(self, until_s: float) -> int:
        """Its exit code once it is over; it has until then to go by itself."""
        self.line.close()
        self.process.join(max(0.0, until_s - time.monotonic()))
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        code = self.process.exitcode or 0
        self.process.close()
        return code


_told_to_leave: list[int] = []  # the exit code, once this worker has been told to stop


def _serve(task: Task, line: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _leave)
    Thread(target=_follow_parent, daemon=True).start()
    tell = _Teller(line)
    line.send(READY)
    for item in _items(line):
        outcome = task(item, tell)
        if _told_to_leave:  # and yet here: whoever called us back from native code may have swallowed SystemExit
            raise SystemExit(_told_to_leave[0])
        line.send(outcome)


def _items(line: Connection) -> Iterator[str]:
    while True:
        try:
            item = line.recv()
        except EOFError:  # the supervisor has hung up: there is nothing more to do
            return
        yield item


def _leave(number: int, _: object) -> None:
    _told_to_leave.append(128 + number)
    raise SystemExit(128 + number)  # not at once: parts of files are taken away on the way out


def _follow_parent() -> None:
    """Die with the parent. Linux's PR_SET_PDEATHSIG would not do: it strikes when a mere thread of the parent ends."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


class _Teller:
    """Passes progress on, a few messages a second; whatever begins is told at once."""

    def __init__(self, line: Connection) -> None:
        self.line, self.about, self.told_s = line, ("", ""), 0.0

    def __call__(self, recording: str, what: str, done: int, total: int) -> None:
        now = time.monotonic()
        if (recording, what) != self.about or now - self.told_s >= PATIENCE_S:
            self.about, self.told_s = (recording, what), now
            self.line.send((recording, what, done, total))
