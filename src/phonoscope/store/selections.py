"""Which clips were selected from a store (`selections.jsonl`): what was asked, and how much each condition left."""

from dataclasses import dataclass
from pathlib import Path

from phonoscope.store.lines import read_lines, replace_lines
from phonoscope.store.shared import latest, rewrite

FILE = "selections.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One condition of a query, and what it leaves of what the conditions before it have left."""

    condition: str  # as it was written
    clips: int  # that are left
    seconds: float  # of these
    dropped: int  # clips that came so far and do not fulfil it
    unmeasured: int  # clips that came so far and of which nobody measured what it asks: not selected either
    wanting: tuple[str, ...]  # the artifacts that would tell
    alone: int  # of all candidates, how many do not fulfil it
    alone_s: float  # seconds of these


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """A query, from all candidates to what it selects."""

    where: str  # the query; "" selects all
    file: str  # the clips, as a path from the store's folder; "" if they were not written
    candidates: int  # tracks
    seconds: float  # of these, track by track
    untracked: int  # recordings without tracks, so that they have no candidates
    stages: tuple[Stage, ...]

    @property
    def clips(self) -> int:
        """How many are selected."""
        return self.stages[-1].clips if self.stages else self.candidates

    @property
    def clips_s(self) -> float:
        """How long these are together, seconds."""
        return self.stages[-1].seconds if self.stages else self.seconds


def read_selections(root: Path) -> list[Selection]:
    """The selections that were written from the store at `root`, the latest last; damaged lines are passed over."""
    return read_lines(latest(root, FILE), Selection)


def remember_selection(root: Path, selection: Selection) -> None:
    """Put a selection down, in place of an earlier one that was written to the same file."""

    def put(path: Path) -> None:
        kept = [other for other in read_lines(path, Selection) if other.file != selection.file]
        replace_lines(path, [*kept, selection])

    rewrite(root, FILE, put)
