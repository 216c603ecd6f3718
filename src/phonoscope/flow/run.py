"""Run a plan on one recording: make what is missing or stale, keep what is fresh, stop at the first failure."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from phonoscope.core.clips import Listed
from phonoscope.core.errors import RecordingFailed
from phonoscope.core.faces import Shots
from phonoscope.core.media import Recording, Rights
from phonoscope.core.parts import restricted
from phonoscope.core.time import Span
from phonoscope.flow.failing import StepFailed, failure_of
from phonoscope.flow.ingest import given_of, ingest
from phonoscope.flow.plan import keys_of, needs_of, settings_of, unless_told
from phonoscope.flow.step import Step
from phonoscope.flow.streams import Film, LookFailed, PartFolder, Seen, look
from phonoscope.flow.units import Parts, Unit, clear_units, hold_unit, is_long, units_of
from phonoscope.store.folder import Store
from phonoscope.store.forgotten import Forgotten
from phonoscope.store.ledger import Failure, Known
from phonoscope.store.receipts import BY_CORPUS, Receipt
from phonoscope.store.recording import StoredRecording
from phonoscope.store.uri import as_uri

if TYPE_CHECKING:
    from phonoscope.media.video import DecodeCount


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
    seconds: float = 0.0  # of work; of a film that was cut into units those of all who had a part in it
    film_s: float = 0.0  # length of the film
    units: tuple[str, ...] = ()  # what of the film must be looked at, unit by unit, before the rest can be made


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
    unit_minutes: float = 0.0  # a film of more than two such units is left to be looked at unit by unit; 0: none is
    in_units: bool = False  # items are units of recordings that the store has
    part: frozenset[str] | None = None  # of the steps, those to run; others, on other machines, run the rest

    def __call__(self, item: str, on_progress: OnProgress = lambda *_: None) -> Outcome:
        """Take one film through the plan. Whatever goes wrong with it is in the outcome, not raised.

        Args:
            item: a film's path or URI, or, unless the work `ingests`, the id of a recording; or a unit of one.
        """
        if self.in_units:
            return self._unit(item, on_progress)
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
        """Make what is due of one recording, up to where units of it must be looked at."""
        fresh, due, skipped, keys = self.survey(stored)
        todo, made, units = [step for step in due if self._ours(step)], [], ()
        others = {step.name for step in due} - {step.name for step in todo}
        if lost := others & {name for step in todo for name in self._inputs(step)}:
            raise RecordingFailed("changed", f"another job has made '{min(lost)}' anew meanwhile: start again")
        while todo:
            waiting = {step.name for step in todo}
            ready = [step for step in todo if not waiting & {*self._inputs(step)}]
            batch = [step for step in ready if not step.film][:1]
            if batch:
                on_progress(stored.folder.name, batch[0].name, 0, 0)
                self._make(stored, batch[0], keys)
            else:
                batch, units = self._look(stored, ready, keys, on_progress)
            if units:
                break
            made += [step.name for step in batch]
            todo = [step for step in todo if step not in batch]
        else:
            clear_units(stored, (step.name for step in self.steps if self._ours(step)))  # those of another cut or time
        film_s = float(stored.recording.duration_s)
        kept = tuple(step.name for step in fresh)
        return Outcome(
            source=stored.recording.source, recording=stored.folder.name, made=tuple(made), kept=kept,
            skipped=skipped, film_s=film_s, units=units,
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
        for step in unless_told(self.steps, {*told}, self.named):
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

    def _ours(self, step: Step) -> bool:
        return self.part is None or step.name in self.part

    def _inputs(self, step: Step) -> tuple[str, ...]:
        return step.inputs_with(self.params.get(step.name))

    def identity_of(self, step: Step) -> str:
        """The card of the model that a step runs, or nothing."""
        return self.card_of(self.params[step.name].model) if step.backends else ""

    def _arguments(self, stored: StoredRecording, step: Step, unit: Unit | None = None) -> dict[str, Any]:
        there = {*stored.receipts}
        arguments = {name: stored.load(name) if name in there else None for name in self._inputs(step)}
        if unit:
            arguments = {name: restricted(value, unit.span) for name, value in arguments.items()}
        arguments |= dict.fromkeys({*step.inputs} - {*arguments})
        if step.params:
            arguments["p"] = self.params[step.name]
        if step.film:
            arguments[step.film] = Film(stored.recording, unit.seen(step, stored.recording) if unit else None)
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
        self, stored: StoredRecording, ready: list[Step], keys: Mapping[str, str], on_progress: OnProgress
    ) -> tuple[list[Step], tuple[str, ...]]:
        """Run some of the steps that could look at the film now: those that were run, or the units that must be first.

        A film that is not cut is shown to all of them at once. One that is has its shots found before; then steps that
        look at shots apart are left to its units, and what is made of those is put together.
        """
        apart = [step for step in ready if step.apart]
        if apart and is_long(stored.recording, self.unit_minutes):
            if shots := [step for step in ready if step.makes is Shots]:
                ready = shots
            elif "shots" in stored.fresh and len(spans := units_of(stored, self.unit_minutes)) > 1:
                return self._join(stored, apart, keys, spans)
        with _part_folders(stored, ready) as folders:
            seen, count = self._see(stored, ready, folders, on_progress)
            lost = f"{count.missing} frames could not be decoded: a neighbour stands for each"
            warnings = [lost] if count.missing else []
            for step in ready:
                value = folders.get(step.name, seen.made[step.name])
                stored.save(step.name, value, self._receipt(step, keys, seen.seconds[step.name], warnings))
        return ready, ()

    def _join(
        self, stored: StoredRecording, steps: list[Step], keys: Mapping[str, str], spans: Sequence[Span]
    ) -> tuple[list[Step], tuple[str, ...]]:
        """Put together what was made of units; if of some it has not been, these are what is to be done."""
        parts = {step.name: Parts(stored, step.name, keys[step.name]) for step in steps}
        missing = [tuple(name for name, part in parts.items() if not part.has(span)) for span in spans]
        if any(missing):
            numbered = enumerate(zip(spans, missing, strict=True), 1)
            units = (Unit(stored.folder.name, k, len(spans), span, names) for k, (span, names) in numbered if names)
            return [], tuple(map(str, units))
        for step in steps:
            parts[step.name].join(spans, partial(self._receipt, step, keys))
        return steps, ()

    def _unit(self, item: str, on_progress: OnProgress) -> Outcome:
        """Look at one unit of a film; whatever goes wrong is in the outcome. Nothing is made if pictures are lost."""
        began, unit = time.perf_counter(), Unit.parse(item)
        outcome = Outcome(source=item, recording=unit.recording, made=unit.steps)
        try:
            store = Store(self.root)
            stored = store[unit.recording]
            work = self.on(stored.recording)
            try:
                with hold_unit(stored, unit.span):
                    intact = work._look_at(store, stored, unit, on_progress)
            except Exception:
                if work._due(stored, unit):
                    raise
                intact = True  # somebody else has made it meanwhile, and has cleared away what we were at
            outcome = outcome if intact else replace(outcome, made=())
        except Exception as error:  # noqa: BLE001 - as of a whole film
            outcome = replace(outcome, made=(), failure=failure_of(error, item, unit.recording))
        return replace(outcome, seconds=time.perf_counter() - began)

    def _due(self, stored: StoredRecording, unit: Unit) -> dict[str, Parts]:
        """What is still to be made of a unit, by step."""
        _, due, _, keys = self.survey(stored)
        waiting = {step.name for step in due}  # what another job has remade meanwhile is not what we are to look by
        able = [step for step in due if step.name in unit.steps and not waiting & {*self._inputs(step)}]
        parts = {step.name: Parts(stored, step.name, keys[step.name]) for step in able}
        return {name: part for name, part in parts.items() if not part.has(unit.span)}

    def _look_at(self, store: Store, stored: StoredRecording, unit: Unit, on_progress: OnProgress) -> bool:
        """Make what is due of one unit; whether its pictures are whole, without which nothing is kept.

        The recording's lock is taken only at the end.
        """
        parts = self._due(stored, unit)
        steps = [step for step in self.steps if step.name in parts]
        if not steps:
            return True
        with ExitStack() as stack:
            folders = {s.name: stack.enter_context(parts[s.name].folder(unit.span)) for s in steps if s.folder}
            seen, count = self._see(stored, steps, folders, on_progress, unit)
            if count.missing or count.damaged:
                return False
            with store.hold(unit.recording):
                left = self._due(stored, unit)
                keys = {name: part.key for name, part in left.items()}
                for step in (step for step in steps if step.name in left):
                    value = folders.get(step.name, seen.made[step.name])
                    left[step.name].save(unit.span, value, self._receipt(step, keys, seen.seconds[step.name]))
        return True

    def _see(
        self,
        stored: StoredRecording,
        steps: Sequence[Step],
        folders: Mapping[str, Path],
        on_progress: OnProgress,
        unit: Unit | None = None,
    ) -> tuple[Seen, "DecodeCount"]:
        """Run several steps over one decode of the film, or of one unit of it."""
        from phonoscope.media.video import DecodeCount, decode  # late: a second run needs nothing of FFmpeg

        told, span = (unit.name, unit.span) if unit else (stored.recording.id, stored.recording.span)
        names, count = "+".join(step.name for step in steps), DecodeCount()
        lookers = {}
        for step in steps:
            folder = {step.folder: PartFolder(folders[step.name])} if step.folder else {}
            try:
                lookers[step.name] = step.function(**self._arguments(stored, step, unit), **folder)
            except Exception as error:
                raise StepFailed(step.name) from error
        try:
            seen = look(
                partial(decode, stored.source, stored.clock, count=count),
                lookers,
                on_frame=lambda frame: on_progress(told, names, min(frame + 1 - span.start, len(span)), len(span)),
                depth=1 if self.threads > 1 else 0,
            )
        except LookFailed as error:
            raise StepFailed(error.name) from error.__cause__
        except Exception as error:
            raise StepFailed(names) from error
        return seen, count


@contextmanager
def _part_folders(stored: StoredRecording, steps: Sequence[Step]) -> Iterator[dict[str, Path]]:
    """A folder in the making for each step that writes files."""
    with ExitStack() as stack:
        yield {s.name: stack.enter_context(stored.part_folder(s.name)) for s in steps if s.folder}
