"""The layout of WebDataset: tar files, in which the files of a clip lie one after the other and share its name.

Source: https://github.com/webdataset/webdataset, whose convention of names it is.
"""

import tarfile
from collections.abc import Iterable
from pathlib import Path

from phonoscope.data.pack.shards import ClipFiles, ShardKind


def write_tar(path: Path, clips: Iterable[ClipFiles]) -> None:
    """A tar file of clips, each as `<clip>.json`, `.mp4`, `.wav` and so on; the same clips give the same bytes."""
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as tar:
        for clip in clips:
            for ending, file in clip.files.items():
                entry = tarfile.TarInfo(f"{clip.about.clip}.{ending}")  # of nobody, at no time
                entry.size = file.stat().st_size
                with file.open("rb") as content:
                    tar.addfile(entry, content)


WEBDATASET = ShardKind("webdataset", 1, "%s.tar", write_tar)
