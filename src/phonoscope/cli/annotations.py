"""`phonoscope annotations`: people's labels of films, and the films, into a store."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from phonoscope import job as api
from phonoscope.cli.how import How
from phonoscope.cli.options import parse
from phonoscope.cli.progress import carry_out
from phonoscope.core.errors import UsageError
from phonoscope.core.media import Rights
from phonoscope.corpora.annotations import write_lists
from phonoscope.store.folder import Store

NATIVE = api.ClockParams(fps=None)


@dataclass(frozen=True, kw_only=True)
class Annotations:
    """Films and the labels that people gave their faces (AVA, ASW) into a store: who they are, where, when they speak.

    phonoscope annotations ava_activespeaker_train_v1.0/ --films trainval/ --to ava --split training
    phonoscope annotations val_orig.csv --films trainval/ --to ava --split validation
    phonoscope run asd ava

    Films are named for their videos: ID.mp4, ID.mkv … The labelled faces become `tracks`, their labels `labels`; no
    detector is run on these films, and each keeps its own frame rate. The same command again changes nothing.
    """

    tables: Positional[tuple[str, ...]]  # csv of any of AVA's layouts, also .csv.gz, JSON of ASW's, folders of them
    films: Path  # folder with the films
    to: Path | str  # the store: a new folder, one made by phonoscope, or a bucket, as in s3://bucket/films
    lists: Path | None = None  # folder for TalkNet's own tables of these faces: {split}_orig.csv and {split}_loader.csv
    split: str = ""  # the set that these videos belong to: training, validation, test
    max_gap_s: float | None = None  # seconds; a face without a label for longer begins a new track; AVA 0.1, ASW 0.3
    how: Annotated[How, arg(name="")] = How()  # noqa: RUF009 - frozen
    licence: str = ""  # of the films; kept with every recording
    consent: str = ""  # of the people filmed; kept with every recording
    origin: str = ""  # where the films come from; kept with every recording
    clock: api.ClockParams = NATIVE  # the time that the store keeps


def main(arguments: Sequence[str]) -> int:
    """Run the verb."""
    options, _ = parse(Annotations, arguments, with_params=False)
    gap_s = None if options.max_gap_s is None else Fraction(str(options.max_gap_s))
    if gap_s is not None and gap_s < 0:
        raise UsageError(f"--max-gap-s is 0 or more, got {options.max_gap_s}")
    how, shard = options.how, options.how.checked()
    job = api.annotations(
        options.tables, options.films, options.to, api.Params(clock=options.clock),
        Rights(options.licence, options.consent, options.origin),
        split=options.split, max_gap_s=gap_s, retry_failed=how.retry_failed, shard=shard,
    )  # fmt: skip
    code = carry_out(job, how, report=False)
    if options.lists:
        write_lists(Store(options.to), options.lists, options.split)
        print(f"{options.lists}: TalkNet's lists of all labelled faces of {options.to}")
    return code
