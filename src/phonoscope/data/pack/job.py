"""Packing in Python: a store in, a folder that other people's trainers read out."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from phonoscope.core.errors import UsageError
from phonoscope.data.pack.about import check_sets
from phonoscope.data.pack.annotheia import AnnotheiaParams, annotheia, join_scenes
from phonoscope.data.pack.annotheia_clips import AnnotheiaClipsParams, annotheia_clips, join_transcriptions, strays
from phonoscope.data.pack.ava_csv import AvaCsvParams, ava_csv, join_predictions
from phonoscope.data.pack.avspeech_embeddings import AvspeechEmbeddingsParams, avspeech_embeddings, join_list
from phonoscope.data.pack.avspeech_embeddings import strays as numbered_strays
from phonoscope.data.pack.avspeech_faces import AvspeechFacesParams, avspeech_faces, list_valid
from phonoscope.data.pack.clips import Choice, clips_of, read_choice, recording_in
from phonoscope.data.pack.folder import PackFolder
from phonoscope.data.pack.hf import HF
from phonoscope.data.pack.layout import Kind, Packed
from phonoscope.data.pack.lhotse import write_manifests
from phonoscope.data.pack.members import ClipsParams
from phonoscope.data.pack.overlay import OverlayParams, overlay
from phonoscope.data.pack.parquet import PARQUET
from phonoscope.data.pack.plain_clips import plain_clips
from phonoscope.data.pack.rttm import RttmParams, join_turns, rttm
from phonoscope.data.pack.shard_folder import ShardFolder
from phonoscope.data.pack.shard_job import ShardPacking
from phonoscope.data.pack.shards import ShardKind
from phonoscope.data.pack.talking_face import TalkingFaceParams, talking_face
from phonoscope.data.pack.webdataset import WEBDATASET
from phonoscope.flow.run import StepFailed, failure_of
from phonoscope.flow.shard import Shard
from phonoscope.store.folder import Store
from phonoscope.store.forgotten import forgotten

LAYOUTS: Mapping[str, Kind | ShardKind] = {
    "talking-face": Kind(talking_face, TalkingFaceParams),
    "ava-csv": Kind(ava_csv, AvaCsvParams, join_predictions),
    "rttm": Kind(rttm, RttmParams, join_turns),
    "annotheia": Kind(annotheia, AnnotheiaParams, join_scenes),
    "annotheia-clips": Kind(annotheia_clips, AnnotheiaClipsParams, join_transcriptions, strays),
    "overlay": Kind(overlay, OverlayParams),
    "avspeech-embeddings": Kind(avspeech_embeddings, AvspeechEmbeddingsParams, join_list, numbered_strays),
    "avspeech-faces": Kind(avspeech_faces, AvspeechFacesParams, list_valid),
    "clips": Kind(plain_clips, ClipsParams, check=check_sets),
    "lhotse": Kind(plain_clips, ClipsParams, write_manifests, check=check_sets),
    "webdataset": WEBDATASET,
    "parquet": PARQUET,
    "hf": HF,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Packing:
    """What is to be packed, from where, to where; nothing is written until it is carried out."""

    store: Store
    folder: PackFolder
    layout: Kind
    params: Any  # of the layout's own type
    items: tuple[str, ...]  # ids of recordings
    choice: Choice | None = None  # None: every track of each

    def carry_out(self) -> Iterator[Packed]:
        """Pack, and tell of each recording when it is through; what fails stops that recording only.

        `clips.csv`, and what a layout makes of all recordings, is written at the end, and also if the iteration is
        ended early.
        """
        yield from self.layout.strays(self.store, self.params)
        self.folder.forget({it.recording for it in forgotten(self.store.root)})
        try:
            for id in self.items:
                yield self._pack(id, self.folder.hold)
        finally:
            if self.folder.root.exists():
                self.folder.write_list()
                self.layout.finish(self.folder)

    def foretell(self) -> Iterator[Packed]:
        """Tell of each recording what would become of it; nothing is written."""
        yield from self.layout.strays(self.store, self.params)
        for id in self.items:
            yield self._pack(id)

    def _pack(self, id: str, hold: Callable[[str], AbstractContextManager[None]] | None = None) -> Packed:
        """Pack a recording while `hold` keeps others away; without it, only say what would be done."""
        source = id
        try:
            stored = recording_in(self.store, id)
            source = stored.recording.source
            with hold(id) if hold else nullcontext():
                chosen = None if self.choice is None else self.choice[id]
                clips = clips_of(id, stored.load("tracks"), chosen)
                told = self.layout.pack(stored, clips, self.folder, self.params)
                packed = next(told)
                return next(told) if hold else packed
        except Exception as error:  # noqa: BLE001 - this recording stops, with its reason; the others go on
            failed = StepFailed("pack")
            failed.__cause__ = error
            return Packed(recording=id, failure=failure_of(failed, source, id))


def pack(
    store: Store | Path | str,
    to: Path | str,
    layout: str = "talking-face",
    clips: Path | str | None = None,
    only: Sequence[str] = (),
    params: Any = None,
    *,
    shard: Shard | None = None,
) -> Packing | ShardPacking:
    """The job that packs a store into the folder `to`, once it is carried out.

    >>> for packed in pack("films", "heads").carry_out():
    ...     print(packed.recording, packed.made)

    Args:
        layout: a name in `LAYOUTS`.
        clips: table of the clips to pack: recording, track, start_frame, stop_frame. By default every track.
        only: ids of recordings; by default all of them, or all that `clips` names.
        params: settings of the layout.
        shard: take only this part of the recordings, or of the shards of a layout of shards; other machines may fill
            the same folder with the others.

    Raises:
        UsageError: there is no such layout, store or recording, `clips` names no clips, or `to` holds other things or
            lies among the store's recordings, or, in layouts that know sets, a speaker is in two of them.
    """
    if layout not in LAYOUTS:
        near = get_close_matches(layout, LAYOUTS, n=1)
        raise UsageError(f"no layout '{layout}'; " + (f"did you mean '{near[0]}'?" if near else ", ".join(LAYOUTS)))
    store = store if isinstance(store, Store) else Store(store)
    if Path(to).resolve().is_relative_to((store.root / "recordings").resolve()):
        raise UsageError(f"'{to}' lies among the recordings of the store: give another folder to --to")
    choice = None if clips is None else read_choice(Path(clips))
    items = [*store] if choice is None else [*choice]
    if only:
        asked = [store[id].folder.name for id in only]
        items = [id for id in dict.fromkeys(asked) if choice is None or id in choice]
    kind = LAYOUTS[layout]
    settings = kind.params() if params is None else params
    kind.check(store, items)
    if isinstance(kind, ShardKind):
        return ShardPacking(
            store=store, folder=ShardFolder(to, layout), layout=kind, params=settings, items=tuple(items),
            choice=choice, part=shard,
        )  # fmt: skip
    return Packing(
        store=store, folder=PackFolder(to, layout), layout=kind, params=settings,
        items=tuple(id for id in items if shard is None or id in shard), choice=choice,
    )  # fmt: skip
