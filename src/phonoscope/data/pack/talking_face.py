"""The layout of talking_face_preprocessing: square films of faces, numbered PNGs, landmarks, pose, sound, speech.

Source: https://github.com/liutaocode/talking_face_preprocessing, whose tree and formats these are.
"""

import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np

from phonoscope.core.checks import within
from phonoscope.core.errors import UsageError
from phonoscope.data.pack.clips import TrackClip
from phonoscope.data.pack.film import film_clip, watch
from phonoscope.data.pack.folder import PackedClip, PackFolder
from phonoscope.data.pack.formats import (
    SpeechRows,
    landmark_lines,
    repeated,
    rows_under,
    write_array,
    write_layers,
    write_lines,
    write_wav,
)
from phonoscope.data.pack.layout import Packed
from phonoscope.data.pack.material import Material
from phonoscope.data.pack.square import FixedSquare, square_around
from phonoscope.flow.streams import Look
from phonoscope.models.pretrained import KINDS
from phonoscope.store.recording import StoredRecording

NAME, VERSION = "talking-face", 1
FPS, SAMPLE_RATE = Fraction(25), 16000  # Hz: what readers of the layout count on, and its folders are named for

VIDEOS, AUDIOS = "specified_formats/videos", "specified_formats/audios"
FRAMES, FILM, FACE = f"{VIDEOS}/video_frames/%s", f"{VIDEOS}/videos_25fps/%s.mp4", "cropped_faces/%s.mp4"
LANDMARKS, POSE = f"{VIDEOS}/landmarks/%s.txt", f"{VIDEOS}/pose_orientations/pose_data/%s.npy"
SOUND = f"{AUDIOS}/audios_16k/%s.wav"
HUBERT, OTHER_SPEECH = f"{AUDIOS}/hubert_features/%s.npy", f"{AUDIOS}/speech_features/%s.npy"


@dataclass(frozen=True, slots=True, kw_only=True)
class TalkingFaceParams:
    """How clips are cut out and written down."""

    expand: float = 0.6  # how much wider than the face the square is, 0.6: by 60 %
    sub_pixel: bool = False  # landmarks with three decimals instead of whole numbers
    missing: Literal["repeat", "drop-clip", "nan"] = "repeat"  # what becomes of frames without landmarks or pose
    speech_rows: SpeechRows = "two-a-frame"  # of speech: in step with the frames, or as the network gave them

    def __post_init__(self) -> None:
        within("expand", self.expand, 0, 100)


def talking_face(
    stored: StoredRecording, clips: Sequence[TrackClip], folder: PackFolder, p: TalkingFaceParams
) -> Iterator[Packed]:
    """Each clip as a fixed square of whole pixels: film, PNGs, landmarks, pose, sound and speech, T frames each.

    Only parts that are not there, or were made from something else, are made; the film is decoded once at most.

    Raises:
        UsageError: the recording keeps another time than 25 frames and 16000 samples a second.
        RecordingFailed: its film is needed and is no longer where it was, or cannot be decoded.
    """
    recording = stored.recording
    if recording.fps != FPS or recording.sample_rate not in (0, SAMPLE_RATE):
        keeps = f"'{recording.id}' keeps {recording.fps} and {recording.sample_rate}"
        raise UsageError(f"the layout {NAME} is {FPS} frames and {SAMPLE_RATE} samples a second, {keeps}")
    material = Material(stored)
    plans = [_plan(material, clip, folder, p) for clip in clips]
    if any("film" in plan.due for plan in plans):
        _ = stored.source  # that it is gone is said before anything is made
    packed = Packed(
        recording=recording.id,
        made=tuple(plan.clip.name for plan in plans if plan.due),
        kept=tuple(plan.clip.name for plan in plans if not plan.due and not plan.left_out),
        left_out={plan.clip.name: plan.left_out for plan in plans if plan.left_out},
        lacking=_lacking(material),
    )
    yield packed
    for name in packed.left_out:
        folder.discard(name)
    yield replace(packed, notes=_make(material, [plan for plan in plans if plan.due], folder))


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is to be done about a clip."""

    clip: TrackClip
    square: FixedSquare
    p: TalkingFaceParams
    keys: Mapping[str, str]  # part -> key of what it is to be made from
    due: tuple[str, ...] = ()  # parts
    missing: int | None = None  # frames without landmarks or pose
    left_out: str = ""  # why


def _plan(material: Material, clip: TrackClip, folder: PackFolder, p: TalkingFaceParams) -> _Plan:
    recording = material.recording
    square = square_around(clip.track, p.expand, recording.width, recording.height)
    keys = _keys(material, clip, square, p)
    due = tuple(part for part, key in keys.items() if not folder.has(clip.name, part, key))
    lost = material.missing(clip) if due else None
    plan = _Plan(clip, square, p, keys, due, None if lost is None else int(lost.sum()))
    if plan.missing and (p.missing == "drop-clip" or (p.missing == "repeat" and plan.missing == len(clip.span))):
        why = f"no landmarks or no pose in {plan.missing} of {len(clip.span)} frames"
        return replace(plan, due=(), left_out=why)
    return plan


def _keys(material: Material, clip: TrackClip, square: FixedSquare, p: TalkingFaceParams) -> dict[str, str]:
    """What each part of a clip that can be made is made from."""
    span, place, track = [clip.span.start, clip.span.stop], [square.x, square.y, square.side], clip.track.id
    recipes = {"film": [material.key("recording"), span, place, material.flac is not None]}
    if material.flac:
        recipes["sound"] = [material.key("audio"), span]
    if "landmarks" in material.receipts:
        recipes["landmarks"] = [material.key("landmarks"), track, span, place, p.sub_pixel, p.missing]
    if "pose" in material.receipts:
        recipes["pose"] = [material.key("pose"), track, span, p.missing]
    if "speech" in material.receipts:
        recipes["speech"] = [material.key("speech"), span, p.speech_rows]
    return {
        part: hashlib.sha256(msgspec.json.encode([NAME, VERSION, part, *recipe])).hexdigest()[:16]
        for part, recipe in recipes.items()
    }


def _lacking(material: Material) -> tuple[str, ...]:
    wanted = ("landmarks", "pose", "speech") if material.flac else ("landmarks", "pose")
    return tuple(name for name in wanted if name not in material.receipts)


def _make(material: Material, plans: Sequence[_Plan], folder: PackFolder) -> tuple[str, ...]:
    """Make what is due of every clip; gives what was odd about it."""
    for plan in plans:
        if "film" not in plan.due:
            with folder.part(plan.clip.name) as part:
                _finish(material, plan, folder, part)
    return watch(material.stored, {it.clip.name: _watch(material, it, folder) for it in plans if "film" in it.due})


def _watch(material: Material, plan: _Plan, folder: PackFolder) -> Look[None]:
    """A look at the film under one clip, which is in its place as soon as its last frame has been seen."""
    name, span = plan.clip.name, plan.clip.span
    batch = yield [span]
    with folder.part(name) as part:
        frames, film = part / (FRAMES % name), part / (FILM % name)
        for folder_of in (frames, film.parent):
            folder_of.mkdir(parents=True)
        yield from film_clip(batch, span, plan.square, material.recording, material.flac, frames, film)
        _finish(material, plan, folder, part)
    yield None


def _finish(material: Material, plan: _Plan, folder: PackFolder, part: Path) -> None:
    """Write what else is due of a clip, and put all of it in its place."""
    name, span = plan.clip.name, plan.clip.span
    paths = {due: [place % name for place in _places(material, due)] for due in plan.due}
    for path in (path for several in paths.values() for path in several):
        (part / path).parent.mkdir(parents=True, exist_ok=True)
    if "film" in plan.due:
        _same_file(part / (FILM % name), part / (FACE % name))
    if "sound" in plan.due and material.flac:
        write_wav(part / paths["sound"][0], material.flac, span.samples(FPS, SAMPLE_RATE))
    if "landmarks" in plan.due and (points := material.points(plan.clip)) is not None:
        lines = landmark_lines(plan.square.to_crop(_filled(points, plan.p)), plan.p.sub_pixel)
        write_lines(part / paths["landmarks"][0], lines)
    if "pose" in plan.due and (angles := material.angles(plan.clip)) is not None:
        write_array(part / paths["pose"][0], _filled(angles, plan.p))
    if "speech" in plan.due:
        rows = rows_under(material.speech, span, FPS, plan.p.speech_rows)
        write_layers(part / paths["speech"][0], material.speech, rows)
    folder.keep(_row(material, plan, folder), {due: (plan.keys[due], paths[due]) for due in plan.due}, part)


def _places(material: Material, part: str) -> tuple[str, ...]:
    """Where the files of a part belong."""
    if part == "film":
        return FRAMES, FILM, FACE
    if part == "speech":
        return (HUBERT if _is_hubert(material.receipts["speech"].card) else OTHER_SPEECH,)
    return ({"sound": SOUND, "landmarks": LANDMARKS, "pose": POSE}[part],)


def _is_hubert(card: str) -> bool:
    """Whether a model's identity, `name@kind:…` or `name@commit`, is that of a HuBERT: others are not called so."""
    name, _, version = card.partition("@")
    kind = version.partition(":")[0]
    return kind == "hubert" if kind in KINDS else "hubert" in name.lower()


def _filled(values: np.ndarray, p: TalkingFaceParams) -> np.ndarray:
    """Values (T, …) with what stands for rows that are not known."""
    return repeated(values) if p.missing == "repeat" else values


def _row(material: Material, plan: _Plan, folder: PackFolder) -> PackedClip:
    """What is to be put down of a clip, with those parts of before that still fit what is new."""
    clip, before = plan.clip, folder.clips.get(plan.clip.name)
    there = before.parts if before else {}
    stay = {name: made for name, made in there.items() if name not in plan.due}
    if "film" in plan.due:  # what the store no longer has may belong to another track, or another square
        stay = {name: made for name, made in stay.items() if name in plan.keys}
    missing = plan.missing
    if missing is None and before and {"landmarks", "pose"} & {*stay}:
        missing = before.missing
    return PackedClip(
        clip=clip.name, layout=NAME, recording=material.recording.id, track=clip.track.id, start=clip.span.start,
        frames=len(clip.span), missing=missing, x=plan.square.x, y=plan.square.y, side=plan.square.side, parts=stay,
    )  # fmt: skip


def _same_file(there: Path, also: Path) -> None:
    """A second name for a file, or a copy of it where the disk knows no second names."""
    try:
        os.link(there, also)
    except OSError:
        shutil.copyfile(there, also)
