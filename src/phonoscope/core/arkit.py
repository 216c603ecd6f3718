"""Visemes as poses of ARKit's face: how far each of 52 blend shapes is moved.

Source: Apple, ARFaceAnchor.BlendShapeLocation, for names, order and what each shape does. Nobody has published numbers
for visemes: these are our choice, drawn from the reference pictures of Oculus' visemes and from how a sound is made.
Both halves of the face are alike; eyes, brows, cheeks and nose rest.
"""

from types import MappingProxyType

import numpy as np

from phonoscope.core.visemes import VISEMES

_EYE = ("Blink", "LookDown", "LookIn", "LookOut", "LookUp", "Squint", "Wide")
_MOUTH = ("Smile", "Frown", "Dimple", "Stretch")
ARKIT = (
    *(f"eye{part}Left" for part in _EYE), *(f"eye{part}Right" for part in _EYE),
    "jawForward", "jawLeft", "jawRight", "jawOpen",
    "mouthClose", "mouthFunnel", "mouthPucker", "mouthLeft", "mouthRight",
    *(f"mouth{part}{side}" for part in _MOUTH for side in ("Left", "Right")),
    "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper",
    *(f"mouth{part}{side}" for part in ("Press", "LowerDown", "UpperUp") for side in ("Left", "Right")),
    "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight",
    "cheekPuff", "cheekSquintLeft", "cheekSquintRight", "noseSneerLeft", "noseSneerRight", "tongueOut",
)  # fmt: skip

# Of a pair, such as mouthSmileLeft and mouthSmileRight, the name without its side is written. mouthClose rests: it
# undoes an open jaw, and where the jaw is shut it would push the lips through each other; mouthPress and mouthRoll shut
# the lips there.
POSES = MappingProxyType({
    "sil": {},
    "PP": {"mouthPress": 0.6, "mouthRollLower": 0.35, "mouthRollUpper": 0.35},
    "FF": {"jawOpen": 0.04, "mouthRollLower": 0.65, "mouthUpperUp": 0.3, "mouthShrugUpper": 0.1},
    "TH": {"jawOpen": 0.16, "mouthLowerDown": 0.15, "mouthUpperUp": 0.1, "tongueOut": 0.4},
    "DD": {"jawOpen": 0.1, "mouthLowerDown": 0.35, "mouthUpperUp": 0.1, "mouthStretch": 0.05},
    "kk": {"jawOpen": 0.22, "mouthUpperUp": 0.1, "mouthShrugLower": 0.2},
    "CH": {"jawForward": 0.15, "jawOpen": 0.08, "mouthFunnel": 0.6, "mouthUpperUp": 0.1, "mouthLowerDown": 0.15},
    "SS": {"jawOpen": 0.03, "mouthStretch": 0.35, "mouthDimple": 0.2, "mouthLowerDown": 0.2, "mouthUpperUp": 0.1},
    "nn": {"jawOpen": 0.12, "mouthUpperUp": 0.3, "mouthLowerDown": 0.1},
    "RR": {"jawOpen": 0.12, "mouthFunnel": 0.2, "mouthPucker": 0.3, "mouthShrugUpper": 0.25},
    "aa": {"jawOpen": 0.65, "mouthLowerDown": 0.15},
    "E": {"jawOpen": 0.35, "mouthStretch": 0.3, "mouthLowerDown": 0.15, "mouthUpperUp": 0.1},
    "ih": {"jawOpen": 0.2, "mouthSmile": 0.35, "mouthStretch": 0.1, "mouthLowerDown": 0.1},
    "oh": {"jawOpen": 0.4, "mouthFunnel": 0.45, "mouthPucker": 0.15},
    "ou": {"jawOpen": 0.14, "mouthFunnel": 0.15, "mouthPucker": 0.7},
})  # fmt: skip


def arkit_poses() -> np.ndarray:
    """What `POSES` says as numbers in [0, 1], (15, 52) float64: a row a viseme, a column a shape of `ARKIT`."""
    return np.array([[_of(POSES[name], shape) for shape in ARKIT] for name in VISEMES])


def _of(pose: dict[str, float], shape: str) -> float:
    return pose.get(shape, pose.get(shape.removesuffix("Left").removesuffix("Right"), 0.0))
