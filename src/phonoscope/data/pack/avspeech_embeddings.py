"""The layout of seed 000's face embeddings: a `.npy` a clip, (75, 1, 1792) float64, and a list of them.

Source: https://github.com/bill9800/speech_separation, `model/pretrain_model/pretrain_load_test.py`; its loader has the
folder under the name that is used here.
"""

import csv
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from pathlib import Path, PurePosixPath

import msgspec
import numpy as np

from phonoscope.core.checks import within
from phonoscope.core.errors import UsageError
from phonoscope.core.time import Span
from phonoscope.data.face_embeddings import ENDING, write_face_embeddings
from phonoscope.data.pack.clips import TrackClip, clips_of
from phonoscope.data.pack.folder import PackedClip, PackFolder
from phonoscope.data.pack.formats import repeated, unknown
from phonoscope.data.pack.layout import Packed, check_rate
from phonoscope.data.pack.material import Material
from phonoscope.data.pack.whole import name_of
from phonoscope.store.folder import Store
from phonoscope.store.recording import StoredRecording

NAME, VERSION = "avspeech-embeddings", 1
FPS = Fraction(25)
WIDTH = 1792  # numbers of a face that the seed's networks are made for
FOLDER, ALL, PART = "face_emb", "faceemb_dataset.txt", "faces"


@dataclass(frozen=True, slots=True, kw_only=True)
class AvspeechEmbeddingsParams:
    """Which clips, how much of each, and what of frames without a face."""

    ids: Path | None = None  # ids.csv of `phonoscope mix --layout avspeech`: its pieces, whole, and its numbers
    frames: int = 75  # of each other clip, from its beginning, 25 a second; 0: all of it
    max_missing: float = 0.0  # share of them without a face, up to which a clip is packed; each repeats one beside it

    def __post_init__(self) -> None:
        within("avspeech_embeddings.frames", self.frames, 0)
        within("avspeech_embeddings.max_missing", self.max_missing, 0, 1)


def avspeech_embeddings(
    stored: StoredRecording, clips: Sequence[TrackClip], folder: PackFolder, p: AvspeechEmbeddingsParams
) -> Iterator[Packed]:
    """Each clip's embeddings as `face_emb/{number}_face_emb.npy`, (T, 1, D) float64, no NaN in it.

    If `p.ids` names pieces, they are the clips. Clips that are too short, or have more frames without a face than
    `max_missing` allows, are left out.

    Raises:
        UsageError: the recording has another rate than 25 frames a second, no fresh embeddings, or those of a few
            frames only; or another recording's clip has its number.
    """
    recording, material = stored.recording, Material(stored)
    check_rate(NAME, FPS, recording)
    if p.ids is None:
        wanted = [(clip, number_of(material, clip, clips)) for clip in clips]
    else:
        pieces = read_ids(p.ids).get(recording.id, {})
        named = clips_of(recording.id, stored.load("tracks"), [*pieces.values()])
        wanted, p = [(clip, f"{number:05d}") for clip, number in zip(named, pieces, strict=True)], replace(p, frames=0)
    plans = [_plan(material, clip, number, folder, p) for clip, number in wanted]
    widths = {plan.rows.shape[1] for plan in plans} - {WIDTH}
    odd = tuple(f"{width} numbers a face, where the seed's networks want {WIDTH}" for width in sorted(widths))
    packed = Packed.of(recording.id, ((plan.clip.name, plan.kept, plan.left_out) for plan in plans))
    yield packed
    for plan in plans:
        if plan.left_out:
            folder.discard(plan.clip.name)
        elif not plan.kept:
            _make(recording.id, plan, folder)
    yield replace(packed, notes=odd)


def strays(store: Store, p: AvspeechEmbeddingsParams) -> Iterator[Packed]:
    """The pieces that are of no recording of the store.

    Raises:
        UsageError: `p.ids` cannot be read.
    """
    known = {*store}
    for recording, pieces in (read_ids(p.ids) if p.ids else {}).items():
        if recording not in known:
            why = "the store has no such recording"
            yield Packed(recording=recording, left_out={f"{number:05d}": why for number in pieces})


def read_ids(path: Path) -> Mapping[str, Mapping[int, tuple[int, Span]]]:
    """Pieces of mixtures, recording -> number -> track and frames, of a table id, recording, track, start_frame, …

    Raises:
        UsageError: there is no such table, it lacks a column, or a number or a piece is in it twice.
    """
    try:
        return _ids(path, path.stat().st_mtime_ns)
    except OSError as error:
        raise UsageError(f"cannot read the ids in '{path}': {error.strerror}") from None
    except KeyError as error:
        raise UsageError(f"cannot read the ids in '{path}': it has no column {error}") from None
    except (ValueError, TypeError, csv.Error) as error:
        raise UsageError(f"cannot read the ids in '{path}': {error}") from None


@lru_cache(maxsize=1)  # each recording asks for it
def _ids(path: Path, _changed_ns: int) -> Mapping[str, Mapping[int, tuple[int, Span]]]:
    found: dict[str, dict[int, tuple[int, Span]]] = {}
    seen: set[object] = set()
    with path.open(newline="", encoding="utf-8-sig") as file:
        for row in csv.DictReader(file):
            number, track = int(row["id"]), int(row["track"])
            piece = track, Span(int(row["start_frame"]), int(row["stop_frame"]))
            if {number, (row["recording"], piece)} & seen:
                raise ValueError(f"{number:05d}, or its piece, is in it twice")
            seen |= {number, (row["recording"], piece)}
            found.setdefault(row["recording"], {})[number] = piece
    return found


def join_list(folder: PackFolder) -> None:
    """`faceemb_dataset.txt`: the name of each file, a line each."""
    folder.write(ALL, (f"{path.name}\n".encode() for path in folder.files()))


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is to be done about a clip."""

    clip: TrackClip
    span: Span  # of it, what is packed
    rows: np.ndarray  # (T, D) float32, NaN where there is none
    path: str
    key: str
    kept: bool = False
    left_out: str = ""  # why


def _plan(material: Material, clip: TrackClip, number: str, folder: PackFolder, p: AvspeechEmbeddingsParams) -> _Plan:
    span = Span(clip.span.start, clip.span.start + min(p.frames or len(clip.span), len(clip.span)))
    rows, missing = material.embeddings(clip)
    rows, missing = rows[: len(span)], missing[: len(span)]
    if (unknown(rows) & ~missing).any():
        how = "`phonoscope run embeddings STORE --embeddings.per-track 0 --embeddings.model facenet-avgpool`"
        raise UsageError(f"'{material.recording.id}' has embeddings of some frames only; of all: {how}")
    path = f"{FOLDER}/{number}{ENDING}"
    recipe = [NAME, VERSION, [clip.track.id, span.start, span.stop], path, material.key("embeddings")]
    key = hashlib.sha256(msgspec.json.encode(recipe)).hexdigest()[:16]
    why = ""
    if p.frames > len(span):
        why = f"{len(span)} frames, {p.frames} are asked for"
    elif missing.all() or missing.mean() > p.max_missing:
        why = f"no face in {missing.sum()} of {len(span)} frames"
    kept = not why and folder.has(clip.name, PART, key)
    return _Plan(clip, span, rows, path, key, kept, why)


def _make(recording: str, plan: _Plan, folder: PackFolder) -> None:
    for other in [*folder.clips.values()]:
        if other.clip == plan.clip.name or not any(plan.path in made.files for made in other.parts.values()):
            continue
        if other.recording == recording:  # other frames of it were packed before
            folder.discard(other.clip)
        else:
            both = f"'{other.clip}' and '{plan.clip.name}'"
            raise UsageError(f"{both} would both be {plan.path}: pack them into two folders with --only")
    with folder.part(plan.clip.name) as part:
        (part / plan.path).parent.mkdir(parents=True)
        write_face_embeddings(part / plan.path, repeated(plan.rows))
        entry = PackedClip(
            clip=plan.clip.name, layout=NAME, recording=recording, track=plan.clip.track.id, start=plan.span.start,
            frames=len(plan.span), missing=int(unknown(plan.rows).sum()),
        )  # fmt: skip
        folder.keep(entry, {PART: (plan.key, [plan.path])}, part)


def number_of(material: Material, clip: TrackClip, clips: Sequence[TrackClip]) -> str:
    """What the clip's file begins with: the row of the catalogue where the film is named by it, else the clip's name.

    `17.mp4` and `frame_17.mp4` are 00017; of several clips of a film, each has its track and frames behind.
    """
    name, id = name_of(material), material.recording.id
    stem = PurePosixPath(material.recording.source).stem if name == id else name
    word = stem.rpartition("_")[2]
    if not (word.isascii() and word.isdigit()):
        return clip.name
    return f"{int(word):05d}" + ("" if len(clips) == 1 else clip.name.removeprefix(id))
