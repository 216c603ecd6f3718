"""`phonoscope prepare`: films in, a prepared store out."""

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
class Prepare:
    """Film in, training-ready data out: clock, sound, shots, faces, tracks, crops, MFCC, voice, who speaks.

    phonoscope prepare talk.mp4 --to films
    phonoscope prepare interviews/ more.txt --to films -j 4 --want crop_video
    phonoscope prepare talk.mp4 --to films --tracks.min-len 25 --config settings.toml

    The same command again makes only what is missing or has changed. Films are read, never written to.
    """

    films: Positional[tuple[str, ...]]  # files, folders (every file in them) or .txt lists of films, a line each
    to: Path  # the store: a new folder, or one made by phonoscope
    want: tuple[str, ...] = ()  # artifacts beyond the usual ones: crop_video
    jobs: Annotated[int, arg(aliases=["-j"])] = 1  # recordings worked on at a time, each in a process of its own
    config: Path | None = None  # TOML file with settings: a table a step, as in [tracks] min_len = 25
    dry_run: bool = False  # say what would be made, and make nothing
    json: bool = False  # a line of JSON a recording, for programs
    report: bool = True  # write report.html at the end
    licence: str = ""  # of the films; kept with every recording
    consent: str = ""  # of the people filmed; kept with every recording
    origin: str = ""  # where the films come from; kept with every recording


def main(arguments: Sequence[str]) -> int:
    """Run the verb."""
    options, params = parse(Prepare, arguments)
    names = (*api.DEFAULT, *options.want)
    rights = Rights(options.licence, options.consent, options.origin)
    if options.dry_run:
        from phonoscope.cli.dry_run import foretell

        return foretell(options.films, options.to, names, params, as_json=options.json)
    job = api.prepare(options.films, options.to, names, params, rights)
    return carry_out(job, options.jobs, as_json=options.json, report=options.report)
