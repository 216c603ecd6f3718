"""Packing into shards: all clips are shared out first, then shards are made one by one."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

from phonoscope.data.pack.clips import Choice, clips_of, recording_in
from phonoscope.data.pack.film import watch
from phonoscope.data.pack.layout import Packed
from phonoscope.data.pack.material import Material
from phonoscope.data.pack.members import (
    ABOUT,
    FILM,
    Members,
    film_member,
    lacking,
    members_of,
    read_about,
    write_members,
)
from phonoscope.data.pack.shard_folder import PackedShard, ShardedClip, ShardFolder
from phonoscope.data.pack.shards import ClipFiles, ShardClip, ShardKind, ShardParams, ShardPlan, share_out
from phonoscope.flow.run import StepFailed, failure_of
from phonoscope.flow.shard import Shard
from phonoscope.flow.streams import Look
from phonoscope.store.folder import Store
from phonoscope.store.forgotten import forgotten


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardPacking:
    """What is to be packed into shards; nothing is written until it is carried out."""

    store: Store
    folder: ShardFolder
    layout: ShardKind
    params: ShardParams
    items: tuple[str, ...]  # ids of recordings
    choice: Choice | None = None  # None: every track of each
    part: Shard | None = None  # of the work: which shards are ours

    def carry_out(self) -> Iterator[Packed]:
        """Pack, and tell of each recording when all of its clips are through; what fails stops it only.

        Shards that are not asked for are taken away at the end; `manifest.json`, and what a layout makes of all shards,
        is written then, and also if the iteration is ended early.
        """
        planned = self._planned()
        yield from planned.told
        try:
            yield from self._shards(planned, make=True)
            if self.folder.root.exists():
                self.folder.only({shard.name for shard in planned.shards})
        finally:
            if self.folder.root.exists():
                self.folder.tell({shard.name: shard.key for shard in planned.shards})
                self.layout.finish(self.folder)

    def foretell(self) -> Iterator[Packed]:
        """Tell of each recording what would become of it; nothing is written."""
        planned = self._planned()
        yield from planned.told
        yield from self._shards(planned, make=False)

    def _planned(self) -> "_Planned":
        clips: list[ShardClip] = []
        told: list[Packed] = []
        wants: dict[str, tuple[str, ...]] = {}
        for id in self.items:
            try:
                found, wants[id] = self._clips(id)
            except Exception as error:  # noqa: BLE001 - this recording stops, with its reason; the others go on
                told.append(self._failed(error, id))
                continue
            clips += found
            if not found:
                told.append(Packed(recording=id))
        shards = share_out(clips, (self.layout.name, self.layout.version), self.params)
        mine = tuple(it for it in shards if self.part is None or it.name in self.part)
        return _Planned(shards, mine, told, wants)

    def _clips(self, id: str) -> tuple[list[ShardClip], tuple[str, ...]]:
        """The clips of a recording, and which artifacts it lacks."""
        stored = recording_in(self.store, id)
        material, tracks = Material(stored), stored.load("tracks")
        chosen = clips_of(id, tracks, None if self.choice is None else self.choice[id])
        found = [members_of(material, clip, self.params.cut) for clip in chosen]
        fps = material.recording.fps
        clips = [
            ShardClip(it.split, id, it.clip.name, it.clip.track.id, it.clip.span, len(it.clip.span) / fps, it.key)
            for it in found
        ]
        return clips, lacking(material)

    def _shards(self, planned: "_Planned", make: bool) -> Iterator[Packed]:
        """Go through our shards; a recording is told of after the last that holds a clip of it."""
        last = {clip.recording: shard.name for shard in planned.mine for clip in shard.clips}
        pending: dict[str, Packed] = {}
        for shard in planned.mine:
            kept = self.folder.has(shard.name, shard.key)
            due = make and (not kept or self.folder.unfinished(shard.name))  # making one clears away what is half
            for told in self._make(shard) if due else _foretold(shard, kept):
                pending[told.recording] = _joined(pending.get(told.recording), told)
                if last[told.recording] == shard.name:
                    yield replace(pending.pop(told.recording), lacking=planned.wants[told.recording])

    def _make(self, shard: ShardPlan) -> list[Packed]:
        """Make a shard of all clips that can be made; one that lies there from before gives way to a whole one only."""
        made: list[ClipFiles] = []
        told: list[Packed] = []
        file = self.layout.place % shard.name
        with self.folder.hold(shard.name) as part:
            if self.folder.has(shard.name, shard.key):  # another process has made it meanwhile
                return _foretold(shard, kept=True)
            to = part / Path(file).name
            self.layout.write(to, self._written(shard, part, made, told))
            before = self.folder.shards.get(shard.name)
            better = before is None or before.key == shard.key or len(made) == len(shard.clips)
            gone = {it.recording for it in forgotten(self.store.root)}
            due = before is not None and any(it.recording in gone for it in before.clips)  # it must not stay
            if made and (better or due):
                self.folder.keep(_entry(shard, self.layout.name, file, made), to)
            elif due:
                self.folder.discard(shard.name)
        return told

    def _written(self, shard: ShardPlan, part: Path, made: list[ClipFiles], told: list[Packed]) -> Iterator[ClipFiles]:
        """The clips of a shard, each as files that lie there until the next one is asked for.

        Args:
            part: an empty folder.
            made: gets each clip that could be made.
            told: gets what has become of each recording.
        """
        for id, clips in groupby(shard.clips, key=lambda it: it.recording):
            mine, where = [*clips], part / id
            try:
                files, notes = self._files(id, mine, where)
            except Exception as error:  # noqa: BLE001 - this recording stops, with its reason; the others go on
                told.append(self._failed(error, id))
            else:
                told.append(Packed(recording=id, made=tuple(it.name for it in mine), notes=notes))
                for it in files:
                    made.append(it)
                    yield it
            shutil.rmtree(where, ignore_errors=True)

    def _files(self, id: str, clips: Sequence[ShardClip], where: Path) -> tuple[list[ClipFiles], tuple[str, ...]]:
        """All files of some clips of one recording, in a new folder, and what was odd about the film."""
        stored = self.store[id]
        material = Material(stored)
        cut = clips_of(id, stored.load("tracks"), [(it.track, it.span) for it in clips])
        members = [members_of(material, clip, self.params.cut) for clip in cut]
        where.mkdir()
        notes = watch(stored, {it.clip.name: _film(material, it, where) for it in members if FILM in it.keys})
        files = []
        for it in members:
            write_members(material, it, it.keys.keys() - {FILM}, where)
            paths = {ending: where / f"{it.clip.name}.{ending}" for ending in sorted(it.keys)}
            files.append(ClipFiles(read_about(paths[ABOUT]), paths))
        return files, notes

    def _failed(self, error: Exception, id: str) -> Packed:
        failed = StepFailed("pack")
        failed.__cause__ = error
        source = self.store[id].recording.source if id in self.store else id
        return Packed(recording=id, failure=failure_of(failed, source, id))


@dataclass(frozen=True, slots=True)
class _Planned:
    """What is to be done."""

    shards: tuple[ShardPlan, ...]  # all of them
    mine: tuple[ShardPlan, ...]  # those that we are to make
    told: Sequence[Packed]  # recordings that have no clips, or whose clips are not known
    wants: Mapping[str, tuple[str, ...]]  # recording -> artifacts that it lacks


def _film(material: Material, it: Members, folder: Path) -> Look[None]:
    """A look at the film under one clip."""
    batch = yield [it.clip.span]
    yield from film_member(batch, material, it, folder)
    yield None


def _foretold(shard: ShardPlan, kept: bool) -> list[Packed]:
    """Of each recording what lies in a shard, or would."""
    told = []
    for id, clips in groupby(shard.clips, key=lambda it: it.recording):
        names = tuple(it.name for it in clips)
        told.append(Packed(recording=id, kept=names) if kept else Packed(recording=id, made=names))
    return told


def _joined(a: Packed | None, b: Packed) -> Packed:
    """What has become of a recording's clips in two shards."""
    if a is None:
        return b
    notes = tuple(dict.fromkeys(a.notes + b.notes))
    return replace(a, made=a.made + b.made, kept=a.kept + b.kept, notes=notes, failure=a.failure or b.failure)


def _entry(shard: ShardPlan, layout: str, file: str, made: Sequence[ClipFiles]) -> PackedShard:
    there = {it.about.clip for it in made}
    return PackedShard(
        shard=shard.name, layout=layout, split=shard.split, key=shard.key, file=file,
        clips=tuple(
            ShardedClip(
                clip=it.clip, recording=it.recording, track=it.track, start=it.start_frame, frames=it.frames,
                speaker=it.speaker, licence=it.licence, seconds=it.duration_s, files=tuple(clip.files),
            )
            for clip in made
            for it in [clip.about]
        ),
        failed=tuple(clip.name for clip in shard.clips if clip.name not in there),
    )  # fmt: skip
