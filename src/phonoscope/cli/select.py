"""`phonoscope select`: which tracks become clips."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
from tyro.conf import Positional

from phonoscope.cli.funnel import funnel_lines, spread_lines
from phonoscope.cli.options import parse
from phonoscope.core.errors import UsageError
from phonoscope.data.select import select
from phonoscope.report.page import write_report
from phonoscope.report.wording import count
from phonoscope.store.folder import Store
from phonoscope.store.lock import alone


@dataclass(frozen=True, kw_only=True)
class Select:
    """Write the tracks that fulfil a query as a table of clips, and tell how many each condition leaves.

    phonoscope select films                                        what can be asked, and how it is spread
    phonoscope select films --where "duration_s >= 2"              how many would be left; writes nothing
    phonoscope select films --where "faces == 1 and duration_s >= 2 and speaking > 0.8" --to clips.parquet
    phonoscope select films --where "abs(yaw_deg) < 30 and blur > 20 and 'CC' in licence" --to clips.csv

    A query is written as in Python: columns, numbers, 'text', and, or, not, < <= == != >= >, in, + - * /, abs(), min(),
    max(). What varies along a track is asked by its median; _min and _max behind it, as in size_px_min, mean the
    extremes.
    """

    store: Positional[Path | str]
    where: str = ""  # the query; by default all tracks
    to: Path | None = None  # file to write: .parquet or .csv; without it, nothing is written
    json: bool = False  # the funnel as one JSON object, for programs
    report: bool = True  # tell of it in report.html, if clips are written


def main(arguments: Sequence[str]) -> int:
    """Run the verb."""
    options, _ = parse(Select, arguments, with_params=False)
    if options.to is not None and options.to.is_dir():
        raise UsageError(f"'{options.to}' is a folder: give a file, such as {options.to / 'clips.parquet'}")
    store = Store(options.store)
    chosen = select(store, options.where, options.to)
    clips = chosen.selection.clips
    if options.to and options.report and not store.far:
        with alone(store.root / ".report.lock"):  # a job may be writing the page at this moment
            write_report(store)
    if options.json:
        print(msgspec.json.encode({**msgspec.to_builtins(chosen.selection), "clips": clips}).decode())
        return 0
    asked = options.where or options.to
    print("\n".join(funnel_lines(chosen.selection, store.uri) if asked else spread_lines(chosen.table)))
    if options.to:
        print(f"{count(clips, 'clip')} in {options.to}")
    return 0
