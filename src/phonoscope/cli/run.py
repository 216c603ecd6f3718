"""`phonoscope run`: artifacts of the recordings of a store."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from phonoscope import job as api
from phonoscope.cli.options import parse
from phonoscope.cli.progress import carry_out
from phonoscope.core.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class Run:
    """Make artifacts, and what they need, of every recording of a store.

    phonoscope run tracks films --tracks.min-len 25
    phonoscope run crop_video asd films -j 4
    phonoscope run mfcc films --only talk --mfcc.recipe librosa

    What is fresh is kept: only what is missing, or was made with other settings, is made.
    """

    names: Positional[tuple[str, ...]]  # the artifacts, then the store
    only: tuple[str, ...] = ()  # recordings, by id or by a part of it that only one has; by default all
    jobs: Annotated[int, arg(aliases=["-j"])] = 1  # recordings worked on at a time, each in a process of its own
    config: Path | None = None  # TOML file with settings: a table a step, as in [tracks] min_len = 25
    json: bool = False  # a line of JSON a recording, for programs
    report: bool = True  # write report.html at the end


def main(arguments: Sequence[str]) -> int:
    """Run the verb."""
    options, params = parse(Run, arguments)
    if len(options.names) < 2:
        raise UsageError("give at least one artifact, then the store: phonoscope run tracks films")
    *names, store = options.names
    job = api.run(names, store, params, options.only)
    return carry_out(job, options.jobs, as_json=options.json, report=options.report)
