"""Weights of VRM's five lip-sync expressions, a key a frame: for `expressionManager.setValue`, or an avatar's curves.

VRM has names for the expressions but no file for how they move; this one is ours.
"""

import json
from fractions import Fraction

import msgspec
import numpy as np

from phonoscope.core.viseme_maps import FROM_VRM, VRM, vrm_poses
from phonoscope.core.visemes import SILENCE, VISEMES, VisemeTrack, track_of
from phonoscope.data.viseme_curves import STEPS, curves, stepped
from phonoscope.data.viseme_formats.cues import decoded, no_file_of

WHAT = "vrm-json"
FPS = Fraction(60)  # frames a second
_TENTHS = np.round(vrm_poses() * 10).astype(np.int64)


class _Key(msgspec.Struct):
    aa: float = 0.0
    ih: float = 0.0
    ou: float = 0.0
    ee: float = 0.0
    oh: float = 0.0


class _File(msgspec.Struct):
    rate: int | str  # keys a second
    keys: list[_Key]


def write(track: VisemeTrack, fps: Fraction = FPS) -> str:
    """The file of a track: `rate`, `expressions`, and `keys`, each with its time in seconds and five weights."""
    steps = stepped(curves(track, fps)) @ _TENTHS // 10
    keys = [
        json.dumps({"time": round(float(frame / fps), 4)} | dict(zip(VRM, (row / STEPS).tolist(), strict=True)))
        for frame, row in enumerate(steps)
    ]
    rate = int(fps) if fps.denominator == 1 else str(fps)
    head = f'{{\n  "rate": {json.dumps(rate)},\n  "expressions": {json.dumps(VRM)},\n  "keys": [\n'
    return head + ",\n".join("    " + key for key in keys) + "\n  ]\n}\n"


def read(text: str) -> VisemeTrack:
    """The track of a file, at its rate: vowels, and silence for what is left of 1.

    Raises:
        UsageError: it is none, or a weight lies outside 0 to 1.
    """
    file = decoded(text, _File, WHAT)
    try:
        rate = Fraction(file.rate)
    except (ValueError, ZeroDivisionError) as error:
        raise no_file_of(WHAT, f"rate: {error}") from None
    weights = np.zeros((len(file.keys), len(VISEMES)), np.float32)
    for name, viseme in FROM_VRM.items():
        weights[:, VISEMES.index(viseme)] = [getattr(key, name) for key in file.keys]
    if rate <= 0 or (weights < 0).any() or (weights > 1).any():
        raise no_file_of(WHAT, "weights must lie in 0 to 1, the rate above 0")
    weights[:, SILENCE] = np.clip(1 - weights.sum(1), 0, 1)
    return track_of(weights.argmax(1), rate, weights)
