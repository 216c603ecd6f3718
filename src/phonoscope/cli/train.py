"""`phonoscope train`: a network learns from a store, from shards, or from a folder of windows."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from tyro.conf import Positional

from phonoscope.cli.trained import carried_out
from phonoscope.cli.training import parse_training


@dataclass(frozen=True, kw_only=True)
class Train:
    """A network learns who speaks, from a store, shards or a folder of windows; its best state is kept, with a card.

    phonoscope train asd films --init ava --to runs/mine                  fine-tune LR-ASD
    phonoscope train asd windows --asd.model talknet --init talknet.pth --to runs/talknet --epochs 20
    phonoscope train asd shards --to runs/mine                            what `pack --as webdataset` has written
    phonoscope train asd films --config configs/asd/swahili.toml --to runs/swahili
    phonoscope train asd ava --asd.model ava-asd --mode s_a --to runs/s_a
    phonoscope train asd --asd.model light-asd --help                     what its authors have trained it with
    phonoscope train visemes --help                                       visemes, from a folder of labelled speech
    phonoscope train separation --help                                    whose voice is whose, from a store

    Labelled tracks are learnt whole; where no labels say who speaks, windows are drawn: a face with its own voice, or
    with another. The same command again goes on from where it was stopped, to the same weights. In the folder:
    weights.safetensors, which `phonoscope prepare --asd.weights` takes, metrics.jsonl, report.html, params.toml.

    A number's default is that of the network's paper, or of seed 002's fine-tuning if there is --init; settings may
    also stand in a TOML file under [train].
    """

    task: Positional[Literal["asd", "visemes", "separation"]]
    source: Positional[Path]  # a store, shards, or a folder that `phonoscope windows` or AnnoTheia's scripts wrote
    to: Path  # folder of the run: a new one, or one to go on with
    init: str = ""  # weights to begin with: a name such as ava or talkset, a file, or the folder of a run
    init_partial: bool = False  # take those of these weights that fit, instead of refusing them
    licence: str = ""  # of the weights that are made; it stands on their card
    events: Path | None = None  # folder for TensorBoard's events, if not in the run's
    config: Path | None = None  # TOML file with settings: [train] epochs = 10, [asd] model = "lr-asd"
    dry_run: bool = False  # say what would be learnt from, and write nothing


def main(arguments: Sequence[str]) -> int:
    """Run the verb."""
    options, model, settings = parse_training(Train, arguments)
    if options.task == "visemes":
        from phonoscope.cli import training_visemes

        return training_visemes.train(options, cast(Any, model), settings)
    if options.task == "separation":
        from phonoscope.cli import training_separation

        return training_separation.train(options, model, settings)
    from phonoscope.tasks.asd.training import plan, train_asd

    start = {"partial": options.init_partial, "licence": options.licence}
    planned = plan(model, options.source, options.init, **start, **settings)
    return carried_out(planned, train_asd, options, digits=4)
