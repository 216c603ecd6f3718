"""The plain layout: a film, a sound and a page of JSON for each clip, in a folder a set."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from phonoscope.data.pack.clips import TrackClip
from phonoscope.data.pack.film import watch
from phonoscope.data.pack.folder import PackedClip, PackFolder
from phonoscope.data.pack.layout import Packed
from phonoscope.data.pack.material import Material
from phonoscope.data.pack.members import FILM, ClipsParams, Members, film_member, lacking, members_of, write_members
from phonoscope.flow.streams import Look
from phonoscope.store.recording import StoredRecording


def plain_clips(
    stored: StoredRecording, clips: Sequence[TrackClip], folder: PackFolder, p: ClipsParams
) -> Iterator[Packed]:
    """Each clip as `<set>/<clip>.mp4`, `.wav`, `.json`, and arrays that the store has, T frames each.

    Only files that are not there, or were made from something else, are made; the film is decoded once at most.

    Raises:
        RecordingFailed: its film is needed and is no longer where it was, or cannot be decoded.
    """
    material = Material(stored)
    plans = [_plan(members_of(material, clip, p), folder) for clip in clips]
    if any(FILM in plan.due for plan in plans):
        _ = stored.source  # that it is gone is said before anything is made
    packed = Packed(
        recording=stored.recording.id,
        made=tuple(plan.name for plan in plans if plan.due),
        kept=tuple(plan.name for plan in plans if not plan.due),
        lacking=lacking(material),
    )
    yield packed
    yield replace(packed, notes=_make(material, [plan for plan in plans if plan.due], folder))


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is to be done about a clip."""

    members: Members
    due: tuple[str, ...]  # endings

    @property
    def name(self) -> str:
        return self.members.clip.name


def _plan(members: Members, folder: PackFolder) -> _Plan:
    name = members.clip.name
    return _Plan(members, tuple(it for it, key in members.keys.items() if not folder.has(name, it, key)))


def _make(material: Material, plans: Sequence[_Plan], folder: PackFolder) -> tuple[str, ...]:
    """Make what is due of every clip; gives what was odd about it."""
    for plan in plans:
        if FILM not in plan.due:
            with folder.part(plan.name) as part:
                _finish(material, plan, folder, part)
    return watch(material.stored, {it.name: _watch(material, it, folder) for it in plans if FILM in it.due})


def _watch(material: Material, plan: _Plan, folder: PackFolder) -> Look[None]:
    """A look at the film under one clip, which is in its place as soon as its last frame has been seen."""
    batch = yield [plan.members.clip.span]
    with folder.part(plan.name) as part:
        yield from film_member(batch, material, plan.members, part)
        _finish(material, plan, folder, part)
    yield None


def _finish(material: Material, plan: _Plan, folder: PackFolder, part: Path) -> None:
    """Write what else is due of a clip, and put all of it in its place."""
    it, clip = plan.members, plan.members.clip
    write_members(material, it, plan.due, part)
    (part / it.split).mkdir()
    made = {ending: (it.keys[ending], [f"{it.split}/{clip.name}.{ending}"]) for ending in plan.due}
    for _, (path,) in made.values():
        (part / Path(path).name).rename(part / path)
    before = folder.clips.get(clip.name)
    entry = PackedClip(
        clip=clip.name, layout=folder.layout, recording=material.recording.id, track=clip.track.id,
        start=clip.span.start, frames=len(clip.span), x=it.square.x, y=it.square.y, side=it.square.side,
        parts={name: made for name, made in (before.parts if before else {}).items() if _stays(name, plan)},
    )  # fmt: skip
    folder.keep(entry, made, part)


def _stays(ending: str, plan: _Plan) -> bool:
    """Whether a file of before is one that a clip is to have, and is not made anew."""
    return ending in plan.members.keys and ending not in plan.due
