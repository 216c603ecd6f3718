"""A job: work, what it is done on, and the store's account of how it went."""

import os
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace

from phonoscope.core.errors import PhonoscopeError, UsageError
from phonoscope.flow.executors import Executor, executor
from phonoscope.flow.rounds import in_rounds
from phonoscope.flow.run import OnProgress, Outcome, Work
from phonoscope.flow.shard import Shard
from phonoscope.store.folder import Store
from phonoscope.store.ledger import Failure, add_failure, known_artifacts, read_failures, settle_failures, write_index
from phonoscope.store.lock import alone
from phonoscope.store.uri import as_uri

GROUNDED = ("crashed", "timeout")  # reasons for which a recording is tried again only if asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is about to be done: which work, on which films or recordings, in which store."""

    store: Store
    work: Work
    items: Sequence[str]  # films (`prepare`) or ids of recordings (`run`)
    retry_failed: bool = False  # try again what has crashed or hung before
    asked: Sequence[str] = ()  # the items of all shards, if this job is one

    def carry_out(
        self,
        jobs: int = 1,
        on_progress: OnProgress = lambda *_: None,
        timeout_s: float | None = None,
        supervised: bool = False,
        unit_minutes: float = 0.0,
        doing: Executor | None = None,
    ) -> Generator[Outcome, None, None]:
        """Do it, `jobs` recordings at a time; outcomes as they come.

        Failures are put down in the store's `errors.jsonl` at once. However it ends, the index is written anew.
        A recording that cost us a process before, by a crash or by more than `timeout_s`, is not tried again unless
        the job is to retry: it fails as it did then.

        Args:
            supervised: work in a process of its own even if one is enough: then a film that crashes it stops no other.
                Scripts need an `if __name__ == "__main__"` for that, as for more than one job.
            unit_minutes: a film of more than two units of about so many minutes is cut, between shots, so that several
                may look at it; what is made is the same. 0, or but one job here: no film is.
            doing: where it is done, such as a cluster; by default here, or in so many processes of this machine.

        Raises:
            PhonoscopeError: the store cannot be written to.
            ValueError: fewer than one job, or no time at all.
        """
        alone_here = jobs == 1 and not doing
        threads = 1 if doing else max(1, _cores() // jobs)  # of other machines we do not know how many cores they have
        doing = doing or executor(jobs, timeout_s, supervised)
        with self._writing(), alone(self.store.root / ".lock"):
            pass  # a store that cannot be written to is found out before the work, not after it
        failed = self.failed()
        standing = {failure.source for failure in failed}
        grounded = {} if self.retry_failed else {f.source: f for f in failed if f.reason in GROUNDED}
        uris = {item: self._uri(item) for item in self.items}
        through: list[str] = []
        touched: set[str] = set()  # by others perhaps, so that only their outcomes tell us
        indexed = known_artifacts(self.store) if self.store.far else {}
        try:
            yield from (_again(grounded[uri]) for uri in uris.values() if uri in grounded)
            todo = [item for item, uri in uris.items() if uri not in grounded]
            work = replace(self.work, threads=threads, unit_minutes=0.0 if alone_here else unit_minutes)
            with closing(in_rounds(doing, work, todo, on_progress)) as outcomes:
                for outcome in outcomes:
                    named = self._listed(self._named(outcome, uris))
                    if named.failure:
                        with self._writing():
                            add_failure(self.store.root, named.failure)
                    elif named.source in standing:
                        through.append(named.source)
                    if named.made or named.failure or (self.work.ingests and named.source not in self.work.known):
                        touched.add(named.recording)
                    elif self.store.far and not {*named.kept} <= indexed.get(named.recording, set()):
                        touched.add(named.recording)  # made in a job that was lost before it could tell the index
                    yield named
        finally:
            with self._writing():
                asked = {as_uri(item) for item in self.asked or self.items} if self.work.ingests else None
                settle_failures(self.store.root, through, self._makes(), asked)
                write_index(self.store, touched - {""})

    def part(self, shard: Shard | None) -> "Job":
        """What of this job falls to a shard: films by URI, recordings by id."""
        if shard is None:
            return self
        mine = [item for item in self.items if (as_uri(item) if self.work.ingests else item) in shard]
        return replace(self, items=mine, asked=self.items)

    def failed(self) -> list[Failure]:
        """The failures that stand and are of something that this job makes; ingest is part of every job."""
        return [f for f in read_failures(self.store.root) if not self._makes().isdisjoint(f.step.split("+"))]

    def due(self) -> set[str]:
        """The steps that some item needs, as far as can be told without looking into films: all, if one is new."""
        found: set[str] = set()
        for item in self.items:
            known = self.work.known.get(as_uri(item)) if self.work.ingests else None
            try:
                stored = self.store[item if known is None else known.id]
                found.update(step.name for step in self.work.on(stored.recording).survey(stored)[1])
            except PhonoscopeError:  # not there, or not whole
                return {step.name for step in self.work.steps}
        return found

    def _makes(self) -> set[str]:
        return {"ingest", *(step.name for step in self.work.steps)}

    def _uri(self, item: str) -> str:
        if self.work.ingests:
            return as_uri(item)
        try:
            return self.store[item].recording.source
        except UsageError:  # it is gone since the index was written: the work will say so, and its row goes
            return item

    def _named(self, outcome: Outcome, uris: Mapping[str, str]) -> Outcome:
        """An outcome under its film's URI: an executor that gave an item up knows only the item."""
        item = outcome.source
        if item not in uris or outcome.failure is None:
            return outcome
        known = outcome.recording if outcome.recording != item else ""  # in ingest a film has no other name yet
        recording = known if self.work.ingests else item
        failure = replace(outcome.failure, source=uris[item], recording=recording)
        return replace(outcome, source=uris[item], recording=recording, failure=failure)

    def _listed(self, outcome: Outcome) -> Outcome:
        """An outcome whose failure remembers how a corpus lists the film, as nothing in the store can tell it yet."""
        failure, corpus = outcome.failure, self.work.corpus
        if failure is None or failure.step != "ingest" or corpus is None:
            return outcome
        return replace(outcome, failure=replace(failure, listed=corpus.listed(failure.source)))

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            why = os.strerror(error.errno) if error.errno else error
            raise PhonoscopeError(f"the store at '{self.store.uri}' cannot be written to: {why}") from error


def _cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _again(failure: Failure) -> Outcome:
    """The outcome of a recording that is left alone because of how it failed before."""
    said = f"{failure.message}; left alone since: --retry-failed tries it again"
    return Outcome(source=failure.source, recording=failure.recording, failure=replace(failure, message=said))
