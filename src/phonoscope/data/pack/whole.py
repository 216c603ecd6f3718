"""Layouts that tell of a recording as a whole: one entry of `clips.csv`, some files."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from phonoscope.core.errors import UsageError
from phonoscope.data.pack.clips import TrackClip
from phonoscope.data.pack.folder import PackedClip, PackFolder
from phonoscope.data.pack.layout import Packed
from phonoscope.data.pack.material import Material
from phonoscope.flow.plan import plain
from phonoscope.store.recording import StoredRecording

PART = "whole"


def pack_whole(
    material: Material,
    clips: Sequence[TrackClip],
    folder: PackFolder,
    made_by: tuple[str, int],
    made_from: Sequence[str],
    p: Any,
    write: Callable[[Path], list[str]],
    needs: Sequence[str] = ("asd",),
) -> Iterator[Packed]:
    """Pack who speaks in one recording by one function, unless the same was made of the same; yields twice.

    One without sound is left out.

    Args:
        made_by: name of the layout and its version.
        made_from: artifacts that it reads, of those that there are.
        write: writes the files into an empty folder, and gives their paths in it.
        needs: artifacts that there must be.

    Raises:
        UsageError: one of `needs` is not there or stale; it says what makes it.
    """
    if material.flac is None:
        yield from _left_out(material, folder, "it has no sound, so nobody speaks")
        return
    for name in needs:
        material.stored.made(name)
    recording, (layout, version) = material.recording, made_by
    spans = [[clip.track.id, clip.span.start, clip.span.stop] for clip in clips]
    recipe = [layout, version, plain(p), spans, name_of(material), [material.key(name) for name in made_from]]
    key = hashlib.sha256(msgspec.json.encode(recipe)).hexdigest()[:16]
    kept = folder.has(recording.id, PART, key)
    packed = Packed(
        recording=recording.id,
        made=() if kept else (recording.id,),
        kept=(recording.id,) if kept else (),
    )
    yield packed
    if not kept:
        with folder.part(recording.id) as part:
            files = write(part)
            _check_free(files, recording.id, folder)
            entry = PackedClip(
                clip=recording.id, layout=layout, recording=recording.id, track=None, start=0,
                frames=recording.num_frames,
            )  # fmt: skip
            folder.keep(entry, {PART: (key, files)}, part)
    yield packed


def one_file(path: str, write: Callable[[Path], object]) -> Callable[[Path], list[str]]:
    """What `pack_whole` writes by, if that is one file.

    Args:
        path: of the file, in the folder.
        write: writes it to the path that it is given.
    """

    def written(part: Path) -> list[str]:
        (part / path).parent.mkdir(parents=True, exist_ok=True)
        write(part / path)
        return [path]

    return written


def _left_out(material: Material, folder: PackFolder, why: str) -> Iterator[Packed]:
    """A recording that the layout has nothing to tell of; if it lay in the folder, it is taken away."""
    packed = Packed(recording=material.recording.id, left_out={material.recording.id: why})
    yield packed
    folder.discard(material.recording.id)
    yield packed


def name_of(material: Material) -> str:
    """What a recording is called where a corpus lists it, folders before it, without suffix; elsewhere its id.

    It holds no slash: `training/ana/talk.mp4` is `training_ana_talk`, and AVA's `1j20qq1JyX4.mp4` is `1j20qq1JyX4`.
    """
    return called(material.stored)


def called(stored: StoredRecording) -> str:
    """The same of a recording of which nothing else is needed."""
    listed = stored.listed
    if listed is None:
        return stored.folder.name
    return "_".join(PurePosixPath(listed.path).with_suffix("").parts)


def _check_free(files: Sequence[str], recording: str, folder: PackFolder) -> None:
    """Nothing, if no other recording has written these files.

    Raises:
        UsageError: one has.
    """
    for clip in folder.clips.values():
        if clip.recording != recording and {*files} & {path for made in clip.parts.values() for path in made.files}:
            both = f"'{clip.recording}' and '{recording}'"
            raise UsageError(f"{both} have one name in their corpus: pack them into two folders with --only")
