"""`phonoscope evaluate`: how well a task is done."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec
from tyro.conf import Positional

from phonoscope.cli.options import parse
from phonoscope.core.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class Evaluate:
    """How well is a task done? Average precision as AVA-ActiveSpeaker has it, from two tables.

    phonoscope evaluate asd --truth val.csv --scores mine.csv             refuses what the official procedure refuses
    phonoscope evaluate asd --truth val.csv --scores mine.csv --json      one JSON object, for programs
    phonoscope evaluate asd --truth val.csv --scores mine.csv --lenient   rows may be wanting; says what it filled in
    phonoscope evaluate asd --truth val.csv --scores mine.csv --sizes px.csv   parts faces by width, as AVA's paper

    phonoscope evaluate asd runs/swahili films                            a run's weights, on the store's test split
    phonoscope evaluate asd weights/ windows --csv out.csv                every file of a folder, a row each

    Tables are AVA's csv, with or without a header, also .csv.gz, or a folder of {video}-activespeaker.csv: video_id,
    frame_timestamp, entity_box_x1, _y1, _x2, _y2, label, entity_id; predictions say SPEAKING_AUDIBLE in every row and
    have a ninth column, score, of any scale: more is surer.
    """

    task: Positional[Literal["asd"]]
    what: Positional[str] = ""  # a run, a file of weights, a folder of them, or a model such as lr-asd:ava
    source: Positional[str] = ""  # a store, or a folder of windows, on whose examples it is judged
    truth: Path | None = None  # what people have labelled
    scores: Path | None = None  # what a model makes of the same faces
    sizes: Path | None = None  # a csv without a header: video, width, height in px
    threshold: float | None = None  # on the scores: F1 of what is above it, of all rows and as the mean of all faces
    lenient: bool = False  # rows without a score take the nearest of their face, or else the lowest of all
    json: bool = False  # one JSON object, for programs
    split: str = "test"  # of the store or the windows
    model: str = ""  # the network, where files of weights do not say it: talknet
    csv: Path | None = None  # where to write a row for each file of weights
    rows: Path | None = None  # folder for AnnoTheia's tables, a row a frame with its prediction and score
    legacy: bool = False  # seed 001's figures: of all heads, and of rows that take the nearest window's score
    n_samples: int = 20000  # windows that are drawn for training where nobody has labelled; 30 % for the test
    window: int = 25  # frames of these windows


def main(arguments: Sequence[str]) -> int:
    """Run the verb."""
    options, _ = parse(Evaluate, arguments, with_params=False)
    if options.what:
        from phonoscope.cli.judged import models

        return models(options)
    return tables(options)


def tables(options: Evaluate) -> int:
    """Evaluate a table of scores on a table of truth, and print what came out."""
    from phonoscope.cli.evaluated import evaluation_lines
    from phonoscope.corpora.ava import read_ava
    from phonoscope.tasks.asd.evaluation import evaluate, read_sizes

    if options.truth is None or options.scores is None:
        lacking = "--truth" if options.truth is None else "--scores"
        raise UsageError(f"{lacking} is wanting: phonoscope evaluate asd --truth GT.csv --scores PRED.csv")
    sizes = read_sizes(options.sizes) if options.sizes else None
    with ThreadPoolExecutor() as both:
        truth, scores = both.map(read_ava, (options.truth, options.scores))
    found = evaluate(truth, scores, not options.lenient, sizes, options.threshold)
    print(msgspec.json.encode(found).decode() if options.json else "\n".join(evaluation_lines(found)))
    return 0
