"""The recipe of `compact`: from voices whose licence permits it, and puppets that say them, to weights.

`python -m bench separation_recipe` trains anew, writes .cache/bench/compact.safetensors, and judges it on people whom
it has not heard. Voices are those of ../shared/data that `LEFT_OUT` and `HELD_OUT` do not name, and those of folders
in .cache/bench/separation-voices, one a speaker, whose sounds you bring: see `BROUGHT`.
"""

import json
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING

import numpy as np

from bench.films import FOLDER
from bench.separation import cases
from bench.separation_data import drawn_from, filmed, recorded
from bench.separation_training import BATCH, People, minutes, trained
from bench.table import Row, Table
from phonoscope.models.backends.compact import Compact as Separator
from phonoscope.tasks.separation.judging import judged, table

if TYPE_CHECKING:
    from phonoscope.tasks.separation.networks.compact import Compact

SEED, STEPS, ROUGH_STEPS = 1, 400, 120
ROUGH_RATE = 1.5e-3
REAL = "grid_spk_"  # four people of GRID (CC-BY-4.0), 3 s each, the only real faces: shown in the rough steps,
OFTEN = 2000  # as often as if they spoke for so many times as long
HELD_OUT = ("SSB0794", "jfk", "libri_1688", "libri_3080", "libri_367")  # whom the figures on its card are of
LEFT_OUT = ("bobby", "chinese_news", "deyu", "eluosi", "lucier")  # whose recordings are not clearly free
VOICES = FOLDER / "separation-voices"
BROUGHT = {
    "asterisk": "prompts of Asterisk, five people (en es fr it ru), CC-BY-SA-3.0",
    "espeak": "espeak-ng, seven voices",
    "fest": "Festival: kal, ked, slt",
    "flite": "Flite: awb, kal16, rms, slt",
}
WEIGHTS = FOLDER / "compact.safetensors"


def measure() -> list[Table]:
    """What it learns from, and what it reaches."""
    began = process_time()
    people, unknown = material()
    drawn_s = process_time() - began
    heads = filmed()
    real = {name: every for name, every in heads.items() if name.startswith(REAL)}
    network = trained(people, STEPS, SEED)
    network = trained(
        {**people, **{name: [*every] * OFTEN for name, every in real.items()}},
        ROUGH_STEPS, SEED, begin=network, rate=ROUGH_RATE, rough=True,
    )  # fmt: skip
    strangers = {name: every for name, every in heads.items() if name not in real}
    learnt_s = process_time() - began - drawn_s
    separator = Separator(written(network, people, real))
    rows = [
        Row("weights", f"{WEIGHTS.stat().st_size} bytes"),
        Row("drawing lips, training", f"{drawn_s / 60:.1f} and {learnt_s / 60:.1f} min of CPU"),
        *_reached("puppets with voices it has not heard", separator, unknown),
        *_reached("real talking heads, none of which it has learnt from", separator, strangers),
    ]
    told = [Row(name, f"{minutes({name: every}):.2f} min") for name, every in sorted({**people, **real}.items())]
    notes = (f"Seed {SEED}, {STEPS} steps of {BATCH} mixtures, then {ROUGH_STEPS} with rough lips.",)
    return [Table(f"What compact learns from ({_size(people)})", told), Table("What compact reaches", rows, notes)]


def material() -> tuple[People, People]:
    """Whom it learns from, and whom its card's figures are of."""
    voices = recorded()
    brought = {folder.name: drawn_from(folder) for folder in sorted(VOICES.glob("*")) if folder.is_dir()}
    known = {name: every for name, every in voices.items() if name not in (*HELD_OUT, *LEFT_OUT)}
    return known | brought, {name: voices[name] for name in HELD_OUT}


def written(network: "Compact", people: People, real: People) -> Path:
    """A `.safetensors` file that says what it is."""
    from safetensors.numpy import save_file

    tensors = {name: value.numpy().astype(np.float32) for name, value in network.state_dict().items()}
    about = {
        "network": "compact", "lips": "mouth", "licence": Separator.card.licence,
        "recipe": "python -m bench separation_recipe",
        "trained_on": f"puppets driven by {_size(people)}: {', '.join(sorted(people))}; "
        f"real faces of GRID, {_size(real)}",
    }  # fmt: skip
    WEIGHTS.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, WEIGHTS, {"phonoscope": json.dumps(about)})
    return WEIGHTS


def _reached(what: str, separator: Separator, people: People) -> list[Row]:
    found = table(judged(separator, cases(people)))
    fall = found["si_sdri_db"] - found["others_si_sdri_db"]
    return [
        Row(f"{what} ({_size(people)}): SI-SDRi", f"{found['si_sdri_db']:.2f} dB"),
        Row("shown the film of other people it falls by", f"{fall:.2f} dB"),
        Row("faces swapped, voices swap", f"{100 * found['swapped']:.0f} %"),
    ]


def _size(people: People) -> str:
    return f"{len(people)} voices, {minutes(people):.1f} min"
