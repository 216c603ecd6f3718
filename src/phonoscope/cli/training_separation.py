"""`phonoscope train separation`: its flags, and what it prints."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from tyro.conf import Positional

from phonoscope.cli.trained import carried_out
from phonoscope.cli.training_flags import OF_VERB, asked, chosen, said
from phonoscope.tasks.separation.params import Model, NetworkParams
from phonoscope.tasks.separation.presets import preset


@dataclass(frozen=True, kw_only=True)
class TrainSeparation:
    """A network learns whose voice is whose, from a store of people who speak alone, mixed anew in every epoch.

    phonoscope train separation films --to runs/mine                              our compact network, by SI-SDR
    phonoscope train separation films --to runs/ears --blind                      the same, without film: any order
    phonoscope train separation films --to runs/ltl --separation.model looking-to-listen     as seed 000 did it
    phonoscope train separation films --to runs/more --init runs/mine --epochs 10            from these weights on
    phonoscope train separation films --to runs/mine --dry-run                    how many people, how many minutes

    Faces are rows of numbers: of lips (`phonoscope run lips films`), or embeddings of every frame, as Looking to Listen
    has them (`phonoscope run embeddings films --embeddings.per-track 0`). Nobody is in two sets. The best network by
    SI-SDRi on validation is weights.safetensors, with its card; report.html has the curves. The same command again goes
    on from where it was stopped, to the same weights.
    """

    task: Positional[Literal["separation"]]
    source: Positional[Path]  # a store
    to: Path  # folder of the run: a new one, or one to go on with
    init: str = ""  # weights to begin with: a file, or the folder of a run
    init_partial: bool = False  # take those of these weights that fit, instead of refusing them
    licence: str = ""  # of the weights that are made; it stands on their card
    events: Path | None = None  # folder for TensorBoard's events, if not in the run's
    config: Path | None = None  # TOML file with settings: [train] epochs = 10, [separation] model = "compact"
    dry_run: bool = False  # say what would be learnt from, and write nothing


@dataclass(frozen=True, kw_only=True)
class SeparationModel:
    """Which network."""

    model: Model = "compact"  # that learns


def parse_separation(arguments: Sequence[str]) -> tuple[Any, str, dict[str, Any]]:
    """The options of the verb, the network's name, and its settings by part, such as `learning` and `examples`.

    Raises:
        UsageError: a setting makes no sense, or the file of settings cannot be read.
        SystemExit: help was asked for (0), or the arguments do not fit the options (2).
    """
    model, told = chosen(arguments, "separation", get_args(Model), SeparationModel().model)
    init = said(arguments, "--init") or told.get("init", "")
    blind = "--blind" in arguments or (bool(told.get("blind")) and "--no-blind" not in arguments)
    learning, examples, objective = preset(model, NetworkParams(blind=blind), fine_tune=bool(init))
    parts = {"network": NetworkParams(), "learning": learning, "examples": examples, "objective": objective}
    section = ("separation", SeparationModel(model=model))
    options = asked(TrainSeparation, arguments, section, parts, told, OF_VERB)
    return options.verb, options.separation.model, {name: getattr(options, name) for name in parts}


def train(options: TrainSeparation, model: str, settings: dict[str, Any]) -> int:
    """Train, and say what came out."""
    from phonoscope.tasks.separation.training import plan, train_separation

    start = {"partial": options.init_partial, "licence": options.licence}
    planned = plan(model, options.source, options.init, **start, **settings)
    return carried_out(planned, train_separation, options, digits=2)
