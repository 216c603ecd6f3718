"""Writes the tables of settings into docs/steps: `python docs/tables.py`; the dataclasses are the only source."""

import inspect
import re
from dataclasses import fields
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from phonoscope.job import Params

STEPS = Path(__file__).parent / "steps"
PLACE = re.compile(r"<!-- settings: (\w+) -->\n.*?<!-- end -->", re.DOTALL)


def table(section: str) -> str:
    """The settings of one step, a Markdown row each: name, values, default, meaning."""
    kind = type(getattr(Params(), section))
    hints = get_type_hints(kind)
    meanings = dict(re.findall(r"^    (\w+): .*?  # (.+)$", inspect.getsource(kind), re.MULTILINE))
    rows = ["| setting | values | default | meaning |", "|---|---|---|---|"]
    for field in fields(kind):
        cells = (f"`{field.name}`", _values(hints[field.name]), f"`{_plain(field.default)}`", meanings[field.name])
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows)


def _values(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return ", ".join(f"`{_plain(value)}`" for value in get_args(kind))
    if kind == Fraction | None:
        return "fraction, or `native`"
    return {"Fraction": "fraction", "int": "whole number", "float": "number", "str": "name"}[kind.__name__]


def _plain(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


def filled(page: str) -> str:
    """A page with every table in it as the code has it now.

    A table stands between `<!-- settings: STEP -->` and `<!-- end -->`.
    """
    return PLACE.sub(lambda it: f"<!-- settings: {it[1]} -->\n{table(it[1])}\n<!-- end -->", page)


def main() -> None:
    """Rewrite every page of a step."""
    for path in sorted(STEPS.glob("*.md")):
        path.write_text(filled(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
