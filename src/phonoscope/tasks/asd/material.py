"""Where examples come from: labelled tracks or drawn windows of a store, the same of shards, or a folder of windows."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from phonoscope.core.errors import UsageError
from phonoscope.data.pack.members import LABELS
from phonoscope.data.shard_reading import holds_shards, places_in
from phonoscope.data.shard_source import ShardSource
from phonoscope.data.split import SETS, TRAINING, VALIDATION
from phonoscope.data.windows.clips import labelled_clips, speaker_clips
from phonoscope.data.windows.draw import draw
from phonoscope.data.windows.reading import ABOUT, read_windows
from phonoscope.data.windows.samples import ClipSource, SpeakerClip
from phonoscope.data.windows.source import StoreSource
from phonoscope.store.folder import Store
from phonoscope.tasks.asd.examples import Example, Examples, Material, StoreSound, of_track, of_window
from phonoscope.tasks.asd.params import ExamplesParams

FEWER = 0.3  # windows of validation and of test, for one of training


def material_of(source: Path, p: ExamplesParams, model: str = "lr-asd") -> Examples:
    """The examples of a store, of shards, or of a folder that `phonoscope windows` or AnnoTheia's scripts have written.

    Labelled tracks of a store, and labelled clips of shards, are taken whole. Where nobody has said who speaks, windows
    are drawn: a face with its own voice, or with another. `ava-asd` learns from a store's labelled tracks only, in its
    own windows.

    Raises:
        UsageError: it is neither, or gives no examples.
    """
    if (source / "store.json").exists():
        return _of_store(Store(source), p, model)
    if not source.is_dir():
        raise UsageError(f"'{source}' is no store and no folder of windows: `phonoscope prepare FILM --to {source}`")
    if model == "ava-asd":
        raise UsageError("'ava-asd' learns from labelled tracks: give a store with labels, not a folder of windows")
    if holds_shards(source):
        return _of_shards(source, p)
    found = read_windows(source, seed=p.draw_seed)
    examples = {split: [of_window(it, by_frame=False) for it in samples] for split, samples in found.samples.items()}
    return Material(examples, found.source, _policy_said(source))


def checked(material: Examples, source: Path, wanted: Iterable[str] = (TRAINING, VALIDATION)) -> Examples:
    """The same, if it can be learnt from.

    Raises:
        UsageError: a split that is wanted is empty, or all of its examples have one label.
    """
    for split in wanted:
        examples = material.examples.get(split, ())
        if not examples:
            there = ", ".join(f"{len(it)} of {name}" for name, it in material.examples.items() if it) or "none at all"
            raise UsageError(
                f"'{source}' has no examples of the split '{split}' ({there}): films lie in {split}/SPEAKER/, or take "
                "more speakers, who are shared out among splits by their names"
            )
        labels = {it.label for it in examples}
        if len(labels) == 1 and labels <= {0, 1}:
            said = "that somebody speaks" if labels == {1} else "that nobody speaks"
            raise UsageError(f"all {len(examples)} examples of the split '{split}' say {said}: nothing can be learnt")
    return material


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How much there is of a split."""

    examples: int
    recordings: int
    speakers: int
    hours: float  # of the clips that examples are taken from

    @property
    def length(self) -> str:
        """The hours, or minutes, in words."""
        return f"{self.hours:.2f} h" if self.hours >= 1 else f"{60 * self.hours:.1f} min"


def extent(examples: Sequence[Example], fps: float = 25.0) -> Extent:
    """How much a split's examples are taken from, clips of films of so many frames a second."""
    clips = {it.id: it for example in examples for it in (example.video, example.audio)}
    return Extent(
        examples=len(examples),
        recordings=len({it.recording or it.id for it in clips.values()}),
        speakers=len({it.speaker for it in clips.values()}),
        hours=round(sum(it.num_frames for it in clips.values()) / fps / 3600, 4),
    )


def contents(material: Examples) -> str:
    """What is learnt from, in 16 hex digits: which examples of which clips, and what their arrays are made from."""
    examples = {name: [_told(it) for it in its] for name, its in sorted(material.examples.items())}
    clips = {it.id: it for its in material.examples.values() for each in its for it in (each.video, each.audio)}
    keys = _keys(material.source, [clips[id] for id in sorted(clips)])
    return hashlib.sha256(msgspec.json.encode([material.policy, examples, keys])).hexdigest()[:16]


def _told(it: Example) -> list[Any]:
    return [it.video.id, it.audio.id, it.start, it.audio_start, it.num_frames, it.label]


def _keys(source: ClipSource, clips: Sequence[SpeakerClip]) -> list[str]:
    """What the arrays of clips, and what is said of their frames, are made from; files of others do not tell."""
    if isinstance(source, StoreSource):
        said = {id: source.store[id].receipts.get("labels") for id in {it.recording for it in clips}}
        labels = {id: receipt.key if receipt else "" for id, receipt in said.items()}
        return [f"{source.key(it)} {labels[it.recording]}" for it in clips]
    return [source.key(it) for it in clips] if isinstance(source, ShardSource) else []


def _of_store(store: Store, p: ExamplesParams, model: str) -> Examples:
    policy = _policy_made(store, model)
    source, sound = StoreSource(store, policy), StoreSound(store)  # type: ignore[arg-type]
    if any("labels" in store[id].fresh for id in store):
        clips = labelled_clips(store).clips
        if model == "ava-asd":
            from phonoscope.tasks.asd.seed001 import ava_material

            return ava_material(store, clips)
        return Material(_by_split({it: of_track(it, p.piece) for it in clips}), source, policy, sound)
    if model == "ava-asd":
        raise UsageError(f"'ava-asd' learns from labels, and the store at '{store.root}' has none")
    found = speaker_clips(store)
    if not found.clips:
        why = next(iter(found.left_out.values()), "it has no recordings")
        raise UsageError(f"the store at '{store.root}' has no clip to learn from: {why}")
    return Material(_windows(found.clips, p), source, policy, sound)


def _of_shards(folder: Path, p: ExamplesParams) -> Examples:
    """Labelled clips whole; if there are none, windows of a clip a recording: the one in which most is spoken."""
    source = ShardSource(folder, places_in(folder))
    if labelled := [it for it in source.clips if LABELS in source.places[it.id].files]:
        examples = _by_split({it: of_track(it, p.piece) for it in labelled})
    else:
        examples = _windows(_one_a_recording(source), p)
    shards = {id: place.shard for id, place in source.places.items()}
    return Material(examples, source, source.policy, source, nullcontext(), shards)  # which locks what it must


def _one_a_recording(source: ShardSource) -> list[SpeakerClip]:
    of: dict[str, list[SpeakerClip]] = defaultdict(list)
    for clip in source.clips:
        of[clip.recording].append(clip)
    return [
        max(them, key=lambda it: (source.speaking(it), it.num_frames)) if len(them) > 1 else them[0]
        for them in of.values()
    ]


def _windows(clips: Iterable[SpeakerClip], p: ExamplesParams) -> dict[str, list[Example]]:
    """Windows drawn from the clips of each set."""
    sets: dict[str, list[SpeakerClip]] = defaultdict(list)
    for clip in clips:
        sets[clip.split].append(clip)
    drawn = {}
    for split, its in sets.items():
        number = p.n_samples if split == TRAINING else round(FEWER * p.n_samples)
        drawn[split] = [of_window(it) for it in draw(its, number, p.window, p.draw_seed).samples]
    return drawn


def _by_split(examples: Mapping[SpeakerClip, Sequence[Example]]) -> dict[str, list[Example]]:
    sets: dict[str, list[Example]] = {name: [] for name in SETS}
    for clip, its in examples.items():
        sets.setdefault(clip.split, []).extend(its)
    return sets


def _policy_made(store: Store, model: str) -> str:
    """How the faces of a store are cut.

    Raises:
        UsageError: some are cut in one way and some in another.
    """
    if model == "ava-asd":
        return "tight"
    receipts = [store[id].receipts.get("face_crops") for id in store]
    policies = {(it.params or {}).get("policy", "asd") for it in receipts if it} - {"tight"}
    if len(policies) > 1:
        again = f"`phonoscope run face_crops {store.root} --face-crops.policy asd` makes them alike"
        raise UsageError(f"faces of '{store.root}' are cut by {' and '.join(sorted(policies))}: {again}")
    return policies.pop() if policies else "asd"


def _policy_said(folder: Path) -> str:
    """How the faces of a folder of windows are cut; AnnoTheia's, which do not say, are aligned."""
    about = folder / ABOUT
    told: dict[str, Any] = msgspec.json.decode(about.read_bytes()) if about.exists() else {}
    return str(told.get("policy", "aligned"))
