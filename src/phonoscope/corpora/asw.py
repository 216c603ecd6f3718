"""Labels of "Look Who's Talking" (ASW): a JSON a video, faces at 5 frames a second."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np

from phonoscope.core.errors import UsageError
from phonoscope.corpora.ava import AvaRows, join


class _Row(msgspec.Struct):
    time: float  # s
    bbox: Annotated[list[float], msgspec.Meta(min_length=4, max_length=4)]  # xyxy, parts of the picture
    label: int  # 1: speaks
    eval: int = 1  # 0: too near to a change of mind, and left out of the set's own figures


_TRACKS = msgspec.json.Decoder(dict[str, list[_Row]])


def read_asw(given: Path | str | Iterable[Path | str], only_evaluated: bool = False) -> AvaRows:
    """All rows of `{video}.json` files, or of a folder of them, as those of AVA: `track_000000` is `{video}:000000`.

    Args:
        only_evaluated: leave out rows that the set's authors leave out when they evaluate.

    Raises:
        UsageError: there is no such file, or one is no table of ASW's.

    Source: Kim et al., "Look Who's Talking: Active Speaker Detection in the Wild", Interspeech 2021.
    """
    paths = [path for it in ([given] if isinstance(given, Path | str) else given) for path in _files(Path(it))]
    if not paths:
        raise UsageError("no labels of ASW's given: name JSON files, or a folder of them")
    return join([_read(path, only_evaluated) for path in paths])


def _files(path: Path) -> list[Path]:
    if path.is_dir() and (found := sorted(path.glob("*.json"))):
        return found
    if path.is_dir() or not path.is_file():
        raise UsageError(f"there is no JSON of ASW's at '{path}': give {{video}}.json or a folder of them")
    return [path]


def _read(path: Path, only_evaluated: bool) -> AvaRows:
    try:
        tracks = _TRACKS.decode(path.read_bytes())
    except (OSError, msgspec.MsgspecError) as error:
        raise UsageError(f"'{path}' is no table of ASW's: {error}") from None
    names = tuple(f"{path.stem}:{name.removeprefix('track_')}" for name in tracks)
    pairs = [
        (entity, row) for entity, track in enumerate(tracks.values()) for row in track if row.eval or not only_evaluated
    ]
    if strange := [row.label for _, row in pairs if row.label not in (0, 1)]:
        raise UsageError(f"'{path}' has the label {strange[0]}, expected 0 or 1")
    return AvaRows(
        videos=(path.stem,),
        entities=names,
        video=np.zeros(len(pairs), np.int32),
        entity=np.array([entity for entity, _ in pairs], np.int32),
        time_s=np.array([row.time for _, row in pairs], np.float64),
        box=np.array([row.bbox for _, row in pairs], np.float64).reshape(-1, 4),
        label=np.array([row.label for _, row in pairs], np.int8),
    )
