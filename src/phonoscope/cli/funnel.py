"""How a selection, and what it may choose from, is told in lines."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from phonoscope.report.wording import amount, count, unit_for
from phonoscope.store.selections import Selection

if TYPE_CHECKING:
    import pyarrow as pa


def funnel_lines(selection: Selection, store: Path | str) -> list[str]:
    """A line a condition: how many clips it leaves, how long they are, and how many it would drop alone."""
    unit = unit_for(selection.seconds)
    rows = [("", "clips", "time", "drops alone")]
    rows.append(("all tracks", f"{selection.candidates}", amount(selection.seconds, unit), ""))
    rows += [(it.condition, f"{it.clips}", amount(it.seconds, unit), f"{it.alone}") for it in selection.stages]
    said = _aligned(rows)
    for it in selection.stages:
        if it.unmeasured:
            makes = f"; phonoscope run {' '.join(it.wanting)} {store}" if it.wanting else ""
            said.append(f"not measured, so not selected: {count(it.unmeasured, 'clip')} at '{it.condition}'{makes}")
    if selection.untracked:
        films = count(selection.untracked, "recording")
        said.append(f"not tracked, so not asked: {films}; phonoscope run tracks {store}")
    return said


def spread_lines(table: "pa.Table") -> list[str]:
    """A line a column of numbers: least, median and most over all tracks, and of how many it was not measured."""
    rows: list[tuple[str, ...]] = [("column", "least", "median", "most", "not measured")]
    for name in table.column_names:
        column = table.column(name)
        if str(column.type) != "string":
            values = column.drop_null().to_numpy().astype(np.float64)
            values = values[~np.isnan(values)]
            numbers = (values.min(), np.median(values), values.max()) if len(values) else ()
            said = [f"{value:.6g}" for value in numbers] or ["–"] * 3
            rows.append((name, *said, f"{column.null_count or ''}"))
    return _aligned(rows)


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Rows as lines, the first column to the left and the others to the right."""
    first, *others = (max(map(len, column)) for column in zip(*rows, strict=True))
    return [
        "  ".join(
            [row[0].ljust(first), *(said.rjust(width) for said, width in zip(row[1:], others, strict=True))]
        ).rstrip()
        for row in rows
    ]
