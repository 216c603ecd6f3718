"""Where recordings are worked on: here, or in processes of this machine.

Executors move sources and ids, never data; a step cannot tell which one runs it.
"""

from collections.abc import Iterable, Iterator
from typing import Protocol

from phonoscope.flow.run import OnProgress, Outcome, Work


class Executor(Protocol):
    """Takes every source through the work."""

    def run(self, work: Work, sources: Iterable[str], on_progress: OnProgress) -> Iterator[Outcome]:
        """Outcomes as they come, in any order."""
        ...


class Here:
    """One after the other, in this process."""

    def run(self, work: Work, sources: Iterable[str], on_progress: OnProgress) -> Iterator[Outcome]:
        """Outcomes in the order of the sources."""
        return (work(source, on_progress) for source in sources)


class Processes:
    """Several at a time, each in a process of its own."""

    def __init__(self, workers: int) -> None:
        self.workers = workers

    def run(self, work: Work, sources: Iterable[str], on_progress: OnProgress) -> Iterator[Outcome]:
        """Outcomes as they finish; progress within a recording is not told."""
        from concurrent.futures import ProcessPoolExecutor, as_completed
        from multiprocessing import get_context

        with ProcessPoolExecutor(self.workers, mp_context=get_context("spawn")) as pool:
            started = [pool.submit(work, source) for source in sources]
            try:
                for done in as_completed(started):
                    yield done.result()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise


def executor(jobs: int) -> Executor:
    """The executor for `-j jobs`.

    Raises:
        ValueError: fewer than one job.
    """
    if jobs < 1:
        raise ValueError(f"at least one job is needed, got {jobs}")
    return Here() if jobs == 1 else Processes(jobs)
