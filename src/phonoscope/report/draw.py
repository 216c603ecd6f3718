"""One artifact as a picture or a film."""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path

import numpy as np

from phonoscope.core.errors import UsageError
from phonoscope.media.encode import png
from phonoscope.report.film import boxes_film, figures_film, tracks_film
from phonoscope.report.plot import plot_of
from phonoscope.report.sheet import (
    crop_video_sheet,
    crops_sheet,
    face_crops_sheet,
    figures_sheet,
    marks_sheet,
    shots_sheet,
    thumbs_sheet,
)
from phonoscope.store.codecs import read_recording
from phonoscope.store.files import whole_file
from phonoscope.store.recording import StoredRecording
from phonoscope.store.uri import as_uri

PICTURES: Mapping[str, Callable[[StoredRecording, str], np.ndarray]] = {
    "audio": plot_of,
    "shots": lambda stored, _: shots_sheet(stored),
    **dict.fromkeys(("faces", "tracks"), marks_sheet),
    "crops": lambda stored, _: crops_sheet(stored),
    **dict.fromkeys(("mfcc", "vad", "asd"), plot_of),
    "thumbs": lambda stored, _: thumbs_sheet(stored),
    "crop_video": lambda stored, _: crop_video_sheet(stored),
    "face_crops": lambda stored, _: face_crops_sheet(stored),
    **dict.fromkeys(("landmarks", "mesh"), figures_sheet),
    **dict.fromkeys(("pose", "motion", "mouth", "quality", "hands", "fbank", "stft", "speech", "visemes"), plot_of),
}

FILMS: Mapping[str, Callable[[StoredRecording, str, Path], None]] = {
    **dict.fromkeys(("faces", "tracks", "asd"), boxes_film),
    **dict.fromkeys(("landmarks", "mesh", "pose", "mouth"), figures_film),
    **dict.fromkeys(("crops", "crop_video"), tracks_film),
}

ARTIFACTS = ("recording", "clock", *PICTURES)


def draw(stored: StoredRecording, name: str, to: Path) -> None:
    """Write an artifact to `to`, whole or not at all: a picture (.png) or a film with boxes on it or of faces (.mp4).

    Raises:
        UsageError: there is no such artifact, or it is not made, is stale, or cannot be drawn in this way or place.
        RecordingFailed: the film is no longer where it was, or cannot be decoded.
    """
    require(stored, name)
    ways = [*([".png"] if name in PICTURES else []), *([".mp4"] if name in FILMS else [])]
    if to.suffix.lower() not in ways:
        can = f"give a file that ends in {' or '.join(ways)}" if ways else "look at it in words: leave --to away"
        raise UsageError(f"'{name}' cannot be drawn as '{to.name}': {can}")
    _keep_clear(stored, to)
    if to.suffix.lower() == ".mp4":
        FILMS[name](stored, name, to)
        return
    picture = png(PICTURES[name](stored, name))
    with whole_file(to) as part:
        part.write_bytes(picture)


def _keep_clear(stored: StoredRecording, to: Path) -> None:
    """Nothing, if `to` may be written: it has a folder, is no film that the store was made of, and not in the store."""
    if not to.parent.is_dir():
        raise UsageError(f"there is no folder '{to.parent}' to write '{to.name}' into")
    recordings, place = stored.folder.parent, to.resolve()
    if place.is_relative_to(recordings.resolve()):
        raise UsageError(f"'{to}' lies among the recordings of the store: write it elsewhere")
    films = {read_recording(path).source for path in recordings.glob("*/recording.json")}
    if place.as_uri() in films or as_uri(str(to)) in films:
        raise UsageError(f"'{to}' is a film that the store was made of: it stays as it is; give another file to --to")


def require(stored: StoredRecording, name: str) -> None:
    """Nothing, if the artifact is there and fresh.

    Raises:
        UsageError: it is not; says what would make it.
    """
    if stored.path(name) is not None:
        stored.made(name)  # or it says why it is stale
        return
    id, store = stored.folder.name, stored.folder.parents[1]
    if name not in ARTIFACTS:
        near = get_close_matches(name, ARTIFACTS, n=1)
        meant = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(ARTIFACTS)}"
        raise UsageError(f"no artifact '{name}'; {meant}")
    if name == "audio" and not stored.recording.num_samples:
        raise UsageError(f"'{id}' has no sound")
    if name in ("recording", "clock", "audio"):
        raise UsageError(f"'{id}' has lost its '{name}': prepare its film again")
    silent = "" if stored.recording.num_samples else ", unless that takes sound, of which there is none"
    raise UsageError(f"'{id}' has no '{name}' yet: `phonoscope run {name} {store} --only {id}` makes it{silent}")
