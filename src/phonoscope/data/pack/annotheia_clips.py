"""The layout of AnnoTheia's trimmed scenes: film, sound, face and text of each stretch of speech that people accepted.

Source: https://github.com/joactr/AnnoTheia, `utils/trim_scenes.py`, whose folders these are.
"""

import csv
import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np

from phonoscope.core.align import face_crop
from phonoscope.core.checks import within
from phonoscope.core.errors import UsageError
from phonoscope.core.geometry import POLICIES, Crop
from phonoscope.core.media import Picture
from phonoscope.core.time import Span
from phonoscope.data.pack.accepted import Stretch, read_rows, wanted
from phonoscope.data.pack.clips import TrackClip
from phonoscope.data.pack.film import Rest, watch
from phonoscope.data.pack.folder import PackedClip, PackFolder
from phonoscope.data.pack.formats import write_wav
from phonoscope.data.pack.layout import Packed
from phonoscope.data.pack.material import Material
from phonoscope.data.pack.whole import called
from phonoscope.flow.streams import Look
from phonoscope.store.folder import Store
from phonoscope.store.recording import StoredRecording

NAME, VERSION = "annotheia-clips", 1
ALL, COLUMNS = "transcriptions.csv", ("name", "text", "speaker")
FILM, SOUND, FACE, TEXT = "MP4s/%s.mp4", "WAVs/%s.wav", "FACEs/%s.npz", "TXTs/%s.txt"
PARTS = {"clip": (FILM, SOUND, FACE), "text": (TEXT,)}
SAMPLE_RATE, SIZE = 16000, 112  # Hz of the WAVs, px of the faces


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotheiaClipsParams:
    """Which stretches become clips, and how."""

    rows: Path | None = None  # table with the accepted rows; by default all that --as annotheia would write
    policy: Literal["asd", "aligned"] = "asd"  # how faces are cut; aligned goes by landmarks
    crf: int = 18  # constant quality of x264: lower is better and larger

    def __post_init__(self) -> None:
        within("annotheia_clips.crf", self.crf, 0, 51)


def annotheia_clips(
    stored: StoredRecording, clips: Sequence[TrackClip], folder: PackFolder, p: AnnotheiaClipsParams
) -> Iterator[Packed]:
    """Each accepted stretch as a film of the whole picture, as sound, and as a face (T, 112, 112), T frames each.

    What lies here of the recording and is no longer asked for is taken away; a recording that no row names is left
    alone. The film is decoded once at most.

    Raises:
        UsageError: there are no fresh scores, or landmarks, where they are needed, the sound has another rate, or
            another recording of this name lies in the folder.
        RecordingFailed: the film is needed and is no longer where it was, or cannot be decoded.
    """
    material, id = Material(stored), stored.recording.id
    if p.rows is None and material.flac is None:
        stretches, unmet = [], {id: "it has no sound, so nobody speaks"}
    else:
        stretches, unmet = wanted(material, clips, p.rows)
    if stretches and stored.recording.sample_rate != SAMPLE_RATE:
        rate = stored.recording.sample_rate
        raise UsageError(f"the layout {NAME} is {SAMPLE_RATE} samples a second, '{id}' keeps {rate or 'no sound'}")
    plans = [_plan(material, stretch, folder, p) for stretch in stretches]
    if any("clip" in plan.due for plan in plans):
        _ = stored.source  # that it is gone is said before anything is made
    packed = Packed(
        recording=id,
        made=tuple(plan.stretch.name for plan in plans if plan.due),
        kept=tuple(plan.stretch.name for plan in plans if not plan.due),
        left_out=unmet,
    )
    yield packed
    if p.rows is None or stretches or unmet:
        lying = {name for name, clip in folder.clips.items() if clip.recording == id}
        for name in sorted(lying - {*packed.made, *packed.kept}):
            folder.discard(name)
    yield replace(packed, notes=_make(material, [plan for plan in plans if plan.due], folder, p))


def strays(store: Store, p: AnnotheiaClipsParams) -> Iterator[Packed]:
    """The rows that belong to no recording of the store, one by one.

    Raises:
        UsageError: the rows cannot be read.
    """
    if p.rows is not None:
        rows, names = read_rows(p.rows), {*store} | {called(store[id]) for id in store}
        for row in rows:
            if row.video not in names:
                yield Packed(recording=p.rows.name, left_out={row.name: f"the store has no '{row.video}'"})


def join_transcriptions(folder: PackFolder) -> None:
    """`transcriptions.csv`: what is said in each clip that lies in the folder, by name."""
    there = {path for path in folder.files() if path.is_file()}  # what somebody removed is made again the next time
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    for name, clip in sorted(folder.clips.items()):
        if (path := folder.root / (TEXT % name)) in there:
            table.writerow([name, path.read_bytes().decode(), clip.track])
    folder.write(ALL, [text.getvalue().encode()])


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is to be done about a stretch."""

    stretch: Stretch
    keys: Mapping[str, str]  # part -> key of what it is to be made from
    due: tuple[str, ...]  # parts

    @property
    def span(self) -> Span:
        return self.stretch.clip.span


def _plan(material: Material, stretch: Stretch, folder: PackFolder, p: AnnotheiaClipsParams) -> _Plan:
    name, id, span = stretch.name, material.recording.id, stretch.clip.span
    if name in folder.clips and folder.clips[name].recording != id:
        both = f"'{folder.clips[name].recording}' and '{id}'"
        raise UsageError(f"{both} have one name in their corpus: pack them into two folders with --only")
    if p.policy == "aligned":
        material.stored.made("landmarks")
    made_from = ("recording", "audio", "tracks", *(("landmarks",) if p.policy == "aligned" else ()))
    keys = [material.key(name) for name in made_from]
    recipes = {
        "clip": [*keys, stretch.clip.track.id, span.start, span.stop, p.policy, p.crf],
        "text": [stretch.text],
    }
    made = {
        part: hashlib.sha256(msgspec.json.encode([NAME, VERSION, part, *recipe])).hexdigest()[:16]
        for part, recipe in recipes.items()
    }
    return _Plan(stretch, made, tuple(part for part, key in made.items() if not folder.has(name, part, key)))


def _make(material: Material, plans: Sequence[_Plan], folder: PackFolder, p: AnnotheiaClipsParams) -> tuple[str, ...]:
    """Make what is due of every stretch; gives what was odd about it."""
    for plan in plans:
        if "clip" not in plan.due:
            with folder.part(_part(material, plan)) as part:
                _keep(material, plan, folder, part)
    seen = [plan for plan in plans if "clip" in plan.due]
    cuts = _cuts(material, {plan.stretch.clip.track.id for plan in seen}, p)
    lookers = {it.stretch.name: _watch(material, it, cuts[it.stretch.clip.track.id], folder, p) for it in seen}
    return watch(material.stored, lookers)


_Cut = tuple[Crop, np.ndarray]  # where a track's face is, and in which frames it is not known


def _cuts(material: Material, tracks: set[int], p: AnnotheiaClipsParams) -> dict[int, _Cut]:
    """How whole tracks are cut: what a policy smooths must not depend on where a stretch of one begins."""
    points = material.landmarks if p.policy == "aligned" else None
    whole = [track for track in material.stored.load("tracks") if track.id in tracks]
    return {it.id: face_crop(it, p.policy, SIZE, points[it.id] if points else None) for it in whole}


def _watch(material: Material, plan: _Plan, cut: _Cut, folder: PackFolder, p: AnnotheiaClipsParams) -> Look[None]:
    """A look at the film under one stretch, which is in its place as soon as its last frame has been seen."""
    name, span, (crop, missing) = plan.stretch.name, plan.span, cut
    batch = yield [span]
    with folder.part(_part(material, plan)) as part:
        for path in (FILM, SOUND, FACE):
            (part / path).parent.mkdir()
        faces = np.empty((len(span), SIZE, SIZE), np.uint8)
        yield from _film(batch, material, span, crop, faces, part / (FILM % name), p.crf)
        known = {
            "data": faces,
            "frames": np.arange(span.start, span.stop, dtype=np.int32),
            "face_boundings": np.asarray(plan.stretch.clip.track.box, np.float32),
            "missing": missing[span.start - crop.start : span.stop - crop.start],
        }
        np.savez_compressed(part / (FACE % name), **known)
        under = span.samples(material.recording.fps, SAMPLE_RATE)
        write_wav(part / (SOUND % name), material.stored.made("audio"), under)
        _keep(material, plan, folder, part)
    yield None


def _film(
    batch: Sequence[Picture], material: Material, span: Span, crop: Crop, faces: np.ndarray, to: Path, crf: int
) -> Rest:
    """An mp4 of whole pictures and their sound; of each picture the face goes into `faces` (T, 112, 112).

    Raises:
        ValueError: the pictures end before the span does, or leave one out.
    """
    import soundfile

    from phonoscope.media.encode import FilmWriter

    recording, border = material.recording, POLICIES[crop.policy].border
    fps, size = recording.fps, (recording.height // 2 * 2, recording.width // 2 * 2)
    with (
        soundfile.SoundFile(material.stored.made("audio")) as sound,
        FilmWriter(to, size, fps, SAMPLE_RATE, crf=crf) as film,
    ):
        sound.seek(span.samples(fps, SAMPLE_RATE).start)
        while film.frames < len(span):
            for picture in batch:
                if picture.frame != span.start + film.frames:
                    raise ValueError(f"{to.stem} needs frame {span.start + film.frames}, got {picture.frame}")
                matrix = crop.matrix[picture.frame - crop.start]
                faces[film.frames] = picture.crop_grey(matrix, crop.size, border)
                film.picture(picture.crop_yuv(np.eye(2, 3), size, 0))
                under = Span(picture.frame, picture.frame + 1).samples(fps, SAMPLE_RATE)
                film.sound(sound.read(under.stop - under.start, dtype="float32"))
            if film.frames < len(span):
                batch = yield
                if not batch:
                    raise ValueError(f"the film ended {len(span) - film.frames} frames before {to.stem} did")


def _keep(material: Material, plan: _Plan, folder: PackFolder, part: Path) -> None:
    """Write the text if it is due, and put all that was made in its place."""
    stretch, before = plan.stretch, folder.clips.get(plan.stretch.name)
    if "text" in plan.due:
        path = part / (TEXT % stretch.name)
        path.parent.mkdir()
        path.write_bytes(stretch.text.encode())
    entry = PackedClip(
        clip=stretch.name, layout=NAME, recording=material.recording.id, track=stretch.clip.track.id,
        start=plan.span.start, frames=len(plan.span),
        parts={name: made for name, made in (before.parts if before else {}).items() if name not in plan.due},
    )  # fmt: skip
    made = {due: (plan.keys[due], [place % stretch.name for place in PARTS[due]]) for due in plan.due}
    folder.keep(entry, made, part)


def _part(material: Material, plan: _Plan) -> str:
    """The folder in which a clip is made: by the id in front of it, debris is known to be this recording's."""
    return f"{material.recording.id}_{plan.stretch.name}"
