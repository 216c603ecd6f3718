"""phonoscope: film of talking people in, training-ready audio-visual speech data out.

from phonoscope import Store, prepare

for outcome in prepare(["film.mp4"], "films").carry_out():
    print(outcome.recording, outcome.made)
recording = Store("films")["film"]
faces, sound = recording.crops(0), recording.audio()
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from phonoscope.core.faces import Faces, Shots, Track, Tracks, TrackTable
    from phonoscope.core.geometry import Crop, Crops
    from phonoscope.core.media import Recording
    from phonoscope.core.series import Series
    from phonoscope.core.time import Span
    from phonoscope.job import Params, prepare, run
    from phonoscope.store.folder import Store

_HOMES = {
    "Store": "store.folder",
    "prepare": "job",
    "run": "job",
    "Params": "job",
    "Recording": "core.media",
    "Series": "core.series",
    "Span": "core.time",
    "Faces": "core.faces",
    "Shots": "core.faces",
    "Track": "core.faces",
    "Tracks": "core.faces",
    "TrackTable": "core.faces",
    "Crop": "core.geometry",
    "Crops": "core.geometry",
}
__all__ = [
    "Crop", "Crops", "Faces", "Params", "Recording", "Series", "Shots", "Span", "Store", "Track", "TrackTable",
    "Tracks", "prepare", "run",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """The public names; each is imported when it is first asked for, so that `import phonoscope` is instant."""
    if name not in _HOMES:
        raise AttributeError(f"phonoscope has no '{name}'; it has {', '.join(_HOMES)}")
    return getattr(import_module(f"phonoscope.{_HOMES[name]}"), name)
