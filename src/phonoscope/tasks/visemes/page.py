"""`report.html` of a viseme model: what it takes for what, and what its figures are worth; it needs no network."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from phonoscope.store.files import whole_file

CELL, LEFT, TOP = 30, 40, 30  # px of the picture of a confusion matrix
NAMES = {"disjoint": "{}s kept apart", "row": "frames by chance, as seed 004"}

_PICTURE = """<svg xmlns="http://www.w3.org/2000/svg" width="{{ wide }}" height="{{ wide }}" role="img"
aria-label="confusion, {{ title }}" font-family="system-ui, sans-serif" font-size="11">
<text x="{{ left }}" y="12" fill="#4a5568">taken for →  (% of each row)</text>
{% for it in cells %}<rect x="{{ it.x }}" y="{{ it.y }}" width="{{ cell }}" height="{{ cell }}" fill="{{ it.fill }}"
stroke="#e2e8f0"><title>{{ it.title }}</title></rect><text x="{{ it.x + cell / 2 }}" y="{{ it.y + cell / 2 + 4 }}"
text-anchor="middle" fill="{{ it.ink }}">{{ it.text }}</text>
{% endfor %}{% for name in names %}<text x="{{ left - 6 }}" y="{{ top + loop.index0 * cell + cell / 2 + 4 }}"
text-anchor="end">{{ name }}</text><text x="{{ left + loop.index0 * cell + cell / 2 }}" y="{{ top - 5 }}"
text-anchor="middle">{{ name }}</text>
{% endfor %}</svg>"""

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{ name }} · visemes</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; color: #1a202c; margin: 2rem auto; max-width: 70rem; padding: 0 1rem }
figure { display: inline-block; margin: 0 2rem 1rem 0; vertical-align: top } figcaption { margin-bottom: .3rem }
table { border-collapse: collapse; margin-bottom: 1rem }
td, th { padding: .15rem .8rem; text-align: right; border-bottom: 1px solid #e2e8f0 }
td:first-child, th:first-child { text-align: left }
</style></head><body>
<h1>{{ name }}</h1>
<p>{{ m.model }}, {{ m.classes | length }} classes; {{ m.utterances }} utterances{% if m.speakers %} of {{ m.speakers }}
speakers{% else %}; nobody said who speaks, so a voice may be on both sides{% endif %}.</p>
<h2>On what was not learnt from</h2>
<table><tr><th>test</th><th>frames</th><th>accuracy</th><th>balanced accuracy</th><th>commonest class</th></tr>
{% for how, it in m.results.items() %}<tr><td>{{ titles[how] }}{{ " (this model)" if how == m.split }}</td>
<td>{{ it.frames }}</td><td>{{ it.accuracy | share }}</td><td>{{ it.balanced_accuracy | share }}</td>
<td>{{ it.majority | share }}</td></tr>
{% endfor %}{% for how, why in m.lacking.items() %}<tr><td>{{ titles[how] }}</td><td colspan="4">{{ why }}</td></tr>
{% endfor %}</table>
{% if gap > 0 %}<p>Frames by chance look {{ "%.1f" | format(gap) }} points better: neighbours in time overlap by half
and share a voice, and are on both sides. What to expect elsewhere, the row “{{ titles.disjoint }}” says.</p>{% endif %}
{% for how, picture in pictures.items() %}
<figure><figcaption>{{ titles[how] }}</figcaption>{{ picture | safe }}</figure>
{% endfor %}
<h2>Frames</h2>
<table><tr><th>viseme</th><th>labelled</th><th>unsure</th><th>no class</th><th>kept</th><th>drawn</th>
{% for how in m.results %}<th>recall, {{ how }}</th>{% endfor %}</tr>
{% for viseme, it in m.counts.items() %}<tr><td>{{ viseme }}</td><td>{{ it.labelled }}</td><td>{{ it.unsure }}</td>
<td>{{ it.unasked }}</td><td>{{ it.kept }}</td><td>{{ it.drawn }}</td>
{% for result in m.results.values() %}<td>{{ result.recall.get(viseme) | share }}</td>{% endfor %}</tr>
{% endfor %}</table>
{% if speakers %}<h2>Speakers who were tested</h2>
<table><tr><th>speaker</th><th>frames</th><th>accuracy</th><th>balanced accuracy</th></tr>
{% for who, it in speakers.items() %}<tr><td>{{ who }}</td><td>{{ it.frames }}</td><td>{{ it.accuracy | share }}</td>
<td>{{ it.balanced_accuracy | share }}</td></tr>
{% endfor %}</table>{% endif %}
{% if m.left_out %}<h2>Left out</h2><ul>{% for line in m.left_out %}<li>{{ line }}</li>{% endfor %}</ul>{% endif %}
</body></html>
"""


def write_page(path: Path, name: str, metrics: Mapping[str, Any]) -> None:
    """Write the page of a run from what stands in its metrics.json, and each confusion matrix beside it as an SVG."""
    from jinja2 import Environment

    environment = Environment(autoescape=True)
    environment.filters["share"] = percent
    results = metrics["results"]
    titles = {how: text.format(metrics["apart"]) for how, text in NAMES.items()}
    pictures = {how: picture(it["confusion"], metrics["classes"], titles[how]) for how, it in results.items()}
    contents = {
        "name": name, "m": metrics, "titles": titles, "pictures": pictures,
        "gap": gap(results), "speakers": results[metrics["split"]]["speakers"],
    }  # fmt: skip
    files = {path: environment.from_string(_PAGE).render(contents) + "\n"}
    files |= {path.with_name(f"confusion-{how}.svg"): drawn + "\n" for how, drawn in pictures.items()}
    for file, text in files.items():
        with whole_file(file) as part:
            part.write_text(text, encoding="utf-8")


def gap(results: Mapping[str, Mapping[str, Any]]) -> float:
    """By how many points of accuracy frames by chance look better; 0 if only one of both is known."""
    known = [results[how]["accuracy"] for how in ("row", "disjoint") if how in results]
    return 100 * (known[0] - known[1]) if len(known) == 2 else 0.0


def picture(counts: Sequence[Sequence[int]], names: Sequence[str], title: str) -> str:
    """A confusion matrix (k, k) as an SVG: a row a class, its cells what it was taken for."""
    from jinja2 import Environment

    cells = []
    for row, line in enumerate(counts):
        total = max(sum(line), 1)
        for column, count in enumerate(line):
            share = count / total
            level = [round(255 - share * (255 - end)) for end in (43, 108, 176)]
            cells.append(
                {
                    "x": LEFT + column * CELL, "y": TOP + row * CELL, "text": round(100 * share) if count else "",
                    "fill": "#" + "".join(f"{it:02x}" for it in level), "ink": "#fff" if share > 0.55 else "#1a202c",
                    "title": f"{count} of {sum(line)} frames of {names[row]} were taken for {names[column]}",
                }
            )  # fmt: skip
    wide = LEFT + len(names) * CELL + 8
    contents = {"cells": cells, "names": names, "wide": wide, "cell": CELL, "left": LEFT, "top": TOP, "title": title}
    return Environment(autoescape=True).from_string(_PICTURE).render(contents)


def percent(share: float | None) -> str:
    """A share as per cent; a dash if it is not known."""
    return "–" if share is None else f"{100 * share:.1f} %"
