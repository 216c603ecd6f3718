"""Who speaks in which file: what a table says, or the files' names."""

import csv
import re
from collections.abc import Sequence
from pathlib import Path

from phonoscope.core.errors import UsageError


def speakers_of(names: Sequence[str], rule: str) -> tuple[str, ...]:
    """Who speaks in each of the files, () if there is no rule.

    Args:
        rule: a csv whose rows are file,speaker, or a pattern, found in a name, whose first group (or all of it) is the
            speaker.

    Raises:
        UsageError: the rule is neither, or says nothing of a file.
    """
    if not rule:
        return ()
    known = _table(Path(rule)) if rule.lower().endswith(".csv") else _found(names, rule)
    if lost := [it for it in names if it not in known]:
        more = f" and {len(lost) - 1} more" if lost[1:] else ""
        raise UsageError(f"'{rule}' does not say who speaks in '{lost[0]}'{more}")
    return tuple(known[it] for it in names)


def _table(path: Path) -> dict[str, str]:
    try:
        rows = [row for row in csv.reader(path.read_text(encoding="utf-8-sig").splitlines()) if row]
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"'{path}' cannot be read: {error}") from None
    for number, row in enumerate(rows, 1):
        if len(row) < 2:
            raise UsageError(f"'{path}', row {number}: expected file,speaker, got '{row[0]}'")
    return {Path(row[0].strip()).name.removesuffix(".wav").removesuffix(".txt"): row[1].strip() for row in rows}


def _found(names: Sequence[str], rule: str) -> dict[str, str]:
    try:
        pattern = re.compile(rule)
    except re.error as error:
        raise UsageError(f"'{rule}' is neither a .csv file nor a pattern: {error}") from None
    found = {it: pattern.search(it) for it in names}
    return {it: match[1] if pattern.groups else match[0] for it, match in found.items() if match}
