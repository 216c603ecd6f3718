"""How each network was trained by its authors: what `phonoscope train separation` begins from; it needs no torch.

| network | loss | optimiser | learning rate | epochs | batch |
|---|---|---|---|---|---|
| compact | negative SI-SDR | AdamW, weight decay 0.01, gradients of 1 at most | 3e-3, × 0.9 an epoch | 30 | 8 |
| looking-to-listen | discriminative, γ = 0.1 | Adam | 1e-5, ÷ 5 from epoch 6, ÷ 10 from epoch 11 | 100 | 2 |
| audio-only | discriminative, γ = 0.1, best order | Adam | 5e-5, ÷ 5 from epoch 6, ÷ 10 from epoch 11 | 100 | 8 |

Mixtures are -5 to 5 dB and varied for compact, of equal gains and as they are for the two others, which have the
settings of seed 000. But for the order: the seed's audio-only network is told which voice is the first, which it cannot
know.

Sources: Ephrat et al., SIGGRAPH 2018; bill9800/speech_separation (MIT). `compact` is ours.
"""

from collections.abc import Mapping
from dataclasses import replace

from phonoscope.tasks.separation.params import ExamplesParams, NetworkParams, ObjectiveParams
from phonoscope.train.params import TrainParams

Preset = tuple[TrainParams, ExamplesParams, ObjectiveParams]

_SEED = TrainParams(lr=1e-5, lr_decay=1.0, lr_steps="6:0.2,11:0.1", epochs=100)
_MIXED = ExamplesParams(
    batch=2, gains="equal", normalise="none", rows="embeddings", hide=0.0, still=0.0, pace=1.0, tilt=0.0
)
_OURS = TrainParams(optimiser="adamw", lr=3e-3, lr_decay=0.9, weight_decay=0.01, clip=1.0, epochs=30)

PRESETS: Mapping[str, Preset] = {
    "compact": (_OURS, ExamplesParams(), ObjectiveParams()),
    "looking-to-listen": (_SEED, _MIXED, ObjectiveParams(objective="discriminative")),
    "audio-only": (
        replace(_SEED, lr=5e-5),
        replace(_MIXED, batch=8),
        ObjectiveParams(objective="discriminative", any_order=True),
    ),
}


def preset(model: str, chosen: NetworkParams, *, fine_tune: bool) -> Preset:
    """What training of a network begins from; `fine_tune` it if it begins with weights that were trained before."""
    learning, examples, objective = PRESETS[model]
    if chosen.blind:
        objective = replace(objective, any_order=True)
    return (replace(learning, lr=learning.lr / 5) if fine_tune else learning), examples, objective
