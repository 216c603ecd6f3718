"""Where recordings are worked on: here, or in processes of this machine.

Executors move sources and ids, never data; a step cannot tell which one runs it.
"""

import signal
import time
from collections import Counter, deque
from collections.abc import Generator, Iterable
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
        self.workers, self.timeout_s = workers, float("inf") if timeout_s is None else timeout_s

    def run(self, work: Task, sources: Iterable[str], on_progress: OnProgress) -> Generator[Outcome, None, None]:
        """Outcomes as they come. However it ends, no worker is left.

        Raises:
            PhonoscopeError: workers die before they have begun.
        """
        crew = _Crew(work, sources, self.workers, self.timeout_s)
        try:
            while crew.busy:
                yield from crew.turn(on_progress)
        finally:
            crew.stop()


class _Crew:
    """The workers, and what is still to be done."""

    def __init__(self, work: Task, sources: Iterable[str], size: int, timeout_s: float) -> None:
        self.work, self.todo, self.size, self.timeout_s = work, deque(sources), size, timeout_s
        self.workers: list[Worker] = []
        self.tries: Counter[str] = Counter()
        self.stillborn = 0

    @property
    def busy(self) -> int:
        """How many sources are not through."""
        return len(self.todo) + sum(worker.item is not None for worker in self.workers)

    def turn(self, on_progress: OnProgress) -> Generator[Outcome, None, None]:
        """Fill the ranks, wait until something happens, and see to it."""
        while len(self.workers) < min(self.size, self.busy):
            self.workers.append(Worker(self.work))
        for worker in self.workers:  # every turn: what a dead worker had may fall to one that has long been idle
            if self.todo and worker.free and worker.give(self.todo[0], self.timeout_s):
                self.todo.popleft()
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

    def _bury(self, worker: Worker) -> Generator[Outcome, None, None]:
        self.workers.remove(worker)
        code = worker.end(time.monotonic() + GRACE_S)
        self.stillborn += not worker.ready
        if self.stillborn > 2 * self.size:
            raise PhonoscopeError(f"workers die before they have begun, the last one with exit code {code}: see above")
        if worker.item is None:
            return
        self.tries[worker.item] += 1
        if self.tries[worker.item] < TRIES:
            self.todo.append(worker.item)
        else:
            yield _given_up(worker, worker.item, code, self.timeout_s)

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


def _given_up(worker: Worker, item: str, code: int, timeout_s: float) -> Outcome:
    if worker.late:
        reason, how = "timeout", f"took longer than {timeout_s:g} s and was stopped"
    elif code < 0:
        hint = ", as happens when memory runs out" if -code == signal.SIGKILL else ""
        reason, how = "crashed", f"its process was killed by {signal.Signals(-code).name} (signal {-code}{hint})"
    else:
        reason, how = "crashed", f"its process ended with exit code {code}"
    recording, step = worker.at
    said = f"{how}, in each of {TRIES} tries"
    failure = Failure(source=item, recording=recording, step=step or "ingest", reason=reason, message=said)
    return Outcome(source=item, recording=recording, failure=failure)


def executor(jobs: int, timeout_s: float | None = None, supervised: bool = False) -> Executor:
    """The executor for `-j jobs`. One job with a timeout has a process as well: only that can be stopped.

    Args:
        supervised: give one job a process in any case, so that a film that crashes it stops no other.

    Raises:
        ValueError: fewer than one job, or no time at all.
    """
    if jobs < 1:
        raise ValueError(f"at least one job is needed, got {jobs}")
    if timeout_s is not None and not timeout_s > 0:
        raise ValueError(f"a timeout is longer than 0 s, got {timeout_s:g}")
    return Here() if jobs == 1 and timeout_s is None and not supervised else Processes(jobs, timeout_s)
