"""Where recordings are worked on: here, or in processes of this machine; `cluster` has those of many.

Executors move sources and ids, never data; a step cannot tell which one runs it.
"""

import signal
import time
from collections import Counter, deque
from collections.abc import Generator, Iterable
from dataclasses import replace
from multiprocessing.connection import wait
from typing import Protocol

from phonoscope.core.errors import PhonoscopeError
from phonoscope.flow.run import OnProgress, Outcome
from phonoscope.flow.workers import GRACE_S, READY, Task, Worker
from phonoscope.store.ledger import Failure

TRIES = 2  # in all, before a recording that costs us workers is left alone


class Executor(Protocol):
    """Takes every source through the work."""

    def run(self, work: Task, sources: Iterable[str], on_progress: OnProgress) -> Generator[Outcome, None, None]:
        """Outcomes as they come, in any order."""
        ...


class Here:
    """One after the other, in this process. What kills or hangs the process kills or hangs us."""

    def run(self, work: Task, sources: Iterable[str], on_progress: OnProgress) -> Generator[Outcome, None, None]:
        """Outcomes in the order of the sources."""
        for source in sources:
            yield work(source, on_progress)


class Processes:
    """Several at a time, each in a process of its own, under our supervision.

    A worker that dies is replaced, and so is one that takes longer than `timeout_s` over one source. The source is
    tried again after all others, then given up: its outcome is a failure, "crashed" or "timeout".
    """

    def __init__(self, workers: int, timeout_s: float | None = None) -> None:
        self.workers, self.timeout_s = workers, timeout_s

    def run(self, work: Task, sources: Iterable[str], on_progress: OnProgress) -> Generator[Outcome, None, None]:
        """Outcomes as they come. However it ends, no worker is left.

        Raises:
            PhonoscopeError: workers die before they have begun.
        """
        queue, crew = Queue(sources), Crew(work, self.workers, self.timeout_s)
        try:
            while queue.items or crew.busy:
                for said in crew.turn(queue.items, on_progress):
                    yield from queue.settled(said)
        finally:
            crew.stop()


class Queue:
    """What is still to be done, and how often each of it has cost a worker."""

    def __init__(self, items: Iterable[str]) -> None:
        self.items = deque(items)
        self.tries: Counter[str] = Counter()

    def settled(self, said: Outcome | Failure) -> Generator[Outcome, None, None]:
        """An outcome; a failure that cost a worker is one after `TRIES`, until then it is tried after all others."""
        if isinstance(said, Outcome):
            yield said
            return
        self.tries[said.source] += 1
        if self.tries[said.source] < TRIES:
            self.items.append(said.source)
        else:
            failure = replace(said, message=f"{said.message}, in each of {TRIES} tries")
            yield Outcome(source=said.source, recording=said.recording, failure=failure)


class Crew:
    """The workers of one machine."""

    def __init__(self, work: Task, size: int, timeout_s: float | None) -> None:
        self.work, self.size, self.timeout_s = work, size, float("inf") if timeout_s is None else timeout_s
        self.workers: list[Worker] = []
        self.stillborn = 0

    @property
    def busy(self) -> int:
        """How many of them have something in hand."""
        return sum(worker.item is not None for worker in self.workers)

    def turn(self, todo: deque[str], on_progress: OnProgress) -> Generator[Outcome | Failure, None, None]:
        """Fill the ranks, wait until something happens, and see to it: outcomes, and failures that cost a worker."""
        while len(self.workers) < min(self.size, len(todo) + self.busy):
            self.workers.append(Worker(self.work))
        for worker in self.workers:  # every turn: what a dead worker had may fall to one that has long been idle
            if todo and worker.free and worker.give(todo[0], self.timeout_s):
                todo.popleft()
        first_s = min(worker.deadline_s for worker in self.workers) - time.monotonic()
        ends = [end for worker in self.workers for end in (worker.line, worker.process.sentinel)]
        wait(ends, None if first_s == float("inf") else max(0.0, first_s))
        for worker in [*self.workers]:
            for said in worker.listen():
                if said == READY:
                    worker.ready, self.stillborn = True, 0
                elif isinstance(said, Outcome):
                    worker.rest()
                    yield said
                else:
                    worker.at = said[:2]
                    on_progress(*said)
            if worker.gone:
                yield from self._bury(worker)
            elif time.monotonic() >= worker.deadline_s:
                worker.hurry()

    def _bury(self, worker: Worker) -> Generator[Failure, None, None]:
        self.workers.remove(worker)
        code = worker.end(time.monotonic() + GRACE_S)
        self.stillborn += not worker.ready
        if self.stillborn > 2 * self.size:
            said = f"workers die before they have begun, the last one with exit code {code}: see what it has printed"
            raise PhonoscopeError(said)
        if worker.item is not None:
            yield _cost(worker, worker.item, code, self.timeout_s)

    def stop(self) -> None:
        """Idle workers go when the line is closed; those at work are told to stop, and ended if they do not."""
        for worker in self.workers:
            if worker.item is not None or not worker.ready:
                worker.process.terminate()
            else:
                worker.line.close()
        until_s = time.monotonic() + GRACE_S
        while self.workers:
            self.workers.pop().end(until_s)


def _cost(worker: Worker, item: str, code: int, timeout_s: float) -> Failure:
    """Why a worker is gone that had an item in hand."""
    if worker.late:
        reason, how = "timeout", f"took longer than {timeout_s:g} s and was stopped"
    elif code < 0:
        hint = ", as happens when memory runs out" if -code == signal.SIGKILL else ""
        reason, how = "crashed", f"its process was killed by {signal.Signals(-code).name} (signal {-code}{hint})"
    else:
        reason, how = "crashed", f"its process ended with exit code {code}"
    recording, step = worker.at
    return Failure(source=item, recording=recording, step=step or "ingest", reason=reason, message=how)


def check(jobs: int, timeout_s: float | None) -> None:
    """See to it that there is somebody to do the work, and time.

    Raises:
        ValueError: fewer than one job, or no time at all.
    """
    if jobs < 1:
        raise ValueError(f"at least one job is needed, got {jobs}")
    if timeout_s is not None and not timeout_s > 0:
        raise ValueError(f"a timeout is longer than 0 s, got {timeout_s:g}")


def executor(jobs: int, timeout_s: float | None = None, supervised: bool = False) -> Executor:
    """The executor for `-j jobs`. One job with a timeout has a process as well: only that can be stopped.

    Args:
        supervised: give one job a process in any case, so that a film that crashes it stops no other.

    Raises:
        ValueError: fewer than one job, or no time at all.
    """
    check(jobs, timeout_s)
    return Here() if jobs == 1 and timeout_s is None and not supervised else Processes(jobs, timeout_s)
