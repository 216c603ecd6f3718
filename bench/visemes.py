"""Which viseme is spoken: `viseme-gru` against pocketsphinx' phone loop, on people whom the network has never heard."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np

from bench.table import Row, Table, at_least, at_most
from bench.visemes_figures import REACH, boundary_errors, closures, confused, interval
from phonoscope.core.visemes import VISEMES
from phonoscope.metrics.confusion import accuracy, balanced_accuracy, majority

KINDS = len(VISEMES)
OURS, TRACK, LOOP, TIMED = "viseme-gru", "viseme-gru, its track", "phone loop", "phone loop, Rhubarb's timing rules"


@dataclass(frozen=True, slots=True)
class Answer:
    """What was said of all that was spoken."""

    name: str
    people: dict[str, np.ndarray]  # (15 · 15 + 11 + 2,) a person: confusions, errors of boundaries, closures
    seconds: float  # CPU a second of sound

    def figure(self, of: Callable[[np.ndarray], float]) -> tuple[float, str]:
        """A figure of all people, and between which it lies."""
        low, high = interval({name: it.tolist() for name, it in self.people.items()}, of)
        return of(np.sum(list(self.people.values()), 0)), f"[{low:.3g}, {high:.3g}]"


def right(sums: np.ndarray) -> float:
    """Share of the rows that are right."""
    return accuracy(sums[: KINDS**2].reshape(KINDS, KINDS))


def balanced(sums: np.ndarray) -> float:
    """Mean recall of the visemes."""
    return balanced_accuracy(sums[: KINDS**2].reshape(KINDS, KINDS))


def off_ms(sums: np.ndarray) -> float:
    """Median error of boundaries, in ms, between rows as if errors were spread evenly within them."""
    counts = sums[KINDS**2 : KINDS**2 + REACH + 1]
    reached = np.cumsum(counts)
    at = int(np.searchsorted(reached, reached[-1] / 2))
    into = (reached[-1] / 2 - (reached[at] - counts[at])) / max(counts[at], 1)
    return 10 * max(0.0, at - 0.5 + into)


def closed(sums: np.ndarray) -> float:
    """Share of the closures that are shown."""
    return float(sums[-1] / max(sums[-2], 1))


def measure() -> Iterator[Table]:
    """One table of both, one of the people, one of what the truth is."""
    if not find_spec("pocketsphinx"):
        yield Table("Visemes", (), ("not measured: pip install pocketsphinx (BSD-2), which tells what is true too",))
        return
    from bench.visemes_truth import SHARED, truth

    if not SHARED.is_dir():
        yield Table("Visemes", (), (f"not measured: the clips do not lie in {SHARED}",))
        return
    told, judged = truth()
    answers = {it.name: it for it in _answers(told)}
    minutes = sum(len(it.audio) for it in told) / 16000 / 60
    who = f"{len({it.speaker for it in told})} people, {minutes:.1f} min"
    some = next(iter(answers.values()))
    floor = majority(np.sum(list(some.people.values()), 0)[: KINDS**2].reshape(KINDS, KINDS))
    base = {figure: answers[LOOP].figure(figure)[0] for figure in (right, balanced)}
    goals = {OURS: (base[right] + 0.1, base[balanced])}
    rows = [Row("always the commonest viseme: frames right", f"{floor:.3f}")]
    for name, answer in answers.items():
        rows += _rows(answer, goals.get(name))
    yield Table(f"Visemes, {who}, none of them in training", rows, ("[…]: 95 % by a bootstrap over people",))
    yield Table("Visemes, person by person: frames right", list(_people(told, answers)))
    same = "how much of what pocketsphinx hears freely sounds like its words, and like those of the next best reading"
    readings = [Row(it.name, f"{it.like:.2f} and {it.next:.2f}", "", it.used) for it in judged]
    yield Table("Visemes, which readings are used", readings, (same,))


def _answers(told: list) -> Iterator[Answer]:
    from bench.visemes_loop import flat, loop, timed
    from phonoscope.data.viseme_tracks import VisemeTrackParams, shaped
    from phonoscope.models.registry import load

    network, phones = load("viseme-gru"), loop()
    network(told[0].audio)
    yield from _of(told, network, {
        OURS: lambda said, _: said.argmax(1), TRACK: lambda said, _: shaped(said, VisemeTrackParams()).per_row()
    })  # fmt: skip
    yield from _of(told, phones, {LOOP: flat, TIMED: timed})


def _of(told: list, heard: Callable, shown: dict[str, Callable]) -> Iterator[Answer]:
    """Answers that are several views of what was heard."""
    started = time.process_time()
    said = [heard(it.audio) for it in told]
    seconds = (time.process_time() - started) / (sum(len(it.audio) for it in told) / 16000)
    for name, view in shown.items():
        people: dict[str, np.ndarray] = {}
        for it, what in zip(told, said, strict=True):
            rows = view(what, it.audio)
            errors = np.bincount(np.rint(boundary_errors(it.rows, rows)).astype(int), minlength=REACH + 1)
            sums = np.concatenate([confused(it.rows, rows).ravel(), errors, closures(it.rows, rows)])
            people[it.speaker] = people.get(it.speaker, 0) + sums
        yield Answer(name, people, seconds)


def _rows(answer: Answer, goals: tuple[float, float] | None) -> Iterator[Row]:
    figures = (("frames right", right, 0.0), ("balanced", balanced, 0.0), ("closures of p b m shown", closed, 0.85))
    for at, (what, figure, least) in enumerate(figures):
        value, around = answer.figure(figure)
        goal = least or (goals[at] if goals else 0.0)
        row = at_least(f"{answer.name}: {what}", value, round(goal, 3)) if goals else Row(f"{answer.name}: {what}", "")
        yield Row(row.what, f"{value:.3f} {around}", row.goal, row.met)
    value, around = answer.figure(off_ms)
    row = at_most(f"{answer.name}: boundaries, median error", value, 20, " ms")
    yield Row(row.what, f"{value:.1f} ms {around}", row.goal if goals else "", row.met if goals else None)
    row = at_most(f"{answer.name}: CPU s a second of sound", answer.seconds, 0.02)
    yield row if goals else Row(row.what, row.value)


def _people(told: list, answers: dict[str, Answer]) -> Iterator[Row]:
    for who in sorted({it.speaker for it in told}):
        seconds = sum(len(it.audio) for it in told if it.speaker == who) / 16000
        ours, loop = (right(answers[name].people[who]) for name in (OURS, LOOP))
        yield Row(f"{who}, {seconds:.0f} s", f"{ours:.3f}, loop {loop:.3f}")
