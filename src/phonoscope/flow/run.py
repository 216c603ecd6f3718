"""Run a plan on one recording: make what is missing or stale, keep what is fresh, stop at the first failure."""

import errno
import time
import traceback
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from phonoscope.core.clips import Listed
from phonoscope.core.errors import PhonoscopeError, RecordingFailed
from phonoscope.core.media import Recording, Rights
from phonoscope.flow.ingest import given_of, ingest
from phonoscope.flow.plan import keys_of, needs_of, settings_of
from phonoscope.flow.step import Step
from phonoscope.flow.streams import Film, LookFailed, PartFolder, look
from phonoscope.store.folder import Store
from phonoscope.store.forgotten import Forgotten
from phonoscope.store.ledger import Failure, Known
from phonoscope.store.receipts import BY_CORPUS, Receipt
from phonoscope.store.recording import StoredRecording
from phonoscope.store.uri import as_uri


class StepFailed(Exception):
    """A step failed on a recording; the cause is chained."""

    def __init__(self, step: str) -> None:
        super().__init__(f"'{step}' failed")
        self.step = step


OnProgress = Callable[[str, str, int, int], None]
"""Told now and then: recording, what is being made, frames done, frames in all."""


class ByCorpus(Protocol):
    """What a corpus says of its films, by URI."""

    def __call__(self, stored: StoredRecording, uri: str) -> tuple[str, ...]:
        """Write what it says of a film that is taken in; the artifacts that were written."""
        ...

    def listed(self, uri: str) -> Listed | None:
        """How it lists a film; None if it does not."""
        ...


Suited = Callable[[Mapping[str, Any], Recording], Mapping[str, Any]]
"""Given the settings of every step, and a film: the settings for this film."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What happened to one recording: small, and safe to send between machines."""

    source: str
    recording: str = ""
    made: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    skipped: Mapping[str, str] = field(default_factory=dict)  # artifact -> why it cannot be made of this film
    failure: Failure | None = None
    seconds: float = 0.0
    film_s: float = 0.0  # length of the film


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """All that a worker must know; it receives sources, never data."""

    root: str
    steps: tuple[Step, ...]  # in order, each after those it needs
    params: Mapping[str, Any]  # step name -> its params, models chosen
    load_backend: Callable[[str, int], Any]  # by name, and how many threads it may use
    card_of: Callable[[str], str]  # a model's name -> its identity
    known: Mapping[str, Known] = field(default_factory=dict)
    rights: Rights = field(default_factory=Rights)
    rights_of: Mapping[str, Rights] = field(default_factory=dict)  # of films, by URI, of which we know more
    threads: int = 1  # at most, of a model; with several, film is decoded ahead in one more; no result depends on it
    ingests: bool = True  # items are films; otherwise recordings that the store has
    corpus: ByCorpus | None = None  # what lists or annotates the films
    named: frozenset[str] = frozenset()  # artifacts asked for by name: made though a corpus gave what they would serve
    suited: Suited | None = None  # where settings depend on the film

    def __call__(self, item: str, on_progress: OnProgress = lambda *_: None) -> Outcome:
        """Take one film through the plan. Whatever goes wrong with it is in the outcome, not raised.

        Args:
            item: a film's path or URI, or, unless the work `ingests`, the id of a recording.
        """
        began, source, id = time.perf_counter(), item, "" if self.ingests else item
        try:
            store, fresh = Store(self.root), False
            if self.ingests:
                on_progress(item, "ingest", 0, 0)
                id, fresh = ingest(store, item, self.known, self.rights_of.get(as_uri(item), self.rights))
            stored = store[id]
            source = item if self.ingests else stored.recording.source
            with store.hold(stored.folder.name):
                told = self.corpus(stored, as_uri(source)) if self.corpus and self.ingests else ()
                outcome = self.on(stored.recording).run_steps(stored, on_progress)
            made = (*(given_of(stored.recording) if fresh else ()), *told, *outcome.made)
            return replace(outcome, source=as_uri(source), made=made, seconds=time.perf_counter() - began)
        except Forgotten as error:  # that is as it should be
            return Outcome(source=as_uri(source), skipped={"recording": str(error)})
        except Exception as error:  # noqa: BLE001 - this recording stops, with its reason; the others go on
            failure = failure_of(error, as_uri(source), id)
            return Outcome(source=failure.source, recording=id, failure=failure, seconds=time.perf_counter() - began)

    def on(self, recording: Recording) -> "Work":
        """The same with the settings for one film."""
        return replace(self, params=self.suited(self.params, recording), suited=None) if self.suited else self

    def run_steps(self, stored: StoredRecording, on_progress: OnProgress) -> Outcome:
        """Make what is due of one recording."""
        fresh, due, skipped, keys = self.survey(stored)
        todo, made = list(due), []
        while todo:
            waiting = {step.name for step in todo}
            ready = [step for step in todo if not waiting & {*self._inputs(step)}]
            batch = [step for step in ready if not step.film][:1] or ready
            if batch[0].film:
                self._look(stored, batch, keys, on_progress)
            else:
                on_progress(stored.folder.name, batch[0].name, 0, 0)
                self._make(stored, batch[0], keys)
            made += [step.name for step in batch]
            todo = [step for step in todo if step not in batch]
        film_s = float(stored.recording.duration_s)
        kept = tuple(step.name for step in fresh)
        return Outcome(
            source=stored.recording.source, recording=stored.folder.name, made=tuple(made), kept=kept,
            skipped=skipped, film_s=film_s,
        )  # fmt: skip

    def survey(self, stored: StoredRecording) -> tuple[list[Step], list[Step], dict[str, str], dict[str, str]]:
        """Which steps of the plan are fresh, which are due, which cannot be (and why), and every key."""
        receipts = stored.receipts
        if not {*given_of(stored.recording)} <= {*receipts}:
            raise RecordingFailed("incomplete", f"taking in {stored.folder.name} was cut short: prepare its film again")
        given = {name: receipts[name].key for name in given_of(stored.recording)}
        told = {name: receipt.key for name, receipt in receipts.items() if receipt.step == BY_CORPUS}
        absent = {} if "audio" in given else {"audio": "no-audio"}
        skipped: dict[str, str] = {}
        possible = []
        for step in _unless_told(self.steps, {*told}, self.named):
            needed = {*self._inputs(step)} - step.optional
            why = next((reason for name, reason in {**absent, **skipped}.items() if name in needed), None)
            if why:
                skipped[step.name] = why
            else:
                possible.append(step)
        keys = keys_of(possible, self.params, self.identity_of, given | told)
        places = stored.places
        due = [s for s in possible if s.name not in places or receipts[s.name].key != keys[s.name]]
        return [step for step in possible if step not in due], due, skipped, keys

    def _inputs(self, step: Step) -> tuple[str, ...]:
        return step.inputs_with(self.params.get(step.name))

    def identity_of(self, step: Step) -> str:
        """The card of the model that a step runs, or nothing."""
        return self.card_of(self.params[step.name].model) if step.backends else ""

    def _arguments(self, stored: StoredRecording, step: Step) -> dict[str, Any]:
        there = {*stored.receipts}
        arguments = {name: stored.load(name) if name in there else None for name in self._inputs(step)}
        arguments |= dict.fromkeys({*step.inputs} - {*arguments})
        if step.params:
            arguments["p"] = self.params[step.name]
        if step.film:
            arguments[step.film] = Film(stored.recording)
        for parameter in step.backends:
            arguments[parameter] = self.load_backend(self.params[step.name].model, self.threads)
        return arguments

    def _receipt(self, step: Step, keys: Mapping[str, str], seconds: float, warnings: Sequence[str] = ()) -> Receipt:
        return Receipt(
            key=keys[step.name],
            step=step.name,
            version=step.version,
            params=settings_of(self.params.get(step.name), self.identity_of(step)),
            inputs={name: keys[name] for name in needs_of(step, self.params.get(step.name)) if name in keys},
            card=self.identity_of(step),
            seconds=round(seconds, 3),
            warnings=tuple(warnings),
        )

    def _make(self, stored: StoredRecording, step: Step, keys: Mapping[str, str]) -> None:
        began = time.perf_counter()
        try:
            with _part_folders(stored, [step]) as folders:
                folder = {step.folder: PartFolder(folders[step.name])} if step.folder else {}
                value = step.function(**self._arguments(stored, step), **folder)
                stored.save(step.name, value, self._receipt(step, keys, time.perf_counter() - began))
        except Exception as error:
            raise StepFailed(step.name) from error

    def _look(
        self, stored: StoredRecording, steps: Sequence[Step], keys: Mapping[str, str], on_progress: OnProgress
    ) -> None:
        """Run several steps over one decode of the film."""
        from phonoscope.media.video import DecodeCount, decode  # late: a second run needs nothing of FFmpeg

        recording, names = stored.recording, "+".join(step.name for step in steps)
        count = DecodeCount()
        with _part_folders(stored, steps) as folders:
            lookers = {}
            for step in steps:
                folder = {step.folder: PartFolder(folders[step.name])} if step.folder else {}
                try:
                    lookers[step.name] = step.function(**self._arguments(stored, step), **folder)
                except Exception as error:
                    raise StepFailed(step.name) from error
            watch = partial(on_progress, recording.id, names)
            try:
                seen = look(
                    partial(decode, stored.source, stored.clock, count=count),
                    lookers,
                    on_frame=lambda frame: watch(frame + 1, recording.num_frames),
                    depth=1 if self.threads > 1 else 0,
                )
            except LookFailed as error:
                raise StepFailed(error.name) from error.__cause__
            except Exception as error:
                raise StepFailed(names) from error
            lost = f"{count.missing} frames could not be decoded: a neighbour stands for each"
            warnings = [lost] if count.missing else []
            for step in steps:
                value = folders.get(step.name, seen.made[step.name])
                stored.save(step.name, value, self._receipt(step, keys, seen.seconds[step.name], warnings))


def _unless_told(steps: Sequence[Step], told: set[str], named: Collection[str]) -> list[Step]:
    """The steps of a plan without those whose artifacts a corpus has given, and without what only they needed.

    Args:
        named: artifacts that are wanted for themselves.
    """
    left = {step.name: step for step in steps if step.name not in told}
    used_by: dict[str, set[str]] = {}
    for step in reversed(steps):
        users = used_by.get(step.name, set())
        if users and not users & left.keys() and step.name not in named:
            left.pop(step.name, None)
        for name in step.inputs:
            used_by.setdefault(name, set()).add(step.name)
    return list(left.values())


@contextmanager
def _part_folders(stored: StoredRecording, steps: Sequence[Step]) -> Iterator[dict[str, Path]]:
    """A folder in the making for each step that writes files."""
    with ExitStack() as stack:
        yield {s.name: stack.enter_context(stored.part_folder(s.name)) for s in steps if s.folder}


def failure_of(error: Exception, source: str, recording: str) -> Failure:
    """An error as one line with a typed reason; what we did not foresee keeps its traceback."""
    step, cause = "ingest", error
    if isinstance(error, StepFailed):
        step, cause = error.step, error.__cause__ or error
    message, detail = " ".join(str(cause).split()) or type(cause).__name__, ""
    if isinstance(cause, RecordingFailed):
        reason = cause.reason
    elif isinstance(cause, OSError) and cause.errno in _SYSTEM_REASONS:
        reason = _SYSTEM_REASONS[cause.errno]
    elif isinstance(cause, MemoryError):
        reason = "out-of-memory"
    else:
        reason = "error"
        if not isinstance(cause, PhonoscopeError):
            message = f"{type(cause).__name__}: {message}"
            detail = "".join(traceback.format_exception(cause))
    return Failure(source=source, recording=recording, step=step, reason=reason, message=message, detail=detail)


_SYSTEM_REASONS = {
    errno.ENOSPC: "disk-full",
    errno.EDQUOT: "disk-full",
    errno.EFBIG: "file-too-large",
    errno.EROFS: "read-only",
    errno.EACCES: "not-allowed",
}
