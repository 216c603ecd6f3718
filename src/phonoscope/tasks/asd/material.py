"""Where examples come from: a store with labels, a store from which windows are drawn, or a folder of windows."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from phonoscope.core.errors import UsageError
from phonoscope.data.split import SETS, TRAINING, VALIDATION
from phonoscope.data.windows.clips import labelled_clips, speaker_clips
from phonoscope.data.windows.draw import draw
from phonoscope.data.windows.reading import ABOUT, read_windows
from phonoscope.data.windows.samples import SpeakerClip
from phonoscope.data.windows.source import StoreSource
from phonoscope.store.folder import Store
from phonoscope.tasks.asd.examples import Example, Examples, Material, StoreSound, of_track, of_window
from phonoscope.tasks.asd.params import ExamplesParams

FEWER = 0.3  # windows of validation and of test, for one of training


def material_of(source: Path, p: ExamplesParams, model: str = "lr-asd") -> Examples:
    """The examples of a store, or of a folder that `phonoscope windows` or AnnoTheia's scripts have written.

    A store's labelled tracks are taken whole. Where nobody has said who speaks, windows are drawn: a face with its
    own voice, or with another. `ava-asd` learns from labelled tracks only, in its own windows.

    Raises:
        UsageError: it is neither, or gives no examples.
    """
    if (source / "store.json").exists():
        return _of_store(Store(source), p, model)
    if not source.is_dir():
        raise UsageError(f"'{source}' is no store and no folder of windows: `phonoscope prepare FILM --to {source}`")
    if model == "ava-asd":
        raise UsageError("'ava-asd' learns from labelled tracks: give a store with labels, not a folder of windows")
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
    sets: dict[str, list[SpeakerClip]] = defaultdict(list)
    for clip in found.clips:
        sets[clip.split].append(clip)
    drawn = {}
    for split, clips in sets.items():
        number = p.n_samples if split == TRAINING else round(FEWER * p.n_samples)
        drawn[split] = [of_window(it) for it in draw(clips, number, p.window, p.draw_seed).samples]
    return Material(drawn, source, policy, sound)


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
