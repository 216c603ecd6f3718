"""How a plan of windows is told in lines."""

from collections import Counter
from collections.abc import Iterable, Mapping

from phonoscope.data.balance import Kept
from phonoscope.data.windows import KINDS, LABELLED, AnnotationPlan, KindCount, SetPlan, WindowPlan, WrittenClip
from phonoscope.report.wording import count


def plan_lines(plan: WindowPlan) -> list[str]:
    """What each set gets, what could not be drawn, and which recordings are left out."""
    said = []
    for name, part in plan.sets.items():
        people = f"{count(part.clips, 'clip')} of {count(part.speakers, 'speaker')}"
        kinds = Counter(it.kind for it in part.samples)
        drawn = ", ".join(f"{kinds[kind]} {kind}" for kind in (*KINDS, LABELLED) if kinds[kind])
        said.append(f"{name}: {people}, {count(len(part.samples), 'window')}: {drawn}")
        said += [f"  {line}" for line in (*_shortages(part), *_funnel(part.funnel))]
    return said + _left_out(plan.left_out)


def _shortages(part: SetPlan) -> Iterable[str]:
    """What could not be drawn."""
    asked, drawn = (sum(getattr(it, what) for it in part.kinds) for what in ("asked", "drawn"))
    if drawn < asked:
        yield f"asked for {count(asked, 'window')}: its clips have no more that keep the kinds in proportion"
    yield from (_unable(it) for it in part.kinds if it.unable)


def _unable(it: KindCount) -> str:
    if it.clips:
        return f"{it.kind}: passed over {count(it.unable, 'clip')} that cannot supply it"
    return f"{it.kind}: none, no clip can supply it"


def _funnel(stages: Iterable[Kept]) -> Iterable[str]:
    """A line a condition, if there is any but that all are taken."""
    for it in stages:
        if it.condition != "all":
            left = ", ".join(f"{number} {name}" for name, number in it.left.items()) or "none"
            yield f"{it.condition}: {left} left, {it.dropped} dropped"


def annotation_lines(plan: AnnotationPlan) -> list[str]:
    """What each set gets, and which recordings are left out."""
    said = []
    for name, part in plan.sets.items():
        kinds = Counter(it.label for _, it in part.windows)
        labels = ", ".join(f"{number} {label}" for label, number in sorted(kinds.items()))
        said.append(f"{name}: {count(len(part.windows), 'window')}: {labels}")
        said += [f"  {line}" for line in _funnel(part.funnel)]
    return said + _left_out(plan.left_out)


def _left_out(left_out: Mapping[str, str]) -> list[str]:
    return [f"left out {id}: {why}" for id, why in left_out.items()]


def clip_line(done: WrittenClip) -> str:
    """One clip in one line."""
    if why := done.failure:
        return f"failed  {done.clip.id}: {why.reason}: {why.message}"
    return f"{'made' if done.made else 'kept'}    {done.clip.id}"
