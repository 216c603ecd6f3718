"""`phonoscope prepare`: films in, a prepared store out."""

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
from phonoscope.corpora.folder import sources
from phonoscope.flow.shard import Shard
from phonoscope.store.ledger import read_failures
from phonoscope.store.uri import as_uri


@dataclass(frozen=True, kw_only=True)
class Prepare:
    """Film in, training-ready data out: clock, sound, shots, faces, tracks, crops, MFCC, voice, who speaks.

    phonoscope prepare talk.mp4 --to films
    phonoscope prepare interviews/ more.txt --to films -j 4 --want crop_video
    phonoscope prepare talk.mp4 --to films --tracks.min-len 25 --config settings.toml
    phonoscope prepare --retry-failed --to films

    The same command again makes only what is missing or has changed. Films are read, never written to.
    """

    films: Positional[tuple[str, ...]] = ()  # files, folders (every file in them) or .txt lists of films, a line each
    to: Path  # the store: a new folder, or one made by phonoscope
    want: tuple[str, ...] = ()  # artifacts beyond the usual ones: crop_video
    how: Annotated[How, arg(name="")] = How()  # noqa: RUF009 - frozen
    config: Path | None = None  # TOML file with settings: a table a step, as in [tracks] min_len = 25
    dry_run: bool = False  # say what would be made, and make nothing
    report: bool = True  # write report.html at the end
    licence: str = ""  # of the films; kept with every recording
    consent: str = ""  # of the people filmed; kept with every recording
    origin: str = ""  # where the films come from; kept with every recording


def main(arguments: Sequence[str]) -> int:
    """Run the verb."""
    options, params = parse(Prepare, arguments)
    how, shard = options.how, options.how.checked()
    failed = api.failed_steps(options.to) if how.retry_failed and not options.films else ()
    names = (*api.DEFAULT, *options.want, *failed)
    rights = Rights(options.licence, options.consent, options.origin)
    if options.dry_run:
        from phonoscope.cli.dry_run import foretell

        films = _films(options, shard)
        return foretell(films, options.to, names, params, as_json=how.json) if films else 0
    job = api.prepare(options.films, options.to, names, params, rights, retry_failed=how.retry_failed, shard=shard)
    return carry_out(job, how, report=options.report)


def _films(options: Prepare, shard: Shard | None) -> list[str]:
    """The films that the job would be about."""
    if options.how.retry_failed and not options.films:
        films = [failure.source for failure in read_failures(options.to)]
    else:
        films = sources(options.films)
    return [film for film in films if shard is None or as_uri(film) in shard]
