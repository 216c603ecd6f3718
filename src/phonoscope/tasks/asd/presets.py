"""How each network was trained by its authors: what `phonoscope train asd` begins from; it needs no torch.

| network | loss | optimiser | learning rate | after each epoch | epochs | batch |
|---|---|---|---|---|---|---|
| talknet | CE both + 0.4 audio + 0.4 video | Adam | 1e-4 | × 0.95 | 25 | 2500 frames |
| light-asd | BCE at temperature 1.3 − 0.02 (epoch − 1), both + 0.5 video | Adam | 1e-3 | × 0.95 | 30 | 2000 frames |
| lr-asd | BCE both + 0.5 video | AdamW, weight decay 0.01 | 1e-3 | × 0.95 | 40 | 2000 frames |
| ava-asd | CE both + 0.4 audio + 0.4 video | SGD, Nesterov 0.9 | 0.01 / (1 + 1e-6 · steps) | | 40 | 16 windows |
| tiny | CE both + 0.4 audio + 0.4 video | AdamW, weight decay 0.01 | 1e-3 | × 0.95 | 40 | 2000 frames |

Fine-tuning is what seed 002 does with windows, from published weights: Adam, 1e-4, × 0.95, 10 epochs, 32 windows of
25 frames.

The loss of ava-asd is that of its mode s_av; `losses.objective_of` has the others.

Sources: the papers and the code of their authors; ava_asd; AnnoTheia. `tiny` is ours and follows LR-ASD.
"""

from collections.abc import Mapping
from dataclasses import replace

from phonoscope.tasks.asd.params import ExamplesParams
from phonoscope.train.params import TrainParams

Preset = tuple[TrainParams, ExamplesParams]

_LR_ASD = TrainParams(optimiser="adamw", lr=1e-3, lr_decay=0.95, weight_decay=0.01, epochs=40)

PRESETS: Mapping[str, Preset] = {
    "talknet": (TrainParams(optimiser="adam", lr=1e-4, lr_decay=0.95, epochs=25), ExamplesParams(batch_frames=2500)),
    "light-asd": (TrainParams(optimiser="adam", lr=1e-3, lr_decay=0.95, epochs=30), ExamplesParams(batch_frames=2000)),
    "lr-asd": (_LR_ASD, ExamplesParams(batch_frames=2000)),
    "ava-asd": (
        TrainParams(optimiser="sgd", lr=0.01, lr_decay=1.0, step_decay=1e-6, momentum=0.9, nesterov=True, epochs=40),
        ExamplesParams(batch_frames=16),
    ),
    "tiny": (_LR_ASD, ExamplesParams(batch_frames=2000)),
}


def preset(model: str, *, fine_tune: bool) -> Preset:
    """What training of a network begins from; `fine_tune` it if it begins with weights that were trained before."""
    learning, examples = PRESETS[model]
    if not fine_tune or model == "ava-asd":
        return learning, examples
    return (
        replace(learning, optimiser="adam", weight_decay=0.0, lr=1e-4, lr_decay=0.95, epochs=10),
        replace(examples, batch_frames=32 * 25),
    )
