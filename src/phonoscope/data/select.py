"""Clips by query: which tracks fulfil what was asked, and how many every condition leaves."""

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from phonoscope.core.clips import Clip
from phonoscope.core.errors import UsageError
from phonoscope.data.candidates import Candidates, candidates, gather
from phonoscope.data.clips import check_place, clips_of, write_clips
from phonoscope.data.columns import MADE_BY
from phonoscope.data.where import Condition, conditions, no_column
from phonoscope.store.folder import Store
from phonoscope.store.selections import Selection, Stage, remember_selection

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Selected", "candidates", "select"]


@dataclass(frozen=True, slots=True, eq=False)
class Selected:
    """What came of a query."""

    table: "pa.Table"  # the rows of `candidates` that fulfil all of it, in their order
    selection: Selection  # how many every condition left

    @property
    def clips(self) -> tuple[Clip, ...]:
        """A clip a row."""
        return clips_of(self.table)


def select(store: Store | Path | str, where: str = "", to: Path | str | None = None) -> Selected:
    """The tracks of a store that fulfil a query, every track whole; written, and remembered by the store, if asked for.

    >>> chosen = select("films", "faces == 1 and duration_s >= 2 and speaking > 0.8", "clips.parquet")
    >>> for stage in chosen.selection.stages:
    ...     print(stage.condition, stage.clips, stage.seconds)

    Args:
        where: a query over the columns of `candidates`; an empty one selects all.
        to: the file of clips, .parquet or .csv.

    Raises:
        UsageError: the query makes no sense or asks for what was never measured, the store has no tracks, or `to` can
            be no file of clips.
    """
    store = store if isinstance(store, Store) else Store(store)
    asked, place = conditions(where), None if to is None else Path(to)
    if place is not None:
        check_place(place, store.root)
    found = gather(store)
    _check_names(asked, found, store)
    fulfilled, stages = _funnel(asked, found)
    selection = Selection(
        where=" ".join(where.split()),
        file=Path(os.path.relpath(place.resolve(), store.root.resolve())).as_posix() if place else "",
        candidates=found.table.num_rows,
        seconds=_seconds(found, np.ones(found.table.num_rows, bool)),
        untracked=len(found.untracked),
        stages=stages,
    )
    chosen = found.table.filter(fulfilled)
    if place is not None:
        write_clips(place, chosen, selection)
        remember_selection(store.root, selection)
    return Selected(chosen, selection)


def _check_names(asked: tuple[Condition, ...], found: Candidates, store: Store) -> None:
    """Refuse what cannot be asked of this store.

    Raises:
        UsageError: nothing has been tracked, nobody measured a column, or there is no such column.
    """
    if not len(store):
        raise UsageError(f"'{store.root}' has no recordings: `phonoscope prepare FILM --to {store.root}` adds some")
    if len(found.untracked) == len(store):
        raise UsageError(f"'{store.root}' has no tracks to select: `phonoscope run tracks {store.root}` makes them")
    for name in (name for condition in asked for name in condition.names):
        if name not in found.table.column_names:
            if name in MADE_BY:
                makes = f"`phonoscope run {MADE_BY[name]} {store.root}` does"
                raise UsageError(f"nobody has measured '{name}' in this store: {makes}")
            raise no_column(name, [*found.table.column_names, *MADE_BY])


def _funnel(asked: tuple[Condition, ...], found: Candidates) -> tuple[np.ndarray, tuple[Stage, ...]]:
    """Which candidates fulfil all conditions, (N,) bool, and what each condition does to those before it."""
    columns = {name: _column(found.table.column(name)) for it in asked for name in it.names}
    columns["track"] = _column(found.table.column("track"))  # 1 < 2 asks for none, and yet holds for every row
    left, stages = np.ones(found.table.num_rows, bool), []
    for condition in asked:
        holds, known = condition.judge(columns)
        unmeasured = left & ~known
        gaps = [name for name in condition.names if np.ma.getmaskarray(columns[name])[unmeasured].any()]
        dropped = known & ~holds
        stages.append(
            Stage(
                condition=condition.text,
                clips=int((left & holds).sum()),
                seconds=_seconds(found, left & holds),
                dropped=int((left & dropped).sum()),
                unmeasured=int(unmeasured.sum()),
                wanting=tuple(dict.fromkeys(found.made_by[name] for name in gaps)),
                alone=int(dropped.sum()),
                alone_s=_seconds(found, dropped),
            )
        )
        left &= holds
    return left, tuple(stages)


def _column(values: "pa.ChunkedArray") -> np.ndarray:
    """A column for a query, (N,): text, or numbers, masked where null."""
    import pyarrow as pa

    if pa.types.is_string(values.type):
        return np.array(values.to_pylist(), str)
    return np.ma.masked_array(values.to_numpy().astype(np.float64), mask=values.is_null().to_numpy())


def _seconds(found: Candidates, rows: np.ndarray) -> float:
    return math.fsum(found.table.column("duration_s").to_numpy()[rows])
