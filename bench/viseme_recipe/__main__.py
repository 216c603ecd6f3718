"""`python -m bench.viseme_recipe WORK --chosen-by FOLDER [--voices FOLDER]`: data, teacher, training, weights.

`--chosen-by` holds sounds of people with alignments beside them, by which the best weights are chosen, `--voices` the
packages of `voices.py`, unpacked. Nobody of `bench/visemes_said.csv` may be in either. It takes flite, festival,
espeak-ng, the Asterisk prompts, pocketsphinx, and the network that is there already (for when prompts that are not in
English are said).

On a core that was shared with others making the pieces took 13 minutes of CPU, the teacher at hand 7, and the network
some 28, for 3 500 steps of 32 pieces. How long the data take is not known.

The weights that come along were made by these steps, but before they were gathered here, and with another teacher: two
GRUs of 128 over the same ears, forwards, that had learnt from varied sound; it had also heard 17 people of talking-head
clips for 2.4 minutes, by words that pocketsphinx guessed. The whole has not been run again as it stands.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.viseme_recipe import prompts, sources, teacher
from bench.viseme_recipe.aligning import model
from bench.viseme_recipe.ears import STATES, Ears
from bench.viseme_recipe.pieces import pieces_of, spoken_of
from bench.viseme_recipe.training import Lessons, learnt
from bench.viseme_recipe.voices import voices
from phonoscope.core.visemes import VISEMES
from phonoscope.models.registry import load
from phonoscope.models.viseme_graph import STEP, graph_of

STEPS = 3500
CLOSED = 0.3  # nats by which closed lips are favoured: by those who choose it costs nothing, and shows more closures


def main() -> int:
    """Do what is not done yet."""
    parser = argparse.ArgumentParser(prog="python -m bench.viseme_recipe", description=__doc__)
    parser.add_argument("work", type=Path, help="folder for all that is made, some 4 GB")
    parser.add_argument("--voices", type=Path, help="folder of unpacked packages, for people whose words are not known")
    parser.add_argument("--chosen-by", type=Path, required=True, help="sounds and alignments")
    parser.add_argument("--steps", type=int, default=STEPS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    made = options.work / "viseme_gru.onnx"
    _data(options.work / "data", options.voices)
    network = _learnt(options.work, options.chosen_by, options.steps)
    tensors = {name: it.numpy() for name, it in network.state_dict().items()}
    tensors["told.bias"] = tensors["told.bias"] + CLOSED * np.tile(np.eye(len(VISEMES))[VISEMES.index("PP")], STEP)
    made.write_bytes(graph_of({name: it.astype(np.float32) for name, it in tensors.items()}))
    print(f"{made}, {made.stat().st_size} bytes")
    return 0


def _data(data: Path, unpacked: Path | None) -> None:
    """Sounds, and beside them what is said, a folder a voice."""
    if data.exists():
        return
    prose = sources.sentences()
    sources.flite(data, prose)
    sources.festival(data, prose)
    sources.espeak(data, prose)
    prompts.in_english(data)
    prompts.in_others(data, load("viseme-gru"))
    if unpacked:
        voices(unpacked, data)


def _learnt(work: Path, chosen_by: Path, steps: int) -> torch.nn.Module:
    """The network that has learnt from the folders."""
    ears, kept = Ears(model() / "en-us"), work / "pieces"
    kept.mkdir(exist_ok=True)
    for folder in sorted((work / "data").iterdir()):
        if not (path := kept / f"{folder.name}.npz").exists():
            pieces: dict[str, Any] = dict(pieces_of(folder))
            said = [teacher.heard(ears, it / np.float32(32767)) for it in pieces.pop("sound")]
            np.savez(path, said=np.stack(said), **pieces)
    every = [np.load(path) for path in sorted(kept.glob("*.npz"))]
    said, visemes, levels = (np.concatenate([it[name] for it in every]) for name in ("said", "visemes", "levels"))
    judges = spoken_of(chosen_by)
    heard = [(teacher.heard(ears, it.audio / np.float32(32768)), it) for it in judges]
    teaching = teacher.taught(said, visemes, heard).eval()
    told = np.stack([teacher.told(teaching, it).astype(np.float16) for it in said])
    states = np.exp(10 * said[:, ::2, :STATES].astype(np.float32)).astype(np.float16)
    return learnt(Lessons(levels, visemes, told, states), judges, steps)


if __name__ == "__main__":
    sys.exit(main())
