"""`phonoscope run`: artifacts of the recordings of a store."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from phonoscope import job as api
from phonoscope.cli.how import How
from phonoscope.cli.options import parse
from phonoscope.cli.progress import carry_out
from phonoscope.core.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class Run:
    """Make artifacts, and what they need, of every recording of a store.

    phonoscope run tracks films --tracks.min-len 25
    phonoscope run crop_video asd films -j 4
    phonoscope run mfcc films --only talk --mfcc.recipe librosa
    phonoscope run asd films --shard 2/8

    What is fresh is kept: only what is missing, or was made with other settings, is made.
    """

    names: Positional[tuple[str, ...]]  # the artifacts, then the store
    only: tuple[str, ...] = ()  # recordings, by id or by a part of it that only one has; by default all
    how: Annotated[How, arg(name="")] = How()  # noqa: RUF009 - frozen
    config: Path | None = None  # TOML file with settings: a table a step, as in [tracks] min_len = 25
    report: bool = True  # write report.html at the end


def main(arguments: Sequence[str]) -> int:
    """Run the verb."""
    options, params = parse(Run, arguments)
    if len(options.names) < 2:
        first = ", both before --only" if options.only else ""
        raise UsageError(f"give at least one artifact, then the store{first}: phonoscope run tracks films")
    *names, store = options.names
    how, shard = options.how, options.how.checked()
    job = api.run(names, store, params, options.only, retry_failed=how.retry_failed, shard=shard)
    return carry_out(job, how, report=options.report)
