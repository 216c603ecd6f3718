"""AVA's films as its bucket has them: a table of file names, with md5 sums where it tells them."""

import csv
from collections.abc import Collection
from pathlib import Path

from phonoscope.core.errors import UsageError
from phonoscope.corpora.wanted import Wanted, joined

BUCKET = "https://s3.amazonaws.com/ava-dataset/trainval/"


def wanted(table: Path, ids: Collection[str] | None = None, bucket: str = BUCKET) -> tuple[list[Wanted], list[str]]:
    """The films of `ava_speech_file_names_v1.csv`, or of any list of file names, and the ids that it does not know.

    Args:
        ids: only these videos; by default all.
        bucket: the URL below which the files lie.

    Raises:
        UsageError: there is no such table, or a line of it names no file.
    """
    try:
        rows = list(csv.reader(table.read_text(encoding="utf-8-sig").splitlines()))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the table '{table}' cannot be read: {error}") from None
    found = {}
    for number, row in enumerate(rows, 1):
        name = row[0].strip() if row else ""
        if not name or name == "file_name":
            continue
        if "." not in name:
            raise UsageError(f"'{table}', line {number}: '{name}' is no file's name, as -5KQ66BBWC4.mkv is one")
        md5 = row[1].strip() if len(row) > 1 else ""
        stem = name.rpartition(".")[0]
        found[stem] = Wanted(url=f"{bucket}{name}", name=stem, md5=md5)
    chosen = sorted(ids) if ids is not None else list(found)
    return joined(found[it] for it in chosen if it in found), [it for it in chosen if it not in found]
