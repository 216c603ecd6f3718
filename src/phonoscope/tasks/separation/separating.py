"""From a recording of a store to the voice of each of its faces: files that are heard and watched."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from math import log10
from pathlib import Path
from typing import Any

import numpy as np

from phonoscope.core.errors import RecordingFailed
from phonoscope.core.faces import TrackArrays
from phonoscope.media.dub import dub
from phonoscope.media.probe import probe
from phonoscope.models.protocols import VoiceSeparator
from phonoscope.models.stretches import Voices
from phonoscope.store.files import as_json, whole_file
from phonoscope.store.recording import StoredRecording
from phonoscope.tasks.separation.separated import SAMPLE_RATE, FaceVoice, Separated, is_whole, read_separated
from phonoscope.tasks.separation.separators import check_rows
from phonoscope.tasks.separation.subjects import By, Subject, subjects_of

BLOCK = 1 << 16  # samples that are read at once
FULL = 1 - 2.0**-15  # the loudest that 16 bits hold
QUIET = 1e-10  # mean square below which a voice is silence


def separate(
    stored: StoredRecording,
    separator: VoiceSeparator,
    to: Path,
    wanted: Sequence[int] = (),
    least_s: float = 1.0,
    *,
    by: By = "track",
    films: bool = True,
    force: bool = False,
    on_heard: Callable[[float], object] = lambda _: None,
) -> tuple[Separated, bool]:
    """Write the voice of each face into the folder `to`; what was made, and whether it was made now.

    Files that are whole and were made from the same sound, lips and separator are kept, unless `force`.

    Args:
        wanted: numbers of faces; by default all that are there for `least_s` in all. The others are told apart, too,
            but not written.
        by: what a face is: a track, or all tracks of a person; then the store must have `people`.
        films: also the film with only that voice.
        on_heard: is told how much has been separated, s.

    Raises:
        UsageError: there is no sound, or no such face, or there are too many.
        RecordingFailed: the film cannot be read.
    """
    chosen, others = subjects_of(stored, by, wanted, least_s)
    check_rows(stored, separator)
    made_from = made_of(stored, separator, by)
    before = None if force else read_separated(to / f"{stored.recording.id}.json")
    lacks = films and (before is None or not before.notes or _is_there(stored))  # a film that was gone may be back
    if before and is_whole(before, to, [it.number for it in chosen], made_from, lacks):
        return before, False
    to.mkdir(parents=True, exist_ok=True)
    (to / f"{stored.recording.id}.json").unlink(missing_ok=True)  # what it tells of is about to change
    voices = _voices(stored, separator, to, "face" if by == "track" else by, chosen, others, on_heard)
    notes: list[str] = []
    if films:
        voices = list(_filmed(stored, to, voices, notes))
    mixture = to / f"{stored.recording.id}_mixture.flac"
    with whole_file(mixture) as part:
        shutil.copyfile(stored.made("audio"), part)
    made = Separated(
        recording=stored.recording.id,
        source=stored.recording.source,
        duration_s=float(stored.recording.duration_s),
        made_from=made_from,
        by=by,
        faces=tuple(_portrayed(stored, to, voices, [it.portrayed for it in chosen])),
        others=tuple(it.number for it in others),
        mixture=mixture.name,
        notes=tuple(notes),
    )
    with whole_file(to / f"{made.recording}.json") as part:
        part.write_bytes(as_json(made))
    return made, True


def made_of(stored: StoredRecording, separator: VoiceSeparator, by: By = "track") -> dict[str, str]:
    """What voices are made from: keys of the sound, of the faces, of people if they matter, and who separates."""
    receipts, names = stored.receipts, ("audio", separator.rows, *(["people"] if by == "person" else []))
    return {name: receipts[name].key for name in names} | {"separator": separator.card.identity}


def _is_there(stored: StoredRecording) -> bool:
    try:
        return stored.source.exists()
    except (RecordingFailed, OSError):
        return False


def _voices(
    stored: StoredRecording,
    separator: VoiceSeparator,
    to: Path,
    kind: str,
    chosen: Sequence[Subject],
    others: Sequence[Subject],
    on_heard: Callable[[float], object],
) -> list[FaceVoice]:
    """Write a wav for each chosen face, all at once, block by block."""
    import soundfile

    arrays: TrackArrays = stored.load(separator.rows)
    lips = [it.lips(arrays) for it in (*chosen, *others)]
    told = Voices(separator, lips)
    names = [f"{stored.recording.id}_{kind}{it.number}.wav" for it in chosen]
    power, clipped, whole, heard_s = np.zeros(len(chosen)), np.zeros(len(chosen), int), 0.0, 0.0
    with ExitStack() as stack:
        sound = stack.enter_context(soundfile.SoundFile(stored.made("audio")))
        files = []
        for name in names:
            part = stack.enter_context(whole_file(to / name))
            files.append(stack.enter_context(soundfile.SoundFile(part, "w", SAMPLE_RATE, 1, "PCM_16", format="WAV")))
        for block in _to_the_end(sound):
            whole += float(np.square(block, dtype=np.float64).sum())
            for k, voice in enumerate((told.hear(block) if len(block) else told.end())[: len(chosen)]):
                power[k] += np.square(voice, dtype=np.float64).sum()
                clipped[k] += np.count_nonzero(np.abs(voice) > FULL)
                files[k].write(np.clip(voice, -1, FULL))
            heard_s += len(block) / SAMPLE_RATE
            on_heard(heard_s)
    fps, count = stored.recording.fps, stored.recording.num_samples
    return [
        FaceVoice(
            face=it.number,
            start_s=float(it.start / fps),
            stop_s=float(it.stop / fps),
            seen=round(float(np.isfinite(lips[k].rows).all(1).mean()), 4),
            level_db=round(10 * log10(power[k] / whole), 1) if power[k] > QUIET * count and whole else None,
            clipped=int(clipped[k]),
            wav=names[k],
        )
        for k, it in enumerate(chosen)
    ]


def _to_the_end(sound: Any) -> Iterator[np.ndarray]:
    """All blocks of a sound, (n,) float32, then an empty one."""
    yield from sound.blocks(BLOCK, dtype="float32")
    yield np.zeros(0, np.float32)


def _filmed(stored: StoredRecording, to: Path, voices: Sequence[FaceVoice], notes: list[str]) -> Iterator[FaceVoice]:
    """The same voices, each with the film in which only it is heard; without, and a note why, if the film is gone.

    Pictures that must be encoded are so once, and copied for the other voices.
    """
    try:
        film, clock = stored.source, stored.clock
    except (RecordingFailed, OSError) as error:
        notes.append(f"no films: {error}")
        yield from voices
        return
    own = True
    for voice in voices:
        path = (to / voice.wav).with_suffix(".mp4")
        with whole_file(path) as part:
            copied = dub(film, stored.recording, clock, to / voice.wav, part)
        if not copied:
            own, film, clock = False, path, probe(path, stored.recording.fps, SAMPLE_RATE).clock
        yield replace(voice, film=path.name, copied=own)


def _portrayed(
    stored: StoredRecording, to: Path, voices: Sequence[FaceVoice], tracks: Sequence[int]
) -> Iterator[FaceVoice]:
    """The same, each with the portrait of its track beside it, if the store has one."""
    thumbs = stored.fresh.get("thumbs")
    for voice, track in zip(voices, tracks, strict=True):
        portrait = thumbs / f"{track}.jpg" if thumbs else None
        if portrait and portrait.exists():
            path = (to / voice.wav).with_suffix(".jpg")
            with whole_file(path) as part:
                shutil.copyfile(portrait, part)
            yield replace(voice, portrait=path.name)
        else:
            yield voice
