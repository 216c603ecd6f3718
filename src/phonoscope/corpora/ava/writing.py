"""Csv files of AVA-ActiveSpeaker, written: as AVA has them, and as TalkNet's trainers read them."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal

import numpy as np

from phonoscope.core.errors import UsageError
from phonoscope.corpora.ava.rows import BOX, LABELS, OFFICIAL, ORIG, AvaRows
from phonoscope.store.files import whole_file

if TYPE_CHECKING:
    import pyarrow as pa


def write_ava(path: Path | str, rows: AvaRows, layout: Literal["official", "orig"] = "official") -> None:
    """A csv of `rows`, whole or not at all, packed if its name ends in `.gz`; numbers come back exactly.

    `official` has no header, and a ninth column if there are scores. `orig` is TalkNet's: a header, label_id, and
    instance_id, which counts from 0 how often the entity's label has changed; a score stands last.

    Raises:
        UsageError: a name holds a comma, a quote or a line break, which would shift the columns.
    """
    import pyarrow as pa
    import pyarrow.csv

    path = Path(path)
    for name in (*rows.videos, *rows.entities):
        if any(sign in name for sign in ',"\n\r'):
            raise UsageError(f"'{path}' cannot hold the name {name!r}: a comma, quote or line break shifts the columns")
    columns = {
        "video_id": _names(rows.videos, rows.video),
        "entity_id": _names(rows.entities, rows.entity),
        "label": _names(LABELS, rows.label),
        "frame_timestamp": rows.time_s,
        **dict(zip(BOX, rows.box.T, strict=True)),
    }
    if layout == "orig":
        counter = rows.label_runs() if rows.instance is None else rows.instance
        columns["label_id"] = rows.label
        names = zip(rows.entity.tolist(), counter.tolist(), strict=True)
        columns["instance_id"] = pa.array([f"{rows.entities[entity]}:{n}" for entity, n in names], pa.string())
    names = [*(ORIG if layout == "orig" else OFFICIAL)]
    if rows.score is not None:
        columns["score"] = rows.score
        names.append("score")
    table = pa.table({name: columns[name] for name in names})
    how = pyarrow.csv.WriteOptions(include_header=False, quoting_style="none")
    with whole_file(path) as part, _packed(part, path.suffix == ".gz") as file:
        if layout == "orig":
            file.write((",".join(names) + "\n").encode())
        pyarrow.csv.write_csv(table, file, how)


def _names(words: tuple[str, ...], codes: np.ndarray) -> "pa.Array":
    """Each row's word, (N,) text."""
    import pyarrow as pa

    return pa.array(words, pa.string()).take(pa.array(codes))


@contextmanager
def _packed(path: Path, packed: bool) -> Iterator[IO[bytes]]:
    """A file to write into; packed, it holds no time or name, so the same rows give the same bytes."""
    with path.open("wb") as file:
        if not packed:
            yield file
            return
        with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as inside:
            yield inside  # type: ignore[misc]
