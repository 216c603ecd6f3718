"""Train the toy again and again, and be killed each time just before another touch of the run's folder.

Arguments: an empty folder, and how many touches to go on from one kill to the next. Prints a line of JSON: how many
touches there are, at which of them a second call did not end with the undisturbed run's weights and metrics, and how
many of the kills fell within an epoch.
"""

import importlib
import json
import shutil
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent))
from toy import toy

from phonoscope.testing.kills import forked, kill_at
from phonoscope.train.loop import train
from phonoscope.train.params import TrainParams

EVERY_STEP = TrainParams(epochs=2, lr=0.01, checkpoint_s=0, workers=1)


def run(folder: Path) -> None:
    torch.set_num_threads(1)
    train(toy(batches=3), folder, EVERY_STEP, recipe={"train": {"lr": 0.01}})


def result(folder: Path) -> tuple:
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    for line in lines:
        line.pop("seconds", None)
    return (folder / "weights.safetensors").read_bytes(), lines


def main(folder: Path, stride: int) -> None:
    for name in ("jinja2", "safetensors.numpy", "torch.utils.tensorboard", "torch._dynamo"):
        importlib.import_module(name)  # once, not in every copy of this process
    undisturbed, again = folder / "run", folder / "again"
    forked(lambda: run(undisturbed))
    expected, bad, within, touch, killed = result(undisturbed), [], 0, 0, True
    undisturbed.rename(folder / "undisturbed")
    while killed:
        killed = forked(lambda at=touch: (kill_at(at, again), run(again))) < 0
        if (again / "checkpoint.pt").exists():
            within += torch.load(again / "checkpoint.pt", weights_only=True)["place"]["step"] > 0
        forked(lambda: run(again))
        if result(again) != expected or [path for path in again.rglob(".*") if path.name.endswith(".part")]:
            bad.append(touch)
        shutil.rmtree(again)
        touch += stride
    sys.stdout.write(json.dumps({"touches": touch, "bad": bad, "within": within}) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
