"""The layout of AnnoTheia's trimmed scenes: film, sound and face of each stretch of speech that people accepted.

Source: https://github.com/joactr/AnnoTheia, `utils/trim_scenes.py`, whose folders these are.
"""

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np

from phonoscope.core.align import face_crop
from phonoscope.core.checks import within
from phonoscope.core.errors import UsageError
from phonoscope.core.geometry import POLICIES, Crop
from phonoscope.core.time import Span
from phonoscope.data.pack.accepted import read_rows
from phonoscope.data.pack.annotheia import AnnotheiaParams
from phonoscope.data.pack.clips import TrackClip, clips_of
from phonoscope.data.pack.folder import PackedClip, PackFolder
from phonoscope.data.pack.formats import write_lines, write_wav
from phonoscope.data.pack.layout import Packed
from phonoscope.data.pack.material import Material
from phonoscope.data.pack.speaking import probability, runs, scores_of, smoothed
from phonoscope.data.pack.whole import called
from phonoscope.flow.streams import Look, LookFailed, look
from phonoscope.store.folder import Store
from phonoscope.store.recording import StoredRecording

NAME, VERSION = "annotheia-clips", 1
ALL, COLUMNS = "transcriptions.csv", ("name", "text", "speaker")
FILM, SOUND, FACE, TEXT = "MP4s/%s.mp4", "WAVs/%s.wav", "FACEs/%s.npz", "TXTs/%s.txt"
SAMPLE_RATE = 16000  # Hz, of the WAVs
SIZE = 112  # px, both sides of a face
HELD = 4  # whole pictures at a time: they are large


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotheiaClipsParams:
    """Which stretches become clips, and how."""

    rows: Path | None = None  # table of AnnoTheia with the accepted rows; by default what --as annotheia would write
    policy: Literal["asd", "aligned"] = "asd"  # how faces are cut; aligned goes by landmarks
    crf: int = 18  # constant quality of x264: lower is better and larger

    def __post_init__(self) -> None:
        within("annotheia_clips.crf", self.crf, 0, 51)


def annotheia_clips(
    stored: StoredRecording, clips: Sequence[TrackClip], folder: PackFolder, p: AnnotheiaClipsParams
) -> Iterator[Packed]:
    """Each accepted stretch as a film of the whole picture, as sound, and as a face (T, 112, 112), T frames each.

    What lies in the folder of this recording and is no longer asked for is taken away; a recording that the rows do not
    name is left alone. The film is decoded once at most.

    Raises:
        UsageError: the recording has no fresh scores, or landmarks, where they are needed, its sound has another rate,
            or another recording of this name lies in the folder.
        RecordingFailed: its film is needed and is no longer where it was, or cannot be decoded.
    """
    material = Material(stored)
    pieces, left_out = _pieces(material, clips, p)
    plans = [_plan(material, piece, folder, p) for piece in pieces]
    if any("clip" in plan.due for plan in plans):
        _ = stored.source  # that it is gone is said before anything is made
    packed = Packed(
        recording=stored.recording.id,
        made=tuple(plan.piece.name for plan in plans if plan.due),
        kept=tuple(plan.piece.name for plan in plans if not plan.due),
        left_out=left_out,
    )
    yield packed
    if pieces or left_out:
        wanted = {piece.name for piece in pieces}
        lying = [clip.clip for clip in folder.clips.values() if clip.recording == packed.recording]
        for name in lying:
            if name not in wanted:
                folder.discard(name)
    yield replace(packed, notes=_make(material, [plan for plan in plans if plan.due], folder, p))


def strays(store: Store, p: AnnotheiaClipsParams) -> Iterator[Packed]:
    """The rows that belong to no recording of the store, one by one.

    Raises:
        UsageError: the rows cannot be read.
    """
    if p.rows is None:
        return
    names = {*store} | {called(store[id]) for id in store}
    for row in read_rows(p.rows):
        if row.video not in names:
            yield Packed(recording=p.rows.name, left_out={row.name: f"the store has no '{row.video}'"})


def join_transcriptions(folder: PackFolder) -> None:
    """`transcriptions.csv`: what is said in each clip that lies in the folder, by name."""
    there = {path for path in folder.files() if path.is_file()}  # one that somebody removed is made anew the next time
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    for name, clip in sorted(folder.clips.items()):
        if (path := folder.root / (TEXT % name)) in there:
            table.writerow([name, path.read_text(encoding="utf-8"), clip.track])
    folder.write(ALL, [text.getvalue().encode()])


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch that is wanted."""

    name: str
    clip: TrackClip
    text: str


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is to be done about it."""

    piece: _Piece
    keys: Mapping[str, str]  # part -> key of what it is made from
    due: tuple[str, ...]  # parts


def _pieces(
    material: Material, clips: Sequence[TrackClip], p: AnnotheiaClipsParams
) -> tuple[list[_Piece], dict[str, str]]:
    """What is wanted of a recording, by time, and what cannot be had, with the reason."""
    if p.rows is None and material.flac is None:
        return [], {material.recording.id: "it has no sound, so nobody speaks"}
    texts, left_out = _spoken(material, clips) if p.rows is None else _accepted(material, clips, p.rows)
    if texts and material.flac is None:
        return [], {**left_out, material.recording.id: "it has no sound"}
    if texts and material.recording.sample_rate != SAMPLE_RATE:
        keeps = f"'{material.recording.id}' keeps {material.recording.sample_rate}"
        raise UsageError(f"the layout {NAME} is {SAMPLE_RATE} samples a second, {keeps}")
    order = sorted(texts, key=lambda it: (it[1], it[0]))
    names = _names(called(material.stored), order, material.recording.fps)
    cut = clips_of(material.recording.id, material.stored.load("tracks"), order) if order else []
    return [_Piece(*it) for it in zip(names, cut, (texts[it] for it in order), strict=True)], left_out


_Texts = dict[tuple[int, Span], str]  # track and frames -> what is said


def _spoken(material: Material, clips: Sequence[TrackClip]) -> tuple[_Texts, dict[str, str]]:
    """The stretches of which the layout `annotheia` has a row, by its own defaults; no words are known."""
    asd, its = material.stored.load("asd"), AnnotheiaParams()
    texts = {}
    for clip in clips:
        shares = smoothed(probability(scores_of(asd, clip)), its.smoothing)
        for span in runs(shares > its.threshold, clip.span.start):
            if len(span) >= its.min_length:
                texts[clip.track.id, span] = ""
    return texts, {}


def _accepted(material: Material, clips: Sequence[TrackClip], rows: Path) -> tuple[_Texts, dict[str, str]]:
    """The stretches that the rows name; of several rows of one, the last stands."""
    recording, texts, left_out = material.recording, {}, {}
    mine = {called(material.stored), recording.id}
    for row in read_rows(rows):
        if row.video not in mine:
            continue
        try:
            track, span = row.stretch(recording.fps)
        except UsageError as error:
            left_out[row.name] = str(error)
            continue
        covers = [clip.span for clip in clips if clip.track.id == track]
        if any(it & span == span for it in covers):
            texts[track, span] = row.text
        else:
            has = ", ".join(f"[{it.start}, {it.stop})" for it in covers)
            what = f"track {track} has frames {has}" if has else f"there is no track {track}"
            left_out[row.name] = f"{what}, asked for [{span.start}, {span.stop})"
    return texts, left_out


def _names(video: str, stretches: Sequence[tuple[int, Span]], fps: Fraction) -> list[str]:
    """`<video>_<start>_<stop>` in hundredths of a second; where several faces have one name, `_<track>` follows.

    Raises:
        UsageError: two are still alike: more than 100 frames a second.
    """
    names = [f"{video}_{round(100 * it.start / fps):07d}_{round(100 * it.stop / fps):07d}" for _, it in stretches]
    count = Counter(names)
    names = [
        f"{name}_{track}" if count[name] > 1 else name for name, (track, _) in zip(names, stretches, strict=True)
    ]
    if twice := [name for name, times in Counter(names).items() if times > 1]:
        raise UsageError(f"several stretches would be called '{twice[0]}': take one of them out of the rows")
    return names


def _plan(material: Material, piece: _Piece, folder: PackFolder, p: AnnotheiaClipsParams) -> _Plan:
    lying = folder.clips.get(piece.name)
    if lying and lying.recording != material.recording.id:
        both = f"'{lying.recording}' and '{material.recording.id}'"
        raise UsageError(f"{both} have one name in their corpus: pack them into two folders with --only")
    span = piece.clip.span
    made_from = [material.key(name) for name in ("recording", "audio", "tracks")]
    made_from += [material.key("landmarks")] if p.policy == "aligned" else []
    recipes = {
        "clip": [*made_from, piece.clip.track.id, span.start, span.stop, p.policy, p.crf],
        "text": [piece.text],
    }
    keys = {
        part: hashlib.sha256(msgspec.json.encode([NAME, VERSION, part, *recipe])).hexdigest()[:16]
        for part, recipe in recipes.items()
    }
    return _Plan(piece, keys, tuple(part for part, key in keys.items() if not folder.has(piece.name, part, key)))


def _make(
    material: Material, plans: Sequence[_Plan], folder: PackFolder, p: AnnotheiaClipsParams
) -> tuple[str, ...]:
    """Make what is due of every piece; gives what was odd about it."""
    from phonoscope.media.video import DecodeCount, decode

    stored, count = material.stored, DecodeCount()
    for plan in plans:
        if "clip" not in plan.due:
            with folder.part(_part_name(material, plan)) as part:
                _keep(material, plan, folder, part)
    lookers = {it.piece.name: _watch(material, it, folder, p) for it in plans if "clip" in it.due}
    if lookers:
        try:
            look(partial(decode, stored.source, stored.clock, count=count), lookers, batch_size=HELD)
        except LookFailed as error:
            raise error.__cause__ or error from None
    lost = f"{count.missing} frames could not be decoded: a neighbour stands for each"
    return (lost,) if count.missing else ()


def _watch(material: Material, plan: _Plan, folder: PackFolder, p: AnnotheiaClipsParams) -> Look[None]:
    """A look at the film under one piece, which is in its place as soon as its last frame has been seen."""
    piece, span = plan.piece, plan.piece.clip.span
    batch = yield [span]
    with folder.part(_part_name(material, plan)) as part:
        for path in (FILM, SOUND, FACE):
            (part / path).parent.mkdir()
        with _Camera(material, piece, p, part / (FILM % piece.name)) as camera:
            while batch:
                camera.see(batch)
                batch = () if camera.over else (yield None)
        np.savez_compressed(part / (FACE % piece.name), **camera.face())
        under = span.samples(material.recording.fps, SAMPLE_RATE)
        write_wav(part / (SOUND % piece.name), material.stored.made("audio"), under)
        _keep(material, plan, folder, part)
    yield None
