"""A clip as files that share one name: film, sound, what is told of it, and arrays in step with its frames."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from phonoscope.core.checks import within
from phonoscope.core.errors import UsageError
from phonoscope.core.faces import TrackArrays
from phonoscope.core.media import Picture
from phonoscope.core.series import Series
from phonoscope.data.pack.about import About, about, set_of
from phonoscope.data.pack.clips import TrackClip
from phonoscope.data.pack.film import Rest, film_clip
from phonoscope.data.pack.formats import write_array, write_wav
from phonoscope.data.pack.material import Material, under
from phonoscope.data.pack.square import FixedSquare, square_around

VERSION = 1
FILM, SOUND, ABOUT = "mp4", "wav", "json"
SERIES = {"mfcc.npy": "mfcc", "visemes.npy": "visemes"}  # ending -> artifact, rows in step with the frames
LANDMARKS, LABELS = "landmarks.npy", "labels.npy"
FACES = "face_crops.{}.npy"  # of a policy
TOLD = ("asd", "labels", "landmarks", "quality")  # artifacts that the json tells of
WANTED = ("asd", "landmarks", "mfcc", "quality", "visemes")  # artifacts that there is room for


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipsParams:
    """How clips are cut out."""

    expand: float = 0.6  # how much wider than the face the square is, 0.6: by 60 %
    size: int = 0  # px, side of the films; 0: each as large as its square, in the film's own pixels
    film: bool = True  # films too; without them there are sound, words and arrays, and nothing is decoded

    def __post_init__(self) -> None:
        within("expand", self.expand, 0, 100)
        within("size", self.size, 0, 8192)
        if self.size % 2:
            raise UsageError(f"size must be an even number of pixels, as H.264 has it, got {self.size}")


@dataclass(frozen=True, slots=True)
class Members:
    """A clip's files before they are written."""

    clip: TrackClip
    square: FixedSquare
    size: int  # px, side of the film
    split: str  # set
    keys: Mapping[str, str]  # ending of each file that it is to have -> hash of what it is made from

    @property
    def key(self) -> str:
        """The same of all of them."""
        return _hash([self.clip.name, [*self.keys.items()]])


def members_of(material: Material, clip: TrackClip, p: ClipsParams) -> Members:
    """What files a clip is to have: those that its recording has the artifacts for, fresh.

    Raises:
        ValueError: the picture is too small to hold even the smallest square.
    """
    recording, its = material.recording, material.receipts
    square = square_around(clip.track, p.expand, recording.width, recording.height)
    size, split = p.size or square.side, set_of(material.stored)
    span, place = [clip.span.start, clip.span.stop], [square.x, square.y, square.side, size]
    recipes: dict[str, list[object]] = {}
    if p.film:
        recipes[FILM] = [material.key("recording"), place, material.flac is not None]
    if material.flac:
        recipes[SOUND] = [material.key("audio")]
        recipes |= {ending: [material.key(name)] for ending, name in SERIES.items() if name in its}
    if "landmarks" in its:
        recipes[LANDMARKS] = [material.key("landmarks"), place]
    if policy := material.face_policy:
        recipes[FACES.format(policy)] = [material.key("face_crops")]
    if material.labels is not None and clip.track.id in material.labels.track:
        recipes[LABELS] = [material.key("labels")]
    told = [[name, material.key(name)] for name in TOLD]
    recipes[ABOUT] = [recording.rights, material.stored.listed, place, told, sorted(recipes)]
    keys = {
        ending: _hash([VERSION, ending, split, recording.id, clip.track.id, span, *recipe])
        for ending, recipe in sorted(recipes.items())
    }
    return Members(clip, square, size, split, keys)


def lacking(material: Material) -> tuple[str, ...]:
    """The artifacts that clips have room for, but the recording has none that is fresh."""
    heard = ("asd", "mfcc", "visemes")
    return tuple(name for name in WANTED if name not in material.receipts and (material.flac or name not in heard))


def film_member(batch: Sequence[Picture], material: Material, it: Members, folder: Path) -> Rest:
    """A clip's film, `<clip>.mp4` in a folder; `batch` are its first pictures."""
    to = folder / f"{it.clip.name}.{FILM}"
    return film_clip(batch, it.clip.span, it.square, material.recording, material.flac, None, to, it.size)


def write_members(material: Material, it: Members, endings: Collection[str], folder: Path) -> None:
    """Write those of a clip's files into a folder, each as `<clip>.<ending>`, but for its film."""
    recording, span = material.recording, it.clip.span
    for ending in endings:
        to = folder / f"{it.clip.name}.{ending}"
        if ending == ABOUT:
            to.write_bytes(about_json(about(material, it.clip, it.square, it.size)))
        elif ending == SOUND and material.flac:
            write_wav(to, material.flac, span.samples(recording.fps, recording.sample_rate))
        elif ending == LANDMARKS and (points := material.points(it.clip)) is not None:
            write_array(to, (it.square.to_crop(points) * (it.size / it.square.side)).astype(np.float32))
        elif ending == LABELS:
            write_array(to, _labels(material, it.clip))
        elif policy_of(ending):
            write_array(to, _faces(material, it.clip))
        elif ending in SERIES:
            write_array(to, _in_step(material.stored.load(SERIES[ending]), it.clip, material))


def about_json(told: About) -> bytes:
    """What is told of a clip, as JSON that people can read."""
    return msgspec.json.format(msgspec.json.encode(told), indent=1) + b"\n"


def read_about(path: Path) -> About:
    """The same out of its file."""
    return msgspec.json.decode(path.read_bytes(), type=About)


def _in_step(series: Series, clip: TrackClip, material: Material) -> np.ndarray:
    """The rows of a series under a clip, (rows · T, …) float32, as many for each frame as its rate has, at least 1."""
    fps = material.recording.fps
    return np.asarray(series.on(clip.span, fps, max(1, round(series.rate / fps))), np.float32)


def policy_of(ending: str) -> str:
    """How faces are cut that a file of this ending holds; nothing if it holds something else."""
    before, after = FACES.split("{}")
    return ending.removeprefix(before).removesuffix(after) if ending.startswith(before) else ""


def _faces(material: Material, clip: TrackClip) -> np.ndarray:
    """The faces of a clip, (T, size, size) uint8, 0 where there is none: as a scorer is shown them."""
    faces: TrackArrays = material.stored.load("face_crops")
    missing = under(clip, faces.frames, faces.frames.of(clip.track.id, "missing"))
    return np.where(missing[:, None, None], np.uint8(0), under(clip, faces.frames, faces[clip.track.id]))


def _labels(material: Material, clip: TrackClip) -> np.ndarray:
    """What a corpus says of every frame of a clip, (T,) int8: its label, or -1 where it says nothing."""
    said, table = np.full(len(clip.span), -1, np.int8), material.labels
    if table is not None:
        mine = (table.track == clip.track.id) & (table.frame >= clip.span.start) & (table.frame < clip.span.stop)
        said[table.frame[mine] - clip.span.start] = table.columns["label"][mine]
    return said


def _hash(recipe: list[object]) -> str:
    return hashlib.sha256(msgspec.json.encode(recipe)).hexdigest()[:16]
