"""Stages: the steps of a plan by turns without a GPU and with one, so that each goes where it finds what it needs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from phonoscope.flow.run import OnProgress, Outcome, Work
from phonoscope.flow.step import Needs, Step
from phonoscope.flow.workers import Task


@dataclass(frozen=True, slots=True)
class Stage:
    """What is done with an item before others go on with it."""

    work: Task
    needs: Needs

    @property
    def on_gpu(self) -> bool:
        """Whether it needs one, or part of one."""
        return self.needs.gpus > 0


def stages_of(work: Task) -> list[Stage]:
    """The stages of any work: those of a plan with steps for a GPU take turns, everything else is one."""
    if not isinstance(work, Work):
        return [Stage(work, Needs())]
    if work.in_units:
        return [Stage(work, _together([step for step in work.steps if step.apart]))]
    parts = in_turns(work.steps)
    return [
        Stage(
            replace(work, part=frozenset(step.name for step in steps), ingests=work.ingests and not number)
            if len(parts) > 1
            else work,
            _together(steps),
        )
        for number, steps in enumerate(parts)
    ]


def in_turns(steps: Sequence[Step]) -> list[list[Step]]:
    """The steps of a plan, in its order: those that need no GPU, those that need one, and so on, as few as it takes.

    What a step needs is made in its own turn or in one before. The first turn may be empty: taking films in is its.
    """
    turn_of: dict[str, int] = {}
    for step in steps:
        after = max((turn_of[name] for name in step.inputs if name in turn_of), default=0)
        turn_of[step.name] = after + (after % 2 != (step.needs.gpus > 0))
    count = max(turn_of.values(), default=0) + 1
    return [[step for step in steps if turn_of[step.name] == turn] for turn in range(count)]


def _together(steps: Sequence[Step]) -> Needs:
    """What a worker occupies that runs any of these steps, one at a time."""
    cpus, gpus = (max((getattr(s.needs, kind) for s in steps), default=0) for kind in ("cpus", "gpus"))
    return Needs(cpus=max(1, cpus), gpus=gpus)


@dataclass(frozen=True, slots=True)
class InStages:
    """The work of all stages in one: an item comes with the number of its stage in front, "1 film-0badc0de"."""

    stages: tuple[Task, ...]

    def __call__(self, item: str, on_progress: OnProgress = lambda *_: None) -> Outcome:
        """Do one stage of an item."""
        number, _, word = item.partition(" ")
        return self.stages[int(number)](word, on_progress)


def both(before: Outcome, now: Outcome) -> Outcome:
    """What has become of an item after a further stage."""
    made = (*before.made, *now.made)
    return replace(
        now,
        source=before.source,
        made=() if now.failure else made,
        kept=tuple(name for name in now.kept if name not in made),
        failure=now.failure and replace(now.failure, source=before.source),
        seconds=before.seconds + now.seconds,
    )
