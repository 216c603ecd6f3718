"""Which window samples a store gives, set by set: worked out before anything is cut or written."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from phonoscope.core.checks import within
from phonoscope.core.errors import UsageError
from phonoscope.core.faces import Track
from phonoscope.data.balance import BalanceParams, Kept, balance
from phonoscope.data.split import SETS, TRAINING
from phonoscope.data.windows.clips import UNSAFE, StoreClips, labelled_clips, speaker_clips
from phonoscope.data.windows.draw import KindCount, draw
from phonoscope.data.windows.labelled import labelled_windows
from phonoscope.data.windows.samples import KINDS, PARTIAL, POSITIVE, SpeakerClip, WindowSample, side_of
from phonoscope.data.windows.source import Policy, StoreSource
from phonoscope.store.folder import Store

OTHERS = 0.3  # share of the training samples that each other set has
CLASSES = np.array(["not speaking", "speaking"])  # by label


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowsParams:
    """Which windows, of whom, how many."""

    n_samples: int = 100_000  # windows to train with; each other set gets 30 % of it
    window: int = 25  # frames of a window, odd
    seed: int = 0  # of what is drawn
    kinds: tuple[str, ...] = ()  # of windows; by default all, partial only where a speaker has two clips
    labels: Literal["none", "last", "all"] = "none"  # draw mismatches; or read labels off the last or all frames
    stride: int = 25  # frames from one labelled window to the next
    pad: bool = False  # also windows that reach beyond their clip, filled up with zeros
    policy: Policy = "asd"  # how faces are cut: as scorers see them, or aligned by landmarks
    sets: tuple[str, ...] = ()  # to be made; by default training, validation, test, and what else a corpus lists
    shares: tuple[float, float, float] = (0.7, 0.15, 0.15)  # of speakers, training validation test, where none lists
    split_seed: int = 0  # of which speaker falls into which set
    min_face: float = 0.0  # px, least longer side of a face; below 1 as a share of the picture's height
    balance: bool = False  # as many windows of those who speak as of others
    keep_ratio: tuple[float, float, float] = (1.0, 1.0, 1.0)  # share that is kept of training, validation, test
    drop: tuple[str, ...] = ()  # AVA's labels of which no annotation is kept (ava-asd)

    def __post_init__(self) -> None:
        side_of(self.window)
        within("--n-samples", self.n_samples, 1)
        within("--stride", self.stride, 1)
        within("--min-face", self.min_face, 0)
        within("--seed", self.seed, 0)
        for ratio in self.keep_ratio:
            within("--keep-ratio", ratio, 0, 1)
        if unknown := [kind for kind in self.kinds if kind not in KINDS]:
            raise UsageError(f"no kind of window '{unknown[0]}'; there are {', '.join(KINDS)}")

    @property
    def kind_shares(self) -> Mapping[str, float]:
        """Kind -> its weight: half positives, the other half alike among the negatives that are asked for."""
        kinds = self.kinds or KINDS
        negatives = [kind for kind in KINDS if kind in kinds and kind != POSITIVE]
        positive = {POSITIVE: 0.5} if POSITIVE in kinds else {}
        return {**positive, **{kind: 0.5 / len(negatives) for kind in negatives}}

    def ratio_of(self, split: str) -> float:
        """The share that is kept of a set."""
        return dict(zip(SETS, self.keep_ratio, strict=True)).get(split, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPlan:
    """The samples of one set."""

    clips: int  # that it has
    speakers: int
    samples: tuple[WindowSample, ...]
    kinds: tuple[KindCount, ...] = ()  # what came of each kind that is drawn
    funnel: tuple[Kept, ...] = ()  # what each condition left of clips, then of windows

    @property
    def used(self) -> list[SpeakerClip]:
        """The clips that its samples show or let hear, by id."""
        return sorted({clip for it in self.samples for clip in (it.video, it.audio)}, key=lambda clip: clip.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowPlan:
    """What is to be written: the samples of every set."""

    store: Store
    params: WindowsParams
    sets: Mapping[str, SetPlan]
    left_out: Mapping[str, str] = field(default_factory=dict)  # recording -> why


def plan_windows(store: Store, p: WindowsParams) -> WindowPlan:
    """The window samples that a store gives, by a seed; nothing is cut, nothing written.

    Each set is drawn from its own clips by a generator of its own: whatever is added to one changes no other.

    Raises:
        UsageError: a set is empty, a kind of window that is wanted cannot be had, faces are to be aligned and have no
            landmarks, or the store has no clips at all.
    """
    if p.drop:
        raise UsageError("--drop leaves out annotations by AVA's labels: it goes with --as ava-asd")
    clips, sets = clips_by_set(store, p, labelled=p.labels != "none")
    _check_landmarks(store, [clip for of in sets.values() for clip in of], p)
    make = _draw if p.labels == "none" else _read_off
    return WindowPlan(
        store=store, params=p, sets={name: make(store, of, name, p) for name, of in sets.items()},
        left_out=clips.left_out,
    )  # fmt: skip


def clips_by_set(store: Store, p: WindowsParams, labelled: bool) -> tuple[StoreClips, dict[str, list[SpeakerClip]]]:
    """The clips of a store, and those of each set that is to be made.

    Raises:
        UsageError: a set has none, or a name that no file can have.
    """
    shares = dict(zip(SETS, p.shares, strict=True))
    clips = (labelled_clips if labelled else speaker_clips)(store, shares, p.split_seed)
    wanted = p.sets or tuple(dict.fromkeys([*SETS, *sorted({clip.split for clip in clips.clips})]))
    sets = {name: [clip for clip in clips.clips if clip.split == name] for name in wanted}
    for name in wanted:
        if UNSAFE.search(name) or name == "clips":
            raise UsageError(f"the set '{name}' cannot be written as {name}.csv: call it otherwise in its corpus")
    if not clips.clips:
        raise UsageError(f"no recording of '{store.root}' can give windows{_reasons(clips)}")
    if empty := [name for name, of in sets.items() if not of]:
        others = [name for name in sets if sets[name]]
        fewer = f"make fewer sets: --sets {' '.join(others)}, " if others else ""
        what = f"no clip of '{store.root}' is in {empty[0]}{_reasons(clips)}"
        raise UsageError(f"{what}: add recordings, {fewer}or change --shares of speakers that no corpus lists")
    return clips, sets


def _check_landmarks(store: Store, clips: Sequence[SpeakerClip], p: WindowsParams) -> None:
    if p.policy == "aligned":
        source = StoreSource(store, p.policy)
        lacking = sorted({clip.recording for clip in clips if not source.has_faces(clip)})
        if lacking:
            who = f"'{lacking[0]}'" + (f" and {len(lacking) - 1} more" if lacking[1:] else "")
            makes = f"`phonoscope run landmarks {store.root}` makes them"
            raise UsageError(f"aligned faces are cut by landmarks, and {who} have none: {makes}")


def _reasons(clips: StoreClips) -> str:
    """Why recordings are left out, the most usual first."""
    counts = Counter(clips.left_out.values()).most_common(3)
    return "".join(f"; {count} left out: {why}" for why, count in counts)


def _draw(store: Store, clips: Sequence[SpeakerClip], split: str, p: WindowsParams) -> SetPlan:
    funnel: tuple[Kept, ...] = ()
    if p.min_face:
        sizes = [face_sizes(store, clip) for clip in clips]
        size, height = (np.array(it) for it in zip(*((np.median(of), h) for of, h in sizes), strict=True))
        people = np.full(len(clips), "clips")
        kept, funnel = balance(people, BalanceParams(min_face=p.min_face), rng_of(p, split), size, height)
        clips = [clips[at] for at in kept]
        if not clips:
            raise UsageError(f"every clip of {split} has a face smaller than --min-face {p.min_face:g}")
    n = p.n_samples if split == TRAINING else int(p.n_samples * OTHERS)
    may_lack = () if p.kinds else (PARTIAL,)
    drawn = draw(clips, n, p.window, p.seed, p.kind_shares, pad=p.pad, may_lack=may_lack)
    return _balanced(clips, drawn.samples, split, p, drawn.kinds, funnel)


def _read_off(store: Store, clips: Sequence[SpeakerClip], split: str, p: WindowsParams) -> SetPlan:
    rule = "all" if p.labels == "all" else "last"
    samples = labelled_windows(clips, StoreSource(store), p.window, p.stride, rule)
    funnel: tuple[Kept, ...] = ()
    if p.min_face:
        sizes = {clip.id: face_sizes(store, clip) for clip in clips}
        side = side_of(p.window)
        size = np.array([sizes[it.video.id][0][it.center + side] for it in samples])
        height = np.array([sizes[it.video.id][1] for it in samples])
        kept, funnel = balance(_classes(samples), BalanceParams(min_face=p.min_face), rng_of(p, split), size, height)
        samples = tuple(samples[at] for at in kept)
    if not samples:
        raise UsageError(f"{split} has no window of {p.window} frames with a label and a face that is large enough")
    return _balanced(clips, samples, split, p, (), funnel)


def _balanced(
    clips: Sequence[SpeakerClip],
    samples: Sequence[WindowSample],
    split: str,
    p: WindowsParams,
    kinds: tuple[KindCount, ...],
    funnel: tuple[Kept, ...],
) -> SetPlan:
    how = BalanceParams(equal=p.balance, keep_ratio=p.ratio_of(split))
    kept, stages = balance(_classes(samples), how, rng_of(p, split))
    return SetPlan(
        clips=len(clips), speakers=len({clip.speaker for clip in clips}), samples=tuple(samples[at] for at in kept),
        kinds=kinds, funnel=(*funnel, *stages),
    )  # fmt: skip


def _classes(samples: Sequence[WindowSample]) -> np.ndarray:
    return CLASSES[[it.label for it in samples]] if samples else CLASSES[:0]


def rng_of(p: WindowsParams, split: str) -> np.random.Generator:
    """The generator that thins out a set: its own, whatever becomes of the others."""
    return np.random.default_rng([p.seed, *split.encode()])


def face_sizes(store: Store, clip: SpeakerClip) -> tuple[np.ndarray, int]:
    """The longer side of a clip's face in each of its frames, (T,) px, and the height of its picture, px."""
    stored = store[clip.recording]
    track: Track = stored.load("tracks")[clip.track]
    return (track.box[:, 2:] - track.box[:, :2]).max(axis=1), stored.recording.height
