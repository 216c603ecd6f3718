"""Rounds: films as far as they go, then the units of those that are long, then those films again, until all is made."""

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import replace

from phonoscope.flow.executors import Executor
from phonoscope.flow.run import OnProgress, Outcome, Work
from phonoscope.flow.units import Unit

Outcomes = Generator[Outcome, None, None]


def in_rounds(doing: Executor, work: Work, items: Sequence[str], on_progress: OnProgress) -> Outcomes:
    """The outcomes of all items, as `doing.run` gives them: one a film, however many have had a part in it.

    Only films that `work.unit_minutes` cuts need more than one round.
    """
    waiting = _Waiting()
    yield from waiting.begin(doing.run(work, items, on_progress))
    again = replace(work, ingests=False)
    while waiting.films:
        if units := waiting.units():
            yield from waiting.look(doing.run(replace(again, in_units=True), units, on_progress))
        for cut, minutes in ((True, work.unit_minutes), (False, 0.0)):
            if films := [id for id in waiting.films if (id not in waiting.whole) == cut]:
                yield from waiting.go_on(doing.run(replace(again, unit_minutes=minutes), films, on_progress))


class _Waiting:
    """Films that wait for units of them to be looked at, and what is known of each so far."""

    def __init__(self) -> None:
        self.films: dict[str, Outcome] = {}  # by id
        self.whole: set[str] = set()  # those that must be looked at as a whole after all
        self._twins: dict[str, list[Outcome]] = {}  # the same film, given by another name as well
        self._seen: set[str] = set()  # units

    def units(self) -> list[str]:
        """What is to be looked at, film by film. A film whose units are looked at in vain will be whole."""
        found = [unit for outcome in self.films.values() for unit in outcome.units]
        self.whole |= {Unit.parse(unit).recording for unit in found if unit in self._seen}
        self._seen |= {*found}
        return [unit for unit in found if Unit.parse(unit).recording not in self.whole]

    def begin(self, outcomes: Outcomes) -> Outcomes:
        """Keep the outcomes of films that must wait; give the others."""
        with closing(outcomes):
            for outcome in outcomes:
                if not outcome.units:
                    yield outcome
                elif outcome.recording in self.films:
                    self._twins.setdefault(outcome.recording, []).append(outcome)
                else:
                    self.films[outcome.recording] = outcome

    def look(self, outcomes: Outcomes) -> Outcomes:
        """Take note of units; give the outcomes of films that have failed in one."""
        with closing(outcomes):
            for outcome in outcomes:
                unit = Unit.parse(outcome.source)
                if unit.recording not in self.films:  # it has failed in another
                    continue
                film = self.films[unit.recording]
                if failure := outcome.failure:
                    said = f"unit {unit.number} of {unit.of}: {failure.message}"
                    yield from self._over(film, replace(outcome, failure=replace(failure, message=said)))
                    continue
                if not outcome.made:
                    self.whole.add(unit.recording)
                self.films[unit.recording] = replace(film, seconds=film.seconds + outcome.seconds)

    def go_on(self, outcomes: Outcomes) -> Outcomes:
        """Keep the outcomes of films that must wait again; give the others."""
        with closing(outcomes):
            for outcome in outcomes:
                film = self.films[outcome.source if outcome.source in self.films else outcome.recording]
                if outcome.units:
                    self.films[film.recording] = _after(film, outcome)
                else:
                    yield from self._over(film, outcome)

    def _over(self, film: Outcome, last: Outcome) -> Outcomes:
        """The outcome of a film that waits no more, under each of its names; what was made was made once."""
        del self.films[film.recording]
        yield (whole := _after(film, last))
        for twin in self._twins.pop(film.recording, []):
            kept = (*whole.kept, *whole.made)
            yield replace(_after(twin, last), made=twin.made, kept=kept, seconds=twin.seconds)


def _after(film: Outcome, now: Outcome) -> Outcome:
    """What is known of a film after it has been worked on again."""
    failure = now.failure and replace(now.failure, source=film.source, recording=film.recording)
    return replace(
        now,
        source=film.source,
        recording=film.recording,
        made=(*film.made, *now.made),
        kept=film.kept,
        failure=failure,
        seconds=film.seconds + now.seconds,
    )
