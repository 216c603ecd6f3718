"""`phonoscope ingest`: films into a store, and nothing more."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from phonoscope import job as api
from phonoscope.cli.how import How
from phonoscope.cli.options import parse
from phonoscope.cli.progress import carry_out
from phonoscope.core.media import Rights

CLOCK = api.ClockParams()


@dataclass(frozen=True, kw_only=True)
class Ingest:
    """Take films into a store: recording.json, clock.parquet, audio.flac.

    phonoscope ingest interviews/ --to films -j 4
    phonoscope ingest talk.mp4 --to films30 --clock.fps 30000/1001
    """

    films: Positional[tuple[str, ...]] = ()  # files, folders (every file in them) or .txt lists of films, a line each
    to: Path | str  # the store: a new folder, one made by phonoscope, or a bucket, as in s3://bucket/films
    how: Annotated[How, arg(name="")] = How()  # noqa: RUF009 - frozen
    licence: str = ""  # of the films; kept with every recording
    consent: str = ""  # of the people filmed; kept with every recording
    origin: str = ""  # where the films come from; kept with every recording
    clock: api.ClockParams = CLOCK  # the time that the store keeps


def main(arguments: Sequence[str]) -> int:
    """Run the verb."""
    options, _ = parse(Ingest, arguments, with_params=False)
    rights = Rights(options.licence, options.consent, options.origin)
    how, shard = options.how, options.how.checked()
    params = api.Params(clock=options.clock)
    job = api.prepare(options.films, options.to, (), params, rights, retry_failed=how.retry_failed, shard=shard)
    return carry_out(job, how, report=False)
