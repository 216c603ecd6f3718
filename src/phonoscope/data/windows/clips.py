"""The clips of a store that windows are taken from: who is seen in them, and which set they belong to."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

import numpy as np

from phonoscope.core.errors import UsageError
from phonoscope.core.faces import Track, Tracks, TrackTable
from phonoscope.data.split import SHARES, check_disjoint, set_named, split_of
from phonoscope.data.windows.samples import SpeakerClip
from phonoscope.store.folder import Store
from phonoscope.store.recording import StoredRecording

SAMPLE_RATE = 16000  # Hz: what the networks' MFCC are made of
UNSAFE = re.compile(r'[<>:"/\\|?*\x00-\x1f]')  # what some system's file names must not hold


@dataclass(frozen=True, slots=True)
class StoreClips:
    """Clips, by id, and which recordings have none."""

    clips: tuple[SpeakerClip, ...]
    left_out: Mapping[str, str] = field(default_factory=dict)  # recording -> why


def speaker_clips(store: Store, shares: Mapping[str, float] = SHARES, seed: int = 0) -> StoreClips:
    """A clip a recording: the track of whoever speaks in it.

    That is the only track, else the one with the most frames of log-odds above 0 if `asd` has been made, else the
    longest. Speaker and set are the corpus's where it lists them; a recording without a speaker is one by itself, and
    copies of one film are one. Sets that no corpus gives go by `split_of` the speaker.

    Raises:
        UsageError: the store's sound is not at 16 kHz, or a speaker, or a film, is in several sets.
    """
    return _gather(store, shares, seed, labelled=False)


def labelled_clips(store: Store, shares: Mapping[str, float] = SHARES, seed: int = 0) -> StoreClips:
    """A clip a track that has labels; speakers and sets as `speaker_clips` has them.

    Raises:
        UsageError: as `speaker_clips`.
    """
    return _gather(store, shares, seed, labelled=True)


def speaking_track(tracks: Tracks, scores: TrackTable | None) -> Track:
    """The track with the most frames whose "score" is above 0, the longest of several; without scores the longest.

    Raises:
        ValueError: there are no tracks.
    """

    def rank(track: Track) -> tuple[int, int, int]:
        speaking = int((scores.of(track.id, "score") > 0).sum()) if scores and len(tracks) > 1 else 0
        return speaking, len(track), -track.id

    return max(tracks, key=rank)


def _gather(store: Store, shares: Mapping[str, float], seed: int, labelled: bool) -> StoreClips:
    if store.settings.sample_rate != SAMPLE_RATE:
        kept = f"the store at '{store.root}' has {store.settings.sample_rate}"
        raise UsageError(f"windows hear {SAMPLE_RATE} samples a second, {kept}: prepare the films into another store")
    found: list[SpeakerClip] = []
    left_out: dict[str, str] = {}
    films: list[tuple[str, str]] = []
    for id in store:
        stored = store[id]
        try:
            of_this = [*_clips(stored, shares, seed, labelled)]
        except UsageError as error:
            left_out[id] = str(error)
            continue
        if of_this:
            films.append((stored.recording.sha256, of_this[0].split))
        found += of_this
    check_disjoint((clip.speaker, clip.split) for clip in found)
    check_disjoint(films, "film")
    return StoreClips(tuple(sorted(_named_apart(found), key=lambda clip: clip.id)), left_out)


def _clips(stored: StoredRecording, shares: Mapping[str, float], seed: int, labelled: bool) -> Iterator[SpeakerClip]:
    """The clips of one recording.

    Raises:
        UsageError: it has none; why.
    """
    fresh = stored.fresh
    if not stored.recording.num_samples:
        raise UsageError("it has no sound")
    if "tracks" not in fresh:
        raise UsageError("it has no tracks: `phonoscope run tracks` makes them")
    if labelled and "labels" not in fresh:
        raise UsageError("it has no labels")
    tracks: Tracks = stored.load("tracks")
    if not len(tracks):
        raise UsageError("nobody is seen in it")
    if labelled:
        said = set(np.unique(stored.load("labels").track).tolist())
        chosen = [track for track in tracks if track.id in said]
    else:
        chosen = [speaking_track(tracks, stored.load("asd") if "asd" in fresh and len(tracks) > 1 else None)]
    listed, copy = stored.listed, stored.recording.sha256[:8]
    speaker = (listed.speaker if listed else "") or copy  # not the id: copies of a film are one person
    split = set_named(listed.split) if listed and listed.split else split_of(speaker, shares, seed)
    name = _stem(listed.path, listed.speaker) if listed and listed.path else stored.folder.name
    for track in chosen:
        folder, file = _file_name(speaker), _file_name(f"{name}_{track.id}" if labelled else name)
        id = f"{_file_name(split)}/{folder}/{file}"
        yield SpeakerClip(id, speaker, split, len(track), stored.folder.name, track.id, track.start)


def _stem(path: str, speaker: str) -> str:
    """What a corpus calls a film, below its speaker's folder: day1_talk of training/ana/day1/talk.mp4."""
    parts = PurePosixPath(path).with_suffix("").parts
    below = parts[parts.index(speaker) + 1 :] if speaker in parts[:-1] else parts[-1:]
    return "_".join(below)


def _file_name(text: str) -> str:
    """The same as a name for files on any system."""
    return UNSAFE.sub("-", text).strip(". ") or "-"


def _named_apart(clips: list[SpeakerClip]) -> list[SpeakerClip]:
    """The same clips; where several have one name, as talk.mp4 and talk.mov have, each with its recording's hash."""
    count = Counter(clip.id.casefold() for clip in clips)

    def apart(clip: SpeakerClip) -> SpeakerClip:
        return replace(clip, id=f"{clip.id}-{clip.recording[-8:]}") if count[clip.id.casefold()] > 1 else clip

    return [apart(clip) for clip in clips]
