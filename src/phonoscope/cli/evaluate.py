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

    phonoscope evaluate visemes runs/svm DataSet                          a model, on speech it has not learnt from

    phonoscope evaluate separation --references true --estimates mine --mixtures mixed     SI-SDR, SDR, STOI of voices
    phonoscope evaluate separation runs/mine films                        a run, on mixtures of the store's test split

    Tables are AVA's csv, with or without a header, also .csv.gz, or a folder of {video}-activespeaker.csv: video_id,
    frame_timestamp, entity_box_x1, _y1, _x2, _y2, label, entity_id; predictions say SPEAKING_AUDIBLE in every row and
    have a ninth column, score, of any scale: more is surer.
    """

    task: Positional[Literal["asd", "visemes", "separation"]]
    what: Positional[str] = ""  # a run, a file of weights, a folder of them, or a model such as lr-asd:ava
    source: Positional[str] = ""  # a store, or a folder of windows or of labelled speech, on which it is judged
    truth: Path | None = None  # what people have labelled
    scores: Path | None = None  # what a model makes of the same faces
    sizes: Path | None = None  # a csv without a header: video, width, height in px
    threshold: float | None = None  # on the scores: F1 of what is above it, of all rows and as the mean of all faces
    lenient: bool = False  # rows without a score take the nearest of their face, or else the lowest of all
    json: bool = False  # one JSON object, for programs
    split: str = "test"  # of the store or the windows; of visemes test is what was not learnt from, all is all
    speakers: str = ""  # of visemes: a csv of file,speaker, or a pattern whose first group is the speaker in a name
    model: str = ""  # the network, where files of weights do not say it: talknet
    csv: Path | None = None  # where to write a row for each file of weights
    rows: Path | None = None  # folder for AnnoTheia's tables, a row a frame with its prediction and score
    legacy: bool = False  # seed 001's figures: of all heads, and of rows that take the nearest window's score
    n_samples: int = 20000  # windows that are drawn for training where nobody has labelled; 30 % for the test
    window: int = 25  # frames of these windows
    references: Path | None = None  # of separation: true voices, NAME_s1.wav, NAME_s2.wav … or s1/NAME.wav …
    estimates: Path | None = None  # of separation: what a separator made, named alike
    mixtures: Path | None = None  # of separation: NAME.wav, to tell by how much estimates are better than that
    permute: bool = False  # of separation: take estimates in the order of the best mean SI-SDR, not by their numbers
    tolerance_s: float = 0.05  # of separation: s by which files of a mixture may differ in length; the rest is cut off
    pesq: bool = False  # of separation: PESQ too; needs phonoscope[pesq]


def main(arguments: Sequence[str]) -> int:
    """Run the verb."""
    options, _ = parse(Evaluate, arguments, with_params=False)
    if options.task == "visemes":
        from phonoscope.cli.judged_visemes import model

        return model(options)
    if options.task == "separation" and options.what:
        from phonoscope.cli.judged_separator import separator

        return separator(options)
    if options.task == "separation":
        from phonoscope.cli.judged_separation import voices

        return voices(options)
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
