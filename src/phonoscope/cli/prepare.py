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
from phonoscope.core.errors import UsageError
from phonoscope.core.media import Rights
from phonoscope.flow.ingest import GIVEN


@dataclass(frozen=True, kw_only=True)
class Prepare:
    """Film in, training-ready data out: clock, sound, shots, faces, tracks, crops, MFCC, voice, who speaks.

    phonoscope prepare talk.mp4 --to films
    phonoscope prepare interviews/ more.txt --to films -j 4 --want crop_video
    phonoscope prepare talk.mp4 --to films --tracks.min-len 25 --config settings.toml
    phonoscope prepare videos_sw/ --to films --corpus vlogs
    phonoscope prepare --retry-failed --to films

    The same command again makes only what is missing or has changed. Films are read, never written to.
    """

    films: Positional[tuple[str, ...]] = ()  # files, folders (every file in them) or .txt lists of films, a line each
    to: Path | str  # the store: a new folder, one made by phonoscope, or a bucket, as in s3://bucket/films
    want: tuple[str, ...] = ()  # artifacts beyond the usual ones: crop_video landmarks pose mouth …; films go before it
    corpus: str = ""  # the films are a folder in which a corpus lies, such as vlogs: sets and speakers are kept
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
    unknown = set(options.want) - {*api.STEPS, *GIVEN}
    if eaten := [name for name in options.want if name in unknown and ("." in name or Path(name).exists())]:
        raise UsageError(f"nothing makes '{eaten[0]}'; films go before --want")
    failed = api.failed_steps(options.to) if how.retry_failed and not options.films else ()
    names = (*api.DEFAULT, *options.want, *failed)
    rights = Rights(options.licence, options.consent, options.origin)
    if options.dry_run:
        from phonoscope.cli.dry_run import foretell

        return foretell(options.films, options.to, names, params, how, options.corpus)
    job = api.prepare(
        options.films, options.to, names, params, rights,
        corpus=options.corpus, retry_failed=how.retry_failed, shard=shard,
    )  # fmt: skip
    return carry_out(job, how, report=options.report)
