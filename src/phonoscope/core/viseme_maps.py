"""Other sets of mouth shapes, as views of the fifteen of `core.visemes`: Rhubarb's, Azure's, MPEG-4's, VRM's.

Each `TO_…` names a shape for every viseme; each `FROM_…` the viseme for every shape, one of several where several were
joined. There and back and there again is as once there. ARKit has weights of 52 shapes: `core.arkit`.
"""

from types import MappingProxyType

import numpy as np

from phonoscope.core.visemes import VISEMES

CLOSURES = ("PP", "FF")  # the mouth shuts, or all but shuts: what viewers miss first

# Source: README of Rhubarb Lip Sync 1.13 (MIT), "Mouth shapes", and the shapes that its rules allow a phone. n and l
# both may be H there. B, which most consonants and "ee" share, comes back as its clenched teeth, E as in "off".
TO_RHUBARB = MappingProxyType({
    "sil": "X", "PP": "A", "FF": "G", "TH": "B", "DD": "B", "kk": "B", "CH": "B", "SS": "B", "nn": "H", "RR": "E",
    "aa": "D", "E": "C", "ih": "B", "oh": "E", "ou": "F",
})  # fmt: skip
FROM_RHUBARB = MappingProxyType({
    "X": "sil", "A": "PP", "B": "SS", "C": "E", "D": "aa", "E": "oh", "F": "ou", "G": "FF", "H": "nn",
})  # fmt: skip

# Source: the same README, `--datUsePrestonBlair`; so Moho, Papagayo and OpenToonz call the drawings of a mouth.
PRESTON_BLAIR = MappingProxyType({
    "A": "MBP", "B": "etc", "C": "E", "D": "AI", "E": "O", "F": "U", "G": "FV", "H": "L", "X": "rest",
})  # fmt: skip

# Source: Microsoft, SPVISEMES of SAPI 5, which the viseme ids of Azure's speech are. n goes with d and t, as there.
# What several share comes back as their nearest; 12, the breath of h, has its neighbours' shape.
TO_AZURE = MappingProxyType({
    "sil": 0, "PP": 21, "FF": 18, "TH": 17, "DD": 19, "kk": 20, "CH": 16, "SS": 15, "nn": 19, "RR": 13, "aa": 2,
    "E": 4, "ih": 6, "oh": 8, "ou": 7,
})  # fmt: skip
FROM_AZURE = MappingProxyType({
    0: "sil", 1: "aa", 2: "aa", 3: "oh", 4: "E", 5: "RR", 6: "ih", 7: "ou", 8: "oh", 9: "aa", 10: "oh", 11: "aa",
    12: "", 13: "RR", 14: "nn", 15: "SS", 16: "CH", 17: "TH", 18: "FF", 19: "DD", 20: "kk", 21: "PP",
})  # fmt: skip

# Source: ISO/IEC 14496-2, table of visemes (viseme_select), from which Oculus took its own: one to one, in this order.
TO_MPEG4 = MappingProxyType({name: number for number, name in enumerate(VISEMES)})
FROM_MPEG4 = MappingProxyType(dict(enumerate(VISEMES)))

# Source: VRMC_vrm 1.0, preset expressions for lip sync. Vowels are those of the same name, E is ee; that consonants
# open the mouth a little is our choice, as VRM has no shapes for them. PP, FF and silence are none: the mouth is shut.
VRM = ("aa", "ih", "ou", "ee", "oh")
TO_VRM = MappingProxyType({
    "sil": {}, "PP": {}, "FF": {}, "TH": {"aa": 0.2}, "DD": {"ih": 0.3}, "kk": {"aa": 0.2}, "CH": {"ou": 0.4},
    "SS": {"ih": 0.3}, "nn": {"ih": 0.3}, "RR": {"ou": 0.4}, "aa": {"aa": 1.0}, "E": {"ee": 1.0}, "ih": {"ih": 1.0},
    "oh": {"oh": 1.0}, "ou": {"ou": 1.0},
})  # fmt: skip
FROM_VRM = MappingProxyType({"aa": "aa", "ih": "ih", "ou": "ou", "ee": "E", "oh": "oh"})


def vrm_poses() -> np.ndarray:
    """What `TO_VRM` says as numbers, (15, 5) float64: a row a viseme, a column an expression of `VRM`."""
    return np.array([[TO_VRM[name].get(expression, 0.0) for expression in VRM] for name in VISEMES])
