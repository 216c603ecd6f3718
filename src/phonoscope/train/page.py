"""`report.html` of a run: its curves and figures on one page that needs no network."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from phonoscope.store.files import whole_file

WIDE, TALL, LEFT, RIGHT, TOP, BOTTOM = 460, 200, 52, 12, 26, 22  # px of a panel, and its margins
COLOURS = {"training": "#2b6cb0", "validation": "#c05621", "test": "#2f855a"}

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{ name }} · training</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; color: #1a202c; margin: 2rem auto; max-width: 60rem; padding: 0 1rem }
svg { margin: 0 1rem 1rem 0; background: #fafafa; border: 1px solid #e2e8f0 }
svg text { font: 11px system-ui, sans-serif; fill: #4a5568 }
table { border-collapse: collapse } td, th { padding: .2rem .8rem; text-align: right; border-bottom: 1px solid #e2e8f0 }
</style></head><body>
<h1>{{ name }}</h1>
<p>{{ epochs }} epochs{% for split, colour in colours.items() %} ·
<span style="color: {{ colour }}">{{ split }}</span>{% endfor %}</p>
<div>{% for panel in panels %}
<svg width="{{ wide }}" height="{{ tall }}" role="img" aria-label="{{ panel.title }}">
<text x="{{ left }}" y="16">{{ panel.title }}</text>
{% for tick in panel.ticks %}<line x1="{{ left }}" x2="{{ wide - right }}" y1="{{ tick.y }}" y2="{{ tick.y }}"
stroke="#e2e8f0"/><text x="{{ left - 6 }}" y="{{ tick.y + 4 }}" text-anchor="end">{{ tick.text }}</text>
{% endfor %}<text x="{{ wide - right }}" y="{{ tall - 6 }}" text-anchor="end">epoch {{ epochs }}</text>
{% for curve in panel.curves %}<polyline points="{{ curve.points }}" fill="none" stroke="{{ curve.colour }}"
stroke-width="2"/>{% for dot in curve.dots %}<circle cx="{{ dot.x }}" cy="{{ dot.y }}" r="2.5"
fill="{{ curve.colour }}"><title>{{ dot.text }}</title></circle>{% endfor %}
{% endfor %}</svg>{% endfor %}</div>
{% if test %}<h2>Test, once, with the best model</h2>
<table><tr>{% for key in test %}<th>{{ key }}</th>{% endfor %}</tr>
<tr>{% for value in test.values() %}<td>{{ value }}</td>{% endfor %}</tr></table>{% endif %}
</body></html>
"""


def write_page(path: Path, name: str, lines: Sequence[Mapping[str, Any]]) -> None:
    """Write the page of a run from the lines of its metrics.jsonl."""
    from jinja2 import Environment

    epochs = [line for line in lines if "epoch" in line]
    tests = [line["test"] for line in lines if "test" in line]
    contents = {
        "name": name, "epochs": len(epochs), "panels": _panels(epochs), "wide": WIDE, "tall": TALL, "left": LEFT,
        "right": RIGHT, "test": {key: _short(value) for key, value in tests[-1].items()} if tests else None,
        "colours": {split: colour for split, colour in COLOURS.items() if any(split in line for line in epochs)},
    }  # fmt: skip
    page = Environment(autoescape=True).from_string(_PAGE).render(contents)
    with whole_file(path) as part:
        part.write_text(page + "\n", encoding="utf-8")


def _panels(epochs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A panel a figure, its curve of each split in it."""
    titles: dict[str, None] = {}
    for line in epochs:
        for split in COLOURS:
            titles.update(dict.fromkeys(line.get(split, {})))
    panels = [_panel(t, {s: [line.get(s, {}).get(t) for line in epochs] for s in COLOURS}) for t in titles]
    return [*panels, _panel("lr", {"training": [line.get("lr") for line in epochs]})] if epochs else []


def _panel(title: str, values: Mapping[str, Sequence[float | None]]) -> dict[str, Any]:
    known = [value for each in values.values() for value in each if value is not None]
    low, high = _span(known)

    def y(value: float) -> float:
        return round(TOP + (high - value) / (high - low) * (TALL - TOP - BOTTOM), 1)

    curves = []
    for split, each in values.items():
        step = (WIDE - LEFT - RIGHT) / max(len(each) - 1, 1)
        dots = [
            {"x": round(LEFT + at * step, 1), "y": y(value), "text": f"{split}, epoch {at + 1}: {_short(value)}"}
            for at, value in enumerate(each)
            if value is not None
        ]
        points = " ".join(f"{dot['x']},{dot['y']}" for dot in dots)
        curves.append({"points": points, "dots": dots, "colour": COLOURS[split]})
    ticks = [{"y": y(value), "text": _short(value)} for value in (low, (low + high) / 2, high)]
    return {"title": title, "curves": curves, "ticks": ticks}


def _span(known: Sequence[float]) -> tuple[float, float]:
    """Bounds that hold all values; about what stays as it is, to the digits that are shown, a tenth of it."""
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    room = abs(high) / 10 or 0.5
    return (low, high) if _short(low) != _short(high) else (low - room, high + room)


def _short(value: float) -> str:
    return f"{value:.4g}"
