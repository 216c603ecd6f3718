"""`phonoscope show`: one artifact in words, as a picture, as film."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from phonoscope.cli.options import parse
from phonoscope.core.errors import UsageError
from phonoscope.store.folder import Store
from phonoscope.store.recording import StoredRecording


@dataclass(frozen=True, kw_only=True)
class Show:
    """Look at one artifact of one recording.

    phonoscope show films/talk tracks                    in words
    phonoscope show films/talk tracks --to tracks.png    a picture: sheets of frames, crops, curves
    phonoscope show films/talk asd --to seen.mp4         the film with boxes, green where somebody speaks
    phonoscope show films/talk landmarks --to lines.mp4  the film with the lines of each face
    phonoscope show films/talk pose --to pose.png        curves of yaw, pitch and roll
    """

    where: Positional[str]  # the store, a slash, and the recording's id or a part of it that only one has
    name: Positional[str]  # recording, clock, audio, tracks, asd, landmarks, pose … : what `phonoscope status` lists
    to: Path | None = None  # file to write: .png, or .mp4 where it can be drawn on film


def main(arguments: Sequence[str]) -> int:
    """Run the verb."""
    options, _ = parse(Show, arguments, with_params=False)
    stored = find(options.where)
    if options.to:
        from phonoscope.report.draw import draw

        draw(stored, options.name, options.to)
        print(options.to)
        return 0
    from rich.console import Console

    from phonoscope.report.words import words

    console = Console(highlight=False)
    for part in words(stored, options.name):
        console.print(part)
    return 0


def find(where: str) -> StoredRecording:
    """The recording at STORE/RECORDING, or STORE/recordings/RECORDING as a shell completes it.

    Raises:
        UsageError: there is no such store or recording, or `where` does not name one.
    """
    store, slash, id = where.rstrip("/").rpartition("/")
    if not slash or not id:
        raise UsageError(
            f"'{where}' names no recording: give the store, a slash, and a part of its id, as in films/talk"
        )
    if "://" in where:
        if store.endswith(":/"):  # as in s3://films, a bucket and nothing in it
            raise UsageError(f"'{where}' names no recording: give the store, a slash, and a part of its id")
        return Store(store)[id]
    root = Path(store or "/")
    if root.name == "recordings" and not (root / "store.json").exists():
        root = root.parent
    if not (root / "store.json").exists() and (Path(where) / "store.json").exists():
        raise UsageError(f"'{where}' is a store: which of its recordings? `phonoscope status {where}` lists them")
    return Store(root)[id]
