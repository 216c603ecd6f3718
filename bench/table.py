"""Tables of what was measured, for terminals and for the README."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median


@dataclass(frozen=True, slots=True)
class Row:
    """One number."""

    what: str
    value: str  # with its unit
    goal: str = ""  # what it should be; nothing if it is only for information
    met: bool | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """What a bench found."""

    title: str
    rows: Sequence[Row]
    notes: Sequence[str] = field(default_factory=tuple)

    def markdown(self) -> str:
        """The table as the README shows it."""
        lines = [f"### {self.title}", "", "| | measured | goal | |", "|---|---:|---:|:-:|"]
        lines += [f"| {row.what} | {row.value} | {row.goal} | {_mark(row)} |" for row in self.rows]
        return "\n".join([*lines, "", *(f"{note}  " for note in self.notes), ""])

    def show(self) -> None:
        """Print it for people."""
        from rich.console import Console
        from rich.table import Table as Shown

        shown = Shown("", "measured", "goal", "", title=self.title, title_justify="left")
        for row in self.rows:
            shown.add_row(row.what, row.value, row.goal, _mark(row))
        console = Console()
        console.print(shown)
        for note in self.notes:
            console.print(note, style="dim", markup=False, highlight=False)
        console.print()


def at_most(what: str, value: float, goal: float, unit: str = "") -> Row:
    """A number that should be at most `goal`."""
    return Row(what, f"{value:.3g}{unit}", f"≤ {goal:g}{unit}", value <= goal)


def at_least(what: str, value: float, goal: float, unit: str = "") -> Row:
    """A number that should be at least `goal`."""
    return Row(what, f"{value:.3g}{unit}", f"≥ {goal:g}{unit}", value >= goal)


def spread(values: Iterable[float], unit: str = "") -> str:
    """The median, and the least and the greatest."""
    some = sorted(values)
    return f"{median(some):.3g}{unit} ({some[0]:.3g}–{some[-1]:.3g})"


def _mark(row: Row) -> str:
    return "" if row.met is None else "✓" if row.met else "✗"
