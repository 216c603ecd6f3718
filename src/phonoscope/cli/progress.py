"""Telling people and programs how a job goes."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from typing import Any

import msgspec

from phonoscope.cli.how import How
from phonoscope.flow.job import Job
from phonoscope.flow.run import OnProgress, Outcome
from phonoscope.store.ledger import read_failures
from phonoscope.store.lock import alone


def carry_out(job: Job, how: How, *, report: bool) -> int:
    """Do a job and tell how it goes: bars on a terminal, plain lines otherwise, JSON lines if asked for.

    Returns:
        Exit code: 0 if all is well, 1 if a recording failed.
    """
    total = len(job.items)
    tell = _Json() if how.json else _Bars(total, how.jobs) if sys.stderr.isatty() else _Lines(total)
    counts: Counter[str] = Counter()
    before = read_failures(job.store.root)
    with tell, _carried_out(job, how, tell.progress) as outcomes:
        for outcome in outcomes:
            counts["failed" if outcome.failure else "made" if outcome.made else "kept"] += 1
            tell.outcome(outcome)
    page = job.store.root / "report.html"
    report = report and not job.store.far  # it would be read from end to end: `phonoscope report` does that
    if report and (counts["made"] or before != read_failures(job.store.root) or not page.exists()):
        from phonoscope.report.page import write_report

        with alone(job.store.root / ".report.lock"):  # a neighbour may be through with its shard as well
            write_report(job.store)
    tell.over(counts, str(page) if report else "", job.store.uri)
    return 1 if counts["failed"] else 0


def outcomes(job: Job, how: How, told: Callable[[str], object] = lambda line: None) -> list[Outcome]:
    """Do a job and give its outcomes; nothing is told of it but on a terminal, in bars.

    Args:
        told: is given a line a recording that something was made of, where there are no bars.
    """
    total = len(job.items)
    tell = _Bars(total, how.jobs) if sys.stderr.isatty() and not how.json else None
    done = []
    with tell or nullcontext(), _carried_out(job, how, tell.progress if tell else lambda *_: None) as coming:
        for outcome in coming:
            done.append(outcome)
            if tell:
                tell.outcome(outcome)
            elif outcome.made:
                told(f"[{len(done)}/{total}] {as_line(outcome)}")
    return done


@contextmanager
def _carried_out(job: Job, how: How, on_progress: OnProgress) -> Iterator[Iterator[Outcome]]:
    """The outcomes of a job as they come, from where `how` says; at the end nothing is left of what was begun there."""
    supervised, unit_minutes = len(job.items) > 1, how.unit_minutes if how.jobs > 1 else 0.0
    with (
        how.cluster() as doing,
        closing(job.carry_out(how.jobs, on_progress, how.timeout, supervised, unit_minutes, doing)) as outcomes,
    ):
        yield outcomes


def as_line(outcome: Outcome) -> str:
    """One recording in one line."""
    if outcome.failure:
        why = outcome.failure
        return f"failed  {why.source}: {why.reason} in {why.step}: {why.message}"
    if not outcome.recording:
        return f"left    {outcome.source}: {'; '.join(outcome.skipped.values())}"
    skipped = "".join(f", no {name} ({why})" for name, why in outcome.skipped.items())
    if not outcome.made:
        return f"kept    {outcome.recording}{skipped}"
    pace = f", {outcome.film_s / outcome.seconds:.1f}× real time" if outcome.seconds else ""
    return f"made    {outcome.recording}: {', '.join(outcome.made)}{skipped} in {outcome.seconds:.1f} s{pace}"


def _summary(counts: Counter[str], page: str, store: str) -> str:
    said = ", ".join(f"{counts[kind]} {kind}" for kind in ("made", "kept", "failed") if counts[kind]) or "nothing to do"
    mend = f"; why: phonoscope status {store}" if counts["failed"] else ""
    return said + mend + (f"\nlook at {page}" if page else "")


class _Lines:
    """A line a recording, for logs and pipes."""

    def __init__(self, total: int) -> None:
        self.total, self.done = total, 0

    def __enter__(self) -> "_Lines":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def progress(self, recording: str, what: str, done: int, total: int) -> None:
        """Nothing within a recording."""

    def outcome(self, outcome: Outcome) -> None:
        self.done += 1
        print(f"[{self.done}/{self.total}] {as_line(outcome)}", flush=True)

    def over(self, counts: Counter[str], page: str, store: str) -> None:
        print(_summary(counts, page, store), flush=True)


class _Json(_Lines):
    """A line of JSON a recording, and a last one for the whole."""

    def __init__(self) -> None:
        super().__init__(0)

    def outcome(self, outcome: Outcome) -> None:
        state = "failed" if outcome.failure else "made" if outcome.made else "kept"
        self._print({"state": state, **msgspec.to_builtins(outcome)})

    def over(self, counts: Counter[str], page: str, store: str) -> None:
        totals = {kind: counts[kind] for kind in ("made", "kept", "failed")}
        self._print({"state": "over", "store": store, "report": page, **totals})

    def _print(self, values: dict[str, Any]) -> None:
        print(msgspec.json.encode(values).decode(), flush=True)


class _Bars(_Lines):
    """Progress bars with the time left, for a terminal."""

    def __init__(self, total: int, jobs: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        super().__init__(total)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self.bars = Progress(*columns, console=Console(stderr=True), transient=True)
        self.whole = self.bars.add_task("recordings", total=total)
        self.jobs, self.current = jobs, {}  # recording -> its bar, the one last told of at the end

    def __enter__(self) -> "_Bars":
        self.bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bars.stop()

    def progress(self, recording: str, what: str, done: int, total: int) -> None:
        bar = self.current.pop(recording, None)
        if bar is None:
            bar = self.bars.add_task("", total=None)
        self.current[recording] = bar
        while len(self.current) > self.jobs:
            self._drop(next(iter(self.current)))
        self.bars.update(bar, description=f"{recording}: {what}", completed=done, total=total or None)

    def outcome(self, outcome: Outcome) -> None:
        self.bars.advance(self.whole)
        self._drop(outcome.recording)
        self.bars.console.print(as_line(outcome), highlight=False, markup=False, soft_wrap=True)

    def _drop(self, recording: str) -> None:
        if recording in self.current:
            self.bars.remove_task(self.current.pop(recording))
