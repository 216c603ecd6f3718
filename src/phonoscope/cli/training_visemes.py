"""`phonoscope train visemes`: its flags, and what it prints."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from tyro.conf import Positional

from phonoscope.cli.training_flags import asked, chosen
from phonoscope.report.wording import count
from phonoscope.tasks.visemes.params import LEARNING, FramesParams, Model, SvmParams

if TYPE_CHECKING:
    from phonoscope.tasks.visemes.evaluation import Evaluation
    from phonoscope.train.loop import Progress

REPORT = "report.html"


@dataclass(frozen=True, kw_only=True)
class TrainVisemes:
    """A model learns which viseme is spoken, from a folder of sounds with soft labels: seed 004's chain.

    phonoscope train visemes DataSet --to runs/svm                                an SVM, on 14 classes
    phonoscope train visemes DataSet --to runs/dnn --visemes.model dnn --classes 5
    phonoscope train visemes DataSet --to runs/svm --speakers "(S[0-9]+)_"        speakers kept apart by file name
    phonoscope train visemes DataSet --to runs/seed --classes 9 --last 2000 --split row    as seed 004 did it

    DataSet holds wav_data/NAME.wav (16 kHz, mono) and label/NAME.txt (15 probabilities a line, a line each 8 ms). Files
    are read one at a time. In the folder of the run: model.onnx with its scaler and classes, report.html and
    metrics.json with the figures of both ways to part the frames, so that it is seen what frames by chance hide.
    """

    task: Positional[Literal["visemes"]]
    source: Positional[Path]  # the folder with wav_data and label
    to: Path  # folder of the run: a new one, or one to go on with
    licence: str = ""  # of the model that is made; it stands on its card
    config: Path | None = None  # TOML file with settings: [train] classes = "9", [visemes] model = "dnn"
    dry_run: bool = False  # say what would be learnt from, and write nothing


@dataclass(frozen=True, kw_only=True)
class VisemesModel:
    """Which model."""

    model: Model = "svm"  # that learns


def parse_visemes(arguments: Sequence[str]) -> tuple[Any, str, dict[str, Any]]:
    """The options of the verb, the model's name, and its settings: "examples", and "svm" or "learning".

    Raises:
        UsageError: a setting makes no sense, or the file of settings cannot be read.
        SystemExit: help was asked for (0), or the arguments do not fit the options (2).
    """
    model, told = chosen(arguments, "visemes", get_args(Model), VisemesModel().model, "viseme model")
    parts = {"examples": FramesParams()} | ({"svm": SvmParams()} if model == "svm" else {"learning": LEARNING[model]})
    options = asked(TrainVisemes, arguments, ("visemes", VisemesModel(model=model)), parts, told, ("licence",))
    return options.verb, options.visemes.model, {name: getattr(options, name) for name in parts}


def train(options: TrainVisemes, model: Model, settings: dict[str, Any]) -> int:
    """Train, and say what came out."""
    if model == "gru":
        return _train_gru(options, settings)
    from phonoscope.tasks.visemes.training import plan, train_visemes

    planned = plan(model, options.source, licence=options.licence, **settings)
    print("\n".join(planned.told()), flush=True)
    if options.dry_run:
        return 0
    trained = train_visemes(planned, options.to, on_progress=_show)
    for how, it in trained.results.items():
        apart = f"{trained.unit}s kept apart" if how == "disjoint" else "frames by chance"
        own = ", this model" if how == trained.split else ""
        print(f"test, {apart}{own}: {figures(it)}")
    for why in trained.lacking.values():
        print(f"no other figure: {why}")
    print(f"{trained.model}; {options.to / REPORT} shows what it takes for what")
    return 0


def _train_gru(options: TrainVisemes, settings: dict[str, Any]) -> int:
    from phonoscope.tasks.visemes.gru import plan_gru, train_gru

    planned = plan_gru(options.source, licence=options.licence, **settings)
    print("\n".join(planned.told()), flush=True)
    if options.dry_run:
        return 0
    trained = train_gru(planned, options.to, on_progress=_show)
    print("test: " + "  ".join(f"{name} {value:.4f}" for name, value in trained.test.items()))
    print(f"{trained.weights}: the best of all epochs, {trained.epoch}; {options.to / REPORT} shows them")
    return 0


def figures(found: "Evaluation") -> str:
    """The figures of all frames, on a line."""
    shares = ("accuracy", found.accuracy), ("balanced", found.balanced_accuracy), ("commonest class", found.majority)
    told = ", ".join(f"{name} {100 * share:.1f} %" for name, share in shares if share is not None)
    return f"{told}; {count(found.frames, 'frame')} of {count(found.utterances, 'utterance')}"


def _show(progress: "Progress") -> None:
    if progress.figures and (progress.epoch % 10 == 0 or progress.epoch == 1):
        reached = progress.figures["validation"]["balanced_accuracy"]
        loss = f"epoch {progress.epoch:4}  training loss {progress.loss:.4f}"
        print(f"{loss}; validation: balanced accuracy {100 * reached:.1f} %", flush=True)
