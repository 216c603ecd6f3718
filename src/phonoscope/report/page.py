"""`report.html`: a store on one page that needs no network and no program but a browser."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined

from phonoscope.report import wording
from phonoscope.report.facts import RecordingFacts, Timing, funnel, store_facts, timings
from phonoscope.report.strips import strips
from phonoscope.report.traces import SPAN
from phonoscope.store.files import whole_file
from phonoscope.store.folder import Store
from phonoscope.store.ledger import Failure, read_failures
from phonoscope.store.selections import read_selections
from phonoscope.store.shared import publish

FILE = "report.html"
CARDS = 1000  # recordings; of more, those with most to say have one, and the page says so
STATIC = 300  # tracks; beyond these the cards unfold as they come into sight, so that the page still opens at once


def write_report(store: Store) -> Path:
    """Where the page of the store now lies; the same store gives the same bytes."""
    path = store.root / FILE
    page = environment().get_template("page.html")
    with whole_file(path) as part, part.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(page.generate(_contents(store)))
    publish(store.root, FILE)
    return path


def failures_by_reason(failures: Sequence[Failure]) -> dict[str, list[Failure]]:
    """Failures in groups, the largest first."""
    groups: dict[str, list[Failure]] = {}
    for failure in sorted(failures, key=lambda f: (f.reason, f.source)):
        groups.setdefault(failure.reason, []).append(failure)
    return dict(sorted(groups.items(), key=lambda group: (-len(group[1]), group[0])))


def _contents(store: Store) -> dict[str, object]:
    facts = sorted(store_facts(store, CARDS), key=_by_name)
    cards = [it for it in facts if it.drawn]
    stages = funnel(facts)
    spent = timings(facts)
    tracks = [track for it in facts for track in it.tracks or ()]
    return {
        "name": (store.uri.rpartition("/")[2] if store.far else store.root.resolve().name) or store.uri,
        "root": store.uri,
        "settings": store.settings,
        "facts": facts,
        "cards": cards,
        "wrong": sum(it.amiss > 0 for it in facts),
        "stages": stages,
        "film_s": stages[0].seconds,
        "unit": wording.unit_for(stages[0].seconds),
        "shots": sum(len(it.shots or ()) for it in facts),
        "tracks": len(tracks),
        "unfolds": sum(len(it.tracks or ()) for it in cards) > STATIC,
        "curves": {t.name: "{:g} to {:g}".format(*SPAN[t.name]).replace("-", "−") for it in facts for t in it.traces},
        "track_s": float(sum(it.seconds_of(len(t.span)) for it in facts for t in it.tracks or ())),
        "failures": failures_by_reason(read_failures(store.root)),
        "selections": read_selections(store.root)[::-1],
        "timings": spent,
        "longest_s": max((timing.seconds for timing in spent), default=0.0),
        "all_steps": Timing("all", sum(t.seconds for t in spent), stages[0].seconds),
    }


def _by_name(facts: RecordingFacts) -> tuple[str, str]:
    return wording.file_name(facts.recording.source).casefold(), facts.recording.id


def environment() -> Environment:
    """What makes pages of the templates; its filters are the words and pictures that they use."""
    environment = Environment(
        loader=PackageLoader("phonoscope.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for view in (
        wording.amount, wording.clock_time, wording.percent, wording.rate, wording.speed, wording.count,
        wording.span_s, wording.file_name, wording.as_path, wording.again, wording.data_uri, wording.map_uri,
        wording.unit_for,
        strips, link, speaking_share, warned,
    ):  # fmt: skip
        environment.filters[view.__name__] = view
    return environment


def link(facts: RecordingFacts, path: Path) -> str:
    """A file of a recording's folder, as the page beside `recordings` reaches it."""
    folder = path.parents[1]
    return quote(f"recordings/{folder.name}/{path.relative_to(folder).as_posix()}")


def speaking_share(facts: RecordingFacts) -> float | None:
    """Share of a recording in which a track speaks; None if nobody scored it."""
    return None if facts.speaking_frames is None else facts.speaking_frames / facts.recording.num_frames


def warned(facts: RecordingFacts) -> Iterator[str]:
    """What was odd about a film, and what steps had to say."""
    yield from facts.recording.notes
    for artifact, said in facts.warnings:
        yield f"{artifact}: {said}"
