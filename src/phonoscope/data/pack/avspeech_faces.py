"""The layout of seed 000's faces: a JPEG of 160 px a frame, and the list of clips in which none is missing.

Source: https://github.com/bill9800/speech_separation, `data/video/MTCNN_detect.py` and `frame_inspector.py`.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import msgspec
import numpy as np

from phonoscope.core.checks import within
from phonoscope.core.errors import UsageError
from phonoscope.core.faces import Track
from phonoscope.core.time import Span
from phonoscope.corpora.avspeech import rows_of
from phonoscope.data.pack.avspeech_embeddings import number_of
from phonoscope.data.pack.clips import TrackClip
from phonoscope.data.pack.folder import PackedClip, PackFolder
from phonoscope.data.pack.layout import Packed, check_rate
from phonoscope.data.pack.material import Material
from phonoscope.data.right_face import face_of, seen_in
from phonoscope.store.recording import StoredRecording

NAME, VERSION = "avspeech-faces", 1
FPS = Fraction(25)
FOLDER, LIST, PART = "face_input", "valid_frame.txt", "faces"
HELD = 250  # pictures at a time
QUALITY = 95  # of the JPEG files, as OpenCV has it where nobody says otherwise


@dataclass(frozen=True, slots=True, kw_only=True)
class AvspeechFacesParams:
    """How much of each clip, how large, and what of frames without a face."""

    frames: int = 75  # of each clip, from its beginning, 25 a second; 0: all of it
    size: int = 160  # px, side of the square
    max_missing: float = 0.0  # share of the frames without the face, up to which a clip is packed; they have no file

    def __post_init__(self) -> None:
        within("avspeech_faces.frames", self.frames, 0)
        within("avspeech_faces.size", self.size, 16, 2048)
        within("avspeech_faces.max_missing", self.max_missing, 0, 1)


def avspeech_faces(
    stored: StoredRecording, clips: Sequence[TrackClip], folder: PackFolder, p: AvspeechFacesParams
) -> Iterator[Packed]:
    """Each clip's faces as `face_input/frame_{number}_{frame}.jpg`, frames counted from 01, square and upright.

    Of a film of AVSpeech's catalogue the clips are its rows, each with the face nearest to the row's point; of any
    other they are `clips`. Clips that are too short, or lack the face in more frames than `max_missing` allows, are
    left out.

    Raises:
        UsageError: the recording has another rate than 25 frames a second, or no fresh tracks.
    """
    recording, material = stored.recording, Material(stored)
    check_rate(NAME, FPS, recording)
    plans = [_plan(material, piece, folder, p) for piece in _pieces(material, clips)]
    packed = Packed.of(recording.id, ((plan.piece.name, plan.kept, plan.left_out) for plan in plans))
    yield packed
    for plan in plans:
        if plan.left_out:
            folder.discard(plan.piece.name)
        elif not plan.kept:
            _make(stored, plan, folder, p)
    yield packed


def list_valid(folder: PackFolder) -> None:
    """`valid_frame.txt`: a line `frame_{row}` a row of the catalogue none of whose faces is missing.

    Clips of other films are not in it: `mix` numbers these by their place.
    """
    told = [(it, _number_in(it)) for it in folder.clips.values() if not it.missing]
    rows = [number for it, number in told if it.clip == _name(it.recording, number)]
    folder.write(LIST, (f"frame_{row}\n".encode() for row in sorted(rows, key=int)))


def _name(recording: str, row: int | str) -> str:
    """What a clip is called that is a row of the catalogue."""
    return f"{recording}_row-{row}"


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch of film, and whose face is meant."""

    name: str
    number: str  # what its files have in their names
    span: Span
    track: Track | None


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is to be done about a piece."""

    piece: _Piece
    seen: np.ndarray  # (T,) bool: in which of its frames the face is there
    key: str
    kept: bool = False
    left_out: str = ""  # why

    @property
    def paths(self) -> list[str]:
        """The files, one a frame in which the face is there."""
        return [f"{FOLDER}/frame_{self.piece.number}_{at + 1:02d}.jpg" for at in np.flatnonzero(self.seen)]


def _pieces(material: Material, clips: Sequence[TrackClip]) -> list[_Piece]:
    stored = material.stored
    if rows := rows_of(stored):
        found = [(row, face_of(row, stored)) for row in rows]
        return [_Piece(_name(material.recording.id, row.row), str(row.row), it[0], it[1]) for row, it in found if it]
    numbers = (re.sub(r"^0+(?=\d+(_|$))", "", number_of(material, clip, clips)) for clip in clips)
    return [_Piece(clip.name, number, clip.span, clip.track) for clip, number in zip(clips, numbers, strict=True)]


def _plan(material: Material, piece: _Piece, folder: PackFolder, p: AvspeechFacesParams) -> _Plan:
    span = Span(piece.span.start, piece.span.start + min(p.frames or len(piece.span), len(piece.span)))
    piece = _Piece(piece.name, piece.number, span, piece.track)
    seen = np.zeros(len(span), bool)
    if piece.track and (both := piece.track.span & span):
        there = seen_in(material.stored, piece.track)
        seen[both.start - span.start : both.stop - span.start] = there[
            both.start - piece.track.start : both.stop - piece.track.start
        ]
    id = piece.track.id if piece.track else None
    recipe = [NAME, VERSION, piece.number, id, [span.start, span.stop], p.size, material.key("tracks")]
    key = hashlib.sha256(msgspec.json.encode(recipe)).hexdigest()[:16]
    why = ""
    if p.frames > len(span):
        why = f"{len(span)} frames, {p.frames} are asked for"
    elif not seen.any() or 1 - seen.mean() > p.max_missing:
        why = f"no face in {(~seen).sum()} of {len(span)} frames"
    return _Plan(piece, seen, key, not why and folder.has(piece.name, PART, key), why)


def _make(stored: StoredRecording, plan: _Plan, folder: PackFolder, p: AvspeechFacesParams) -> None:
    from phonoscope.media.encode import jpeg

    piece = plan.piece
    if piece.track is None:
        raise ValueError(f"'{piece.name}' is without a face, and yet to be made")
    for other in [it for it in folder.clips.values() if it.clip != piece.name and _number_in(it) == piece.number]:
        if other.recording == stored.recording.id:  # other frames of it were packed before
            folder.discard(other.clip)
        else:
            both = f"'{other.clip}' and '{piece.name}'"
            raise UsageError(f"{both} would both be frame_{piece.number}: pack them into two folders with --only")
    at = np.flatnonzero(plan.seen)
    with folder.part(piece.name) as part:
        (part / FOLDER).mkdir(parents=True)
        paths = iter(plan.paths)
        for some in np.array_split(at, -(-len(at) // HELD)):
            under = Span(piece.span.start + int(some[0]), piece.span.start + int(some[-1]) + 1)
            pictures = stored.crops(piece.track.id, "tight", under, size=p.size)
            for frame in some - some[0]:
                (part / next(paths)).write_bytes(jpeg(pictures[frame], QUALITY))
        entry = PackedClip(
            clip=piece.name, layout=NAME, recording=stored.recording.id, track=piece.track.id, start=piece.span.start,
            frames=len(piece.span), missing=int((~plan.seen).sum()),
        )  # fmt: skip
        folder.keep(entry, {PART: (plan.key, plan.paths)}, part)


def _number_in(clip: PackedClip) -> str:
    """What a clip's files have in their names."""
    return next(iter(clip.parts[PART].files)).removeprefix(f"{FOLDER}/frame_").rpartition("_")[0]
