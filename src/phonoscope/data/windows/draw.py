"""Drawing window samples: which windows of which clips, with whose voice, by a seed.

Source: the four kinds and their shares are those of AnnoTheia's fine-tuning (Acosta-Triana et al., LREC-COLING 2024);
its scripts hear the video's own clip in place of another speaker's, and measure overlap in audio rows.
"""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from phonoscope.core.errors import UsageError
from phonoscope.data.windows.samples import (
    COMPLETE,
    KINDS,
    PARTIAL,
    POSITIVE,
    SHARES,
    TEMPORAL,
    SpeakerClip,
    WindowSample,
    centres,
    min_shift,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KindCount:
    """What came of one kind of sample."""

    kind: str
    asked: int  # samples
    drawn: int  # samples
    clips: int  # that can supply it
    unable: int  # clips that cannot, and were passed over


@dataclass(frozen=True, slots=True)
class Drawn:
    """The samples of one set, in random order, and what could not be drawn."""

    samples: tuple[WindowSample, ...]
    kinds: tuple[KindCount, ...]


def draw(
    clips: Sequence[SpeakerClip],
    n: int,
    window: int = 25,
    seed: int = 0,
    shares: Mapping[str, float] = SHARES,
    *,
    pad: bool = False,
    may_lack: Collection[str] = (PARTIAL,),
) -> Drawn:
    """`n` different window samples of the clips of one set, or as many as there are.

    Each kind gets its share; within it every speaker gives as many windows as the others, and every clip of a speaker,
    as far as they have them. Frames in the middle of a window are drawn alike, none twice within a kind. A negative's
    sound is drawn once, here. Where there are too few windows, positives and negatives stay in proportion; kinds of
    negatives stand in for each other.

    The same clips, in whatever order, give the same samples; clips of other sets play no part.

    Args:
        shares: kind -> its weight; kinds that are not named are not drawn. Of negatives that cannot be had the others
            take over the share.
        pad: also windows that reach beyond the clip, as upstream has them; by default only those that fit.
        may_lack: kinds that are silently left out where no clip can supply them; of others that is an error.

    Raises:
        UsageError: there is no such kind, no clip can supply one that is wanted, or there are no clips.
        ValueError: the clips are of several sets, or two are of one recording, whose sound they would share.
    """
    clips = sorted(clips, key=lambda clip: clip.id)
    split = _checked(clips, shares)
    rng = np.random.default_rng([seed, int.from_bytes(hashlib.sha256(split.encode()).digest()[:8])])
    room = {kind: _rooms(kind, clips, window, pad) for kind in KINDS if shares.get(kind, 0) > 0}
    for kind in [kind for kind, rooms in room.items() if not rooms.any()]:
        if kind not in may_lack:
            raise UsageError(_why(kind, clips, split, window))
        del room[kind]
    weights = _weights(shares, room)
    counts = _counts(n, weights, {kind: int(rooms.sum()) for kind, rooms in room.items()}, rng)
    wanted = _counts(n, weights, dict.fromkeys(room, n), np.random.default_rng(0))
    samples = [it for kind in room for it in _of_kind(kind, clips, room[kind], counts[kind], window, pad, rng)]
    told = [
        KindCount(
            kind=kind,
            asked=wanted.get(kind, 0),
            drawn=counts.get(kind, 0),
            clips=int((room[kind] > 0).sum()) if kind in room else 0,
            unable=int((room[kind] == 0).sum()) if kind in room else len(clips),
        )
        for kind in KINDS
        if shares.get(kind, 0) > 0
    ]
    return Drawn(tuple(samples[at] for at in rng.permutation(len(samples))), tuple(told))


def share_out(total: int, room: np.ndarray, rng: np.random.Generator, weight: np.ndarray | None = None) -> np.ndarray:
    """`total` in whole parts (N,) by weight, none larger than its room (N,); what does not divide goes by lot."""
    given = np.zeros(len(room), np.int64)
    weight = np.ones(len(room)) if weight is None else weight
    while left := min(total, int(room.sum())) - int(given.sum()):
        free = np.flatnonzero(given < room)
        part = np.floor(left * weight[free] / weight[free].sum()).astype(np.int64)
        if not part.any():
            part = np.zeros(len(free), np.int64)
            part[rng.permutation(len(free))[:left]] = 1
        given[free] = np.minimum(given[free] + part, room[free])
    return given


def _checked(clips: Sequence[SpeakerClip], shares: Mapping[str, float]) -> str:
    """The set that all clips are of."""
    if unknown := sorted(set(shares) - set(KINDS)):
        raise UsageError(f"no kind of window '{unknown[0]}'; there are {', '.join(KINDS)}")
    if not clips:
        raise UsageError("there is no clip to draw windows from")
    if len({clip.split for clip in clips}) > 1:
        raise ValueError(f"draw from one set at a time, got {sorted({clip.split for clip in clips})}")
    sounds = [clip.recording or clip.id for clip in clips]
    if len(set(sounds)) < len(sounds):
        twice = next(it for it in sounds if sounds.count(it) > 1)
        raise ValueError(f"two clips are of '{twice}': another's voice would be one's own")
    return clips[0].split


def _rooms(kind: str, clips: Sequence[SpeakerClip], window: int, pad: bool) -> np.ndarray:
    """How many different windows of this kind each clip can supply, (N,) int64."""
    fits = [centres(clip.num_frames, window, pad) for clip in clips]
    room = np.array([sum(map(len, _video_centres(kind, it, window))) for it in fits], np.int64)
    if kind in (PARTIAL, COMPLETE):
        heard: dict[str, int] = defaultdict(int)  # clips of each speaker from which sound can be taken
        for clip, it in zip(clips, fits, strict=True):
            heard[clip.speaker] += len(it) > 0
        own = np.array([heard[clip.speaker] for clip in clips])
        others = own > 1 if kind == PARTIAL else sum(heard.values()) > own
        room[~others] = 0
    return room


def _video_centres(kind: str, fits: range, window: int) -> tuple[range, range]:
    """Where the video's window may lie: for a temporal mismatch, where another lies far enough before or after it."""
    shift = min_shift(window) if kind == TEMPORAL else 0
    early = range(fits.start, max(fits.start, fits.stop - shift))
    late = range(max(early.stop, fits.start + shift), fits.stop)
    return early, late


def _weights(shares: Mapping[str, float], room: Collection[str]) -> dict[str, float]:
    """The shares of the kinds that can be had; negatives take over from each other, so that labels stay balanced."""
    wanted = sum(share for kind, share in shares.items() if kind != POSITIVE)
    there = sum(shares[kind] for kind in room if kind != POSITIVE)
    return {kind: shares[kind] * (1 if kind == POSITIVE else wanted / there) for kind in room}


def _counts(n: int, shares: Mapping[str, float], room: Mapping[str, int], rng: np.random.Generator) -> dict[str, int]:
    """How many samples of each kind: in proportion, as far as there are windows."""
    negatives = [kind for kind in shares if kind != POSITIVE]
    p, q = shares.get(POSITIVE, 0.0), sum(shares[kind] for kind in negatives)
    positive = round(n * p / (p + q)) if shares else 0
    negative = n - positive if negatives else 0
    if POSITIVE in room and positive > room[POSITIVE]:
        positive = room[POSITIVE]
        negative = min(negative, round(positive * q / p))
    if negatives and negative > (most := sum(room[kind] for kind in negatives)):
        negative = most
        positive = min(positive, round(negative * p / q))
    rooms, weights = ([it[kind] for kind in negatives] for it in (room, shares))
    parts = share_out(negative, np.array(rooms, np.int64), rng, np.array(weights, np.float64))
    counts = dict(zip(negatives, parts.tolist(), strict=True))
    return {kind: positive if kind == POSITIVE else counts[kind] for kind in shares}


def _of_kind(
    kind: str,
    clips: Sequence[SpeakerClip],
    room: np.ndarray,
    count: int,
    window: int,
    pad: bool,
    rng: np.random.Generator,
) -> list[WindowSample]:
    """`count` samples of one kind."""
    whose: dict[str, list[int]] = defaultdict(list)
    heard: dict[str, list[int]] = defaultdict(list)
    for at, clip in enumerate(clips):
        whose[clip.speaker].append(at)
        if len(centres(clip.num_frames, window, pad)):
            heard[clip.speaker].append(at)
    speakers = list(whose)
    parts = share_out(count, np.array([room[whose[name]].sum() for name in speakers]), rng)
    samples = []
    for name, part in zip(speakers, parts.tolist(), strict=True):
        for at, number in zip(whose[name], share_out(part, room[whose[name]], rng).tolist(), strict=True):
            clip = clips[at]
            early, late = _video_centres(kind, centres(clip.num_frames, window, pad), window)
            for place in rng.choice(int(room[at]), number, replace=False).tolist() if number else ():
                center = early[place] if place < len(early) else late[place - len(early)]
                other = clips[_other(kind, at, name, heard, rng)]
                audio_center = _audio_center(kind, center, centres(other.num_frames, window, pad), window, rng)
                samples.append(WindowSample(clip, other, int(kind == POSITIVE), kind, center, audio_center, window))
    return samples


def _other(kind: str, at: int, speaker: str, heard: Mapping[str, list[int]], rng: np.random.Generator) -> int:
    """The clip that is heard with clip `at` of `speaker`; of another speaker, each is as likely as the others."""
    if kind == COMPLETE:
        names = [name for name in heard if name != speaker]
        speaker = names[int(rng.integers(len(names)))]
    if kind in (PARTIAL, COMPLETE):
        others = [it for it in heard[speaker] if it != at]
        return others[int(rng.integers(len(others)))]
    return at


def _audio_center(kind: str, center: int, fits: range, window: int, rng: np.random.Generator) -> int:
    """Where the sound's window lies: with the video's, far enough from it, or anywhere in another clip."""
    if kind == POSITIVE:
        return center
    if kind != TEMPORAL:
        return fits[int(rng.integers(len(fits)))]
    shift = min_shift(window)
    before = max(0, center - shift + 1 - fits.start)
    after = max(0, fits.stop - center - shift)
    number = int(rng.integers(before + after))
    return fits.start + number if number < before else center + shift + number - before


def _why(kind: str, clips: Sequence[SpeakerClip], split: str, window: int) -> str:
    """Why no clip can supply a kind of window, and what to do about it."""
    longest = max(clip.num_frames for clip in clips)
    if not centres(longest, window):
        what = f"no clip of {split} has the {window} frames of a window, the longest has {longest}"
        return f"{what}: take a shorter --window, or --pad"
    without = f"or leave the kind out: --kinds {' '.join(it for it in KINDS if it != kind)}"
    if kind == TEMPORAL:
        what = f"no clip of {split} has the {window + min_shift(window)} frames of two windows that half overlap"
        return f"{what}, the longest has {longest}: take a shorter --window, {without}"
    if kind == PARTIAL:
        return f"no speaker of {split} has two clips that are long enough: add clips, {without}"
    return f"{split} has one speaker only, '{clips[0].speaker}': add speakers, {without}"
