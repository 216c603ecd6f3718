"""The layout of Lhotse: the plain clips, and manifests of recordings, supervisions and cuts beside them.

Source: https://github.com/lhotse-speech/lhotse, whose manifests these are.
"""

import gzip
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from phonoscope.data.pack.about import About
from phonoscope.data.pack.folder import PackFolder
from phonoscope.data.pack.members import ABOUT, FILM, SOUND, read_about

RECORDINGS, SUPERVISIONS, CUTS = "recordings.jsonl.gz", "supervisions.jsonl.gz", "cuts.jsonl.gz"


def write_manifests(folder: PackFolder) -> None:
    """The three manifests, of all clips that lie in the folder and have sound, by name; paths are below the folder.

    To Lhotse a clip is a recording. A supervision is a stretch in which its face speaks.
    """
    files = [path for path in folder.files() if path.exists()]  # what somebody removed is made again the next time
    filmed = {path.stem for path in files if path.suffix == f".{FILM}"}
    heard = [told for told in map(read_about, (it for it in files if it.suffix == f".{ABOUT}")) if told.samples]
    _write(folder, RECORDINGS, (recording(told) for told in heard))
    _write(folder, SUPERVISIONS, (it for told in heard for it in supervisions(told)))
    _write(folder, CUTS, (cut(told, told.clip in filmed) for told in heard))


def recording(told: About) -> dict[str, Any]:
    """A clip's sound as Lhotse lists it."""
    return {
        "id": told.clip,
        "sources": [{"type": "file", "channels": [0], "source": _path(told, SOUND)}],
        "sampling_rate": told.sample_rate,
        "num_samples": told.samples,
        "duration": told.samples / told.sample_rate,
        "channel_ids": [0],
    }


def supervisions(told: About) -> Iterator[dict[str, Any]]:
    """Who speaks when in a clip: the stretches that its labels or scores say; none if neither tells."""
    end = told.samples / told.sample_rate
    for number, it in enumerate(told.speaking or ()):
        yield {
            "id": f"{told.clip}-{number}",
            "recording_id": told.clip,
            "start": it.start_s,
            "duration": min(it.stop_s, end) - it.start_s,  # the sound may be half a sample shorter than its frames
            "channel": 0,
            "speaker": told.speaker,
            "custom": {"split": told.split, "by": told.speaking_by},
        }


def cut(told: About, filmed: bool) -> dict[str, Any]:
    """A clip as a cut: all of its sound, with its supervisions, and where its film lies if it was filmed."""
    custom = {"split": told.split, "speaker": told.speaker, "licence": told.licence}
    return {
        "id": told.clip,
        "start": 0,
        "duration": told.samples / told.sample_rate,
        "channel": 0,
        "supervisions": [*supervisions(told)],
        "recording": recording(told),
        "custom": custom | {"film": _path(told, FILM)} if filmed else custom,
        "type": "MonoCut",
    }


def _path(told: About, ending: str) -> str:
    return f"{told.split}/{told.clip}.{ending}"


def _write(folder: PackFolder, name: str, rows: Iterable[dict[str, Any]]) -> None:
    lines = b"".join(msgspec.json.encode(row) + b"\n" for row in rows)
    folder.write(name, [gzip.compress(lines, mtime=0)])
