"""What models reach on the examples of a store or of a folder of windows: one file of weights, or each of a folder."""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from phonoscope.core.errors import UsageError
from phonoscope.models import registry
from phonoscope.models.sessions import onnx_network
from phonoscope.models.state_dicts import read_state_dict
from phonoscope.models.weights import weights
from phonoscope.store.files import whole_file
from phonoscope.tasks.asd.examples import Arrays, Example, Examples
from phonoscope.tasks.asd.figures import Scored, figures
from phonoscope.tasks.asd.training import weights_of

Judge = Callable[[Arrays], np.ndarray]
"""Log-odds of speaking, (T,) float32, of an example."""

CHECKPOINT = "checkpoint.pt"  # of a run; no weights to judge
SUFFIXES = (".safetensors", ".model", ".pth", ".pt", ".ckpt")
FIGURES = ("accuracy", "window_accuracy", "ap", "auc", "f1", "threshold")
COLUMNS = ("weights", "network", "split", "examples", "frames", "positives", *FIGURES)


@dataclass(frozen=True, slots=True)
class Judged:
    """An example and what a model says of its frames."""

    example: Example
    odds: np.ndarray  # (T,) log-odds of speaking
    labels: np.ndarray  # (T,) 1 speaks, 0 not
    weight: np.ndarray  # (T,) 0 where nothing counts

    @property
    def scored(self) -> Scored:
        """Only what counts, for figures."""
        counts = self.weight > 0
        return Scored(self.odds[counts], self.labels[counts], self.example.label >= 0)


def files_of(given: str, model: str = "") -> list[tuple[Path, str]]:
    """Files of weights, each with its network: a run's, a file, all of a folder, or a model's, as in lr-asd:ava.

    Args:
        model: the network's name, where files do not say it.

    Raises:
        UsageError: there are none, or a file does not say of which network it is.
        MissingWeights: they could not be had.
    """
    folder, name = Path(given).expanduser(), given.partition(":")[0]
    if folder.is_dir() and not (folder / registry.RUN_WEIGHTS).exists():
        found = sorted(path for path in folder.rglob("*") if path.suffix in SUFFIXES and path.name != CHECKPOINT)
        if not found:
            expected = f"{', '.join(SUFFIXES)}, or a run's {registry.RUN_WEIGHTS}"
            raise UsageError(f"'{folder}' has no file of weights: expected {expected}")
        return [(path, _network_in(path, model)) for path in found]
    if not folder.exists() and name in registry.names("speaking_scorer"):
        if (card := registry.card_of(given)).sources == ("file:",):
            raise UsageError(f"no weights of '{name}' are published: give a file of them, or the folder of a run")
        return [(weights(card), name)]
    path = weights_of(given, model or "lr-asd")
    return [(path, _network_in(path, model))]


def _network_in(path: Path, model: str) -> str:
    if found := model or read_state_dict(path).network:
        return found
    raise UsageError(f"'{path}' does not say of which network it holds the weights: name it with --asd.model")


def judge_of(path: Path, network: str) -> Judge:
    """What judges examples by a file of weights; no torch is needed.

    Raises:
        UsageError: the weights are of another network, or this one cannot judge examples.
    """
    if network == "ava-asd":
        from phonoscope.models.backends.ava_asd_graph import ava_asd_graph

        made = onnx_network(ava_asd_graph(read_state_dict(path).tensors))

        def of_window(it: Arrays) -> np.ndarray:
            logits = made({"faces": it.faces[None].astype(np.float32), "mfcc": it.mfcc[None]})["logits"]
            return logits[:, 0] - logits[:, 1]  # class 0 speaks

        return of_window
    scorer = registry.load(network, weights=path)
    if not hasattr(scorer, "logits"):
        raise UsageError(f"'{network}' scores film only: `phonoscope run asd STORE --asd.weights {path}`")

    def of_frames(it: Arrays) -> np.ndarray:
        logits = scorer.logits(it.mfcc, it.faces)
        return logits[:, 1] - logits[:, 0]

    return of_frames


def judged(judge: Judge, material: Examples, split: str) -> Iterator[Judged]:
    """What a model says of every example of a split, in order."""
    for example in material.examples.get(split, ()):
        it = material.load(example)
        yield Judged(example, judge(it), it.labels, it.weight)


def row(path: Path, network: str, split: str, them: Sequence[Judged]) -> dict[str, str]:
    """A row of the csv: a file of weights, and what it reaches."""
    scored = [it.scored for it in them]
    labels = np.concatenate([np.zeros(0, np.int64), *(it.labels for it in scored)])
    counts = {"examples": len(them), "frames": len(labels), "positives": int(labels.sum())}
    found = {name: f"{value:.6f}" for name, value in figures(scored).items()}
    said = {"weights": str(path), "network": network, "split": split, **{k: str(v) for k, v in counts.items()}, **found}
    return {name: said.get(name, "") for name in COLUMNS}


def write_csv(path: Path, rows: Sequence[dict[str, str]]) -> None:
    """A csv of rows that have the same columns, whole or not at all."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as part:
        part.write_text(text.getvalue(), encoding="utf-8")


def window_rows(them: Sequence[Judged]) -> list[dict[str, str]]:
    """AnnoTheia's table: a row a frame, its window's row again and again, with `pred` and the probability `score`."""
    rows = []
    for it in them:
        video, audio = it.example.video.id, it.example.audio.id
        said = {
            "video_id": f"{video.rpartition('/')[2]}.npz",
            "audio_id": f"{audio.rpartition('/')[2]}.npz",
            "label": "",
            "window_center": str(it.example.start + it.example.num_frames // 2),
            "video_path": f"face_crops/{video}.npz",
            "audio_path": f"mfccs/{audio}.npz",
            "audio_center": str(it.example.audio_start + it.example.num_frames // 2),
            "kind": it.example.kind,
        }
        chance = 1 / (1 + np.exp(-it.odds.astype(np.float64)))
        for label, score in zip(it.labels.tolist(), chance.tolist(), strict=True):
            mine = {"label": str(label), "pred": str(int(score > 0.5)), "score": f"{score:.8f}"}
            rows.append({"uid": str(len(rows)), **said, **mine})
    return rows
