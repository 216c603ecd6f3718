"""`phonoscope separate`: film of people who talk at once in, the voice of each out."""

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from tyro.conf import Positional

from phonoscope import job as api
from phonoscope.cli.bar import seconds_bar
from phonoscope.cli.how import How
from phonoscope.cli.options import parse
from phonoscope.cli.progress import as_line, outcomes
from phonoscope.core.checks import folder_here
from phonoscope.core.errors import PhonoscopeError, UsageError
from phonoscope.corpora.folder import is_store, sources
from phonoscope.flow.job import Job
from phonoscope.models.protocols import VoiceSeparator
from phonoscope.models.registry import check_installed, load
from phonoscope.report.wording import amount, count, speed
from phonoscope.store.recording import StoredRecording
from phonoscope.tasks.separation.separated import Separated
from phonoscope.tasks.separation.separating import separate
from phonoscope.tasks.separation.separators import SeparatorParams, learnt_from, rows_wanted, separator_named
from phonoscope.tasks.separation.subjects import By

STORE = "store"  # in the folder of voices: what films were taken into


@dataclass(frozen=True, kw_only=True)
class Separate:
    """Whose voice is whose: for each face a wav with its voice, and the film in which only it is heard.

    phonoscope separate talk.mp4 --to voices            voices/talk-1a2b3c4d_face0.wav, _face0.mp4, … and report.html
    phonoscope separate films --to voices --no-film     the recordings of a store; wavs only
    phonoscope separate talk.mp4 --to voices --by person --faces 0,2
    phonoscope separate talk.mp4 --to voices --separation.weights runs/mine

    Faces are told apart by how their lips move, so film is needed, at least one face, and sound. Films are taken into
    a store in the folder of voices; of a store, faces and lips are made if they are not there. A voice lasts from 2 s
    before its face is first seen to 2 s after it is last seen, and is silence elsewhere. Voices are 16 kHz, mono, also
    in the films, whose pictures are copied where that can be. What is there and fresh is kept.
    """

    films: Positional[tuple[str, ...]]  # films, folders, .txt lists; stores, or recordings of them by their folders
    to: Path  # folder for voices, films and report.html
    separation: SeparatorParams = field(default_factory=SeparatorParams)  # who separates
    by: By = "track"  # what a face is: a track, so a new one in each shot, or a person, by the artifact people
    faces: str = ""  # numbers of the faces whose voices are written, as in 0,2; by default all that last
    least_s: float = 1.0  # s; without --faces, faces that are there for less are told apart, too, but not written
    film: bool = True  # write the film in which only that person is heard, too
    force: bool = False  # make everything anew
    dry_run: bool = False  # say what would be done, and do nothing
    json: bool = False  # a line of JSON a recording, for programs


def main(arguments: Sequence[str]) -> int:
    """Run the verb. Exit code 1 if a recording failed."""
    options, _ = parse(Separate, arguments, with_params=False)
    numbers = numbers_in(options.faces)
    if is_store(options.to):
        raise UsageError(f"'{options.to}' is a store, whose report.html stays its own: give another folder to --to")
    films, stores = _parted(options.films)
    model = separator_named(options.separation)
    check_installed(model)
    separator = load(model)
    folder_here("--to", options.to)
    if options.dry_run:
        return _foretold(films, stores, separator, options)
    if not options.json and (about := learnt_from(separator.card)):
        _note(about)
    failed = False
    for stored, failure in _prepared(films, stores, separator, options):
        began = time.monotonic()
        try:
            if stored is None:
                raise PhonoscopeError(failure)
            with seconds_bar(stored.recording.id, float(stored.recording.duration_s)) as on_heard:
                made, new = separate(
                    stored, separator, options.to, numbers, options.least_s,
                    by=options.by, films=options.film, force=options.force, on_heard=on_heard,
                )  # fmt: skip
        except (PhonoscopeError, OSError) as error:
            failed = True
            _tell({"state": "failed", "why": str(error)} if options.json else f"failed  {error}")
            continue
        took = time.monotonic() - began if new else 0.0
        state = {"state": "made" if new else "kept", "seconds": round(took, 3)}
        _tell({**state, **msgspec.to_builtins(made)} if options.json else _line(made, took))
    if any(options.to.glob("*.json")):
        from phonoscope.report.separation_page import write_separation_page

        page = write_separation_page(options.to)
        if not options.json:
            _tell(f"look at {page}")
    return int(failed)


def numbers_in(text: str) -> tuple[int, ...]:
    """0,2 as numbers; none of nothing.

    Raises:
        UsageError: it is no such list.
    """
    try:
        return tuple(dict.fromkeys(int(it) for it in text.split(","))) if text.strip() else ()
    except ValueError:
        raise UsageError(f"--faces is a list of numbers such as 0,2, got '{text}'") from None


def _parted(given: Sequence[str]) -> tuple[list[str], list[tuple[Path, tuple[str, ...]]]]:
    """Films, and stores with the ids of what is wanted of them (none: everything).

    Raises:
        UsageError: there is no film, or no recording in a store.
    """
    films, stores = [], []
    for it in given:
        path = Path(it).expanduser()
        if is_store(path):
            stores.append((path, ()))
        elif (path / "recording.json").is_file():
            stores.append((path.absolute().parents[1], (path.absolute().name,)))
        else:
            films.append(it)
    if not given:
        raise UsageError("no film given: name films, folders or a store")
    return sources(films) if films else [], stores


def _wanted(separator: VoiceSeparator, options: Separate) -> tuple[str, ...]:
    """Artifacts; what they need comes with them."""
    return (separator.rows, "thumbs", *(["people"] if options.by == "person" else []))


def _jobs(
    films: Sequence[str], stores: Sequence[tuple[Path, tuple[str, ...]]], separator: VoiceSeparator, options: Separate
) -> Iterator[Job]:
    params, wanted = api.params_from(rows_wanted(separator)), _wanted(separator, options)
    if films:
        yield api.prepare(films, options.to / STORE, wanted, params)
    for root, only in stores:
        yield api.run(wanted, root, params, only)


def _prepared(
    films: Sequence[str], stores: Sequence[tuple[Path, tuple[str, ...]]], separator: VoiceSeparator, options: Separate
) -> Iterator[tuple[StoredRecording | None, str]]:
    """Each recording, once its faces and lips are there; or none, and what went wrong."""
    say = (lambda line: None) if options.json else _note
    for job in _jobs(films, stores, separator, options):
        for outcome in outcomes(job, How(json=options.json), say):
            if outcome.failure:
                yield None, as_line(outcome).removeprefix("failed").strip()
            else:
                yield job.store[outcome.recording], ""


def _foretold(
    films: Sequence[str], stores: Sequence[tuple[Path, tuple[str, ...]]], separator: VoiceSeparator, options: Separate
) -> int:
    """Tell what would be made; nothing is, and no store."""
    from phonoscope.cli.dry_run import foretell
    from phonoscope.store.folder import Store

    how, wanted, params = How(json=options.json), _wanted(separator, options), api.params_from(rows_wanted(separator))
    bad = foretell(films, options.to / STORE, wanted, params, how) if films else 0
    for root, only in stores:
        store = Store(root)
        work, _ = api.work_on(store.uri, wanted, params, store.settings)
        for id in only or tuple(store):
            stored = store[id]
            make = [step.name for step in work.on(stored.recording).survey(stored)[1]]
            words = f"would make {', '.join(make)}" if make else "is fresh"
            _tell({"state": "would", "recording": id, "make": make} if options.json else f"{id}: {words}")
    if not options.json:
        _tell(f"then {separator.card.name} would tell the voices apart, and write them into {options.to}")
    return bad


def _line(made: Separated, took_s: float) -> str:
    """One recording in one line."""
    kind = "face" if made.by == "track" else made.by
    faces = ", ".join(f"{kind} {it.face}" + (" (silent)" if it.level_db is None else "") for it in made.faces)
    many = count(len(made.faces), "voice")
    notes = "".join(f"; {note}" for note in made.notes)
    if not took_s:
        return f"kept    {made.recording}: {many}: {faces}{notes}"
    anew = [it for it in made.faces if it.film and not it.copied]
    notes += "; pictures were encoded anew" if anew else ""
    pace = speed(made.duration_s / took_s)
    return f"made    {made.recording}: {amount(made.duration_s)}, {many}: {faces}, in {took_s:.1f} s ({pace}){notes}"


def _note(line: str) -> None:
    """What is no result stands beside those."""
    print(line, file=sys.stderr, flush=True)


def _tell(said: str | dict[str, Any]) -> None:
    print(said if isinstance(said, str) else msgspec.json.encode(said).decode(), flush=True)
