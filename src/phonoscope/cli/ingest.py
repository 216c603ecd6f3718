"""`phonoscope ingest`: films into a store, and nothing more."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from phonoscope import job as api
from phonoscope.cli.options import parse
from phonoscope.cli.progress import carry_out
from phonoscope.core.media import Rights


@dataclass(frozen=True, kw_only=True)
class Ingest:
    """Take films into a store: recording.json, clock.parquet, audio.flac.

    phonoscope ingest interviews/ --to films -j 4
    phonoscope ingest talk.mp4 --to films30 --clock.fps 30000/1001
    """

    films: Positional[tuple[str, ...]]  # files, folders (every file in them) or .txt lists of films, a line each
    to: Path  # the store: a new folder, or one made by phonoscope
    jobs: Annotated[int, arg(aliases=["-j"])] = 1  # films at a time, each in a process of its own
    json: bool = False  # a line of JSON a film, for programs
    licence: str = ""  # of the films; kept with every recording
    consent: str = ""  # of the people filmed; kept with every recording
    origin: str = ""  # where the films come from; kept with every recording
    clock: api.ClockParams = api.ClockParams()  # noqa: RUF009 - frozen


def main(arguments: Sequence[str]) -> int:
    """Run the verb."""
    options, _ = parse(Ingest, arguments, with_params=False)
    rights = Rights(options.licence, options.consent, options.origin)
    job = api.prepare(options.films, options.to, (), api.Params(clock=options.clock), rights)
    return carry_out(job, options.jobs, as_json=options.json, report=False)
