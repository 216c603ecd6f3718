"""One artifact as a picture or a film."""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path

import numpy as np

from phonoscope.core.errors import UsageError
from phonoscope.media.encode import png
from phonoscope.report.film import boxes_film
from phonoscope.report.plot import plot_of
from phonoscope.report.sheet import crops_sheet, marks_sheet, shots_sheet, thumbs_sheet
from phonoscope.store.codecs import read_recording
from phonoscope.store.receipts import whole_file
from phonoscope.store.recording import StoredRecording
from phonoscope.store.uri import as_uri

BOXES = ("faces", "tracks", "asd")  # can be drawn on the film itself

PICTURES: Mapping[str, Callable[[StoredRecording], np.ndarray]] = {
    "audio": lambda stored: plot_of(stored, "audio"),
    "shots": shots_sheet,
    "faces": lambda stored: marks_sheet(stored, "faces"),
    "tracks": lambda stored: marks_sheet(stored, "tracks"),
    "crops": crops_sheet,
    "mfcc": lambda stored: plot_of(stored, "mfcc"),
    "vad": lambda stored: plot_of(stored, "vad"),
    "asd": lambda stored: plot_of(stored, "asd"),
    "thumbs": thumbs_sheet,
}

ARTIFACTS = ("recording", "clock", *PICTURES, "crop_video")


def draw(stored: StoredRecording, name: str, to: Path) -> None:
    """Write an artifact to `to`, whole or not at all: a picture (.png) or a film with boxes on it (.mp4).

    Raises:
        UsageError: there is no such artifact, it has not been made, it cannot be drawn in this way, or not there.
        RecordingFailed: the film is no longer where it was, or cannot be decoded.
    """
    require(stored, name)
    ways = [*([".png"] if name in PICTURES else []), *([".mp4"] if name in BOXES else [])]
    if to.suffix.lower() not in ways:
        can = f"give a file that ends in {' or '.join(ways)}" if ways else "look at it in words: leave --to away"
        raise UsageError(f"'{name}' cannot be drawn as '{to.name}': {can}")
    _keep_clear(stored, to)
    if to.suffix.lower() == ".mp4":
        boxes_film(stored, name, to)
        return
    picture = png(PICTURES[name](stored))
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
    """Nothing, if the artifact is there.

    Raises:
        UsageError: it is not; says what would make it.
    """
    if stored.path(name) is not None or (name == "audio" and name in stored.receipts):
        return
    id, store = stored.folder.name, stored.folder.parents[1]
    if name not in ARTIFACTS:
        near = get_close_matches(name, ARTIFACTS, n=1)
        meant = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(ARTIFACTS)}"
        raise UsageError(f"no artifact '{name}'; {meant}")
    if name == "audio":
        raise UsageError(f"'{id}' has no sound")
    raise UsageError(f"'{id}' has no '{name}' yet: `phonoscope run {name} {store} --only {id}` makes it")
