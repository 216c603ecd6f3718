"""Looks: proportions and colours of a person, drawn from a seed."""

from dataclasses import dataclass

import numpy as np

from phonoscope.testing.puppet.shapes import Colour

HAIRCUTS = ("short", "parted", "bob", "long", "bun", "curly", "bald")

_SKINS: tuple[Colour, ...] = (
    (0.96, 0.81, 0.71), (0.93, 0.75, 0.63), (0.88, 0.69, 0.55), (0.80, 0.60, 0.46),
    (0.69, 0.49, 0.37), (0.57, 0.39, 0.29), (0.47, 0.32, 0.24),
)  # fmt: skip
_HAIRS: tuple[Colour, ...] = (
    (0.13, 0.10, 0.10),
    (0.24, 0.15, 0.11),
    (0.38, 0.24, 0.15),
    (0.55, 0.33, 0.18),
    (0.76, 0.58, 0.33),
)
_GREYS: tuple[Colour, ...] = ((0.62, 0.61, 0.60), (0.80, 0.79, 0.77))
_EYES: tuple[Colour, ...] = ((0.25, 0.16, 0.10), (0.33, 0.22, 0.12), (0.27, 0.40, 0.45), (0.30, 0.42, 0.28))
_SHIRTS: tuple[Colour, ...] = (
    (0.16, 0.36, 0.42), (0.74, 0.36, 0.27), (0.88, 0.68, 0.32), (0.35, 0.31, 0.47), (0.33, 0.47, 0.36),
    (0.86, 0.82, 0.74), (0.22, 0.26, 0.36), (0.61, 0.31, 0.38),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a person looks like; lengths are relative to the average face (1)."""

    skin: Colour
    hair: Colour
    eyes: Colour
    shirt: Colour
    haircut: str  # one of HAIRCUTS
    age: float  # 0 young … 1 old: grey hair, lines, smaller eyes
    jaw: float  # width of the jaw
    length: float  # of the lower face
    eye_size: float
    mouth_width: float
    nose_width: float
    brow: float  # thickness
    glasses: bool
    beard: bool
    collar: bool

    @property
    def lips(self) -> Colour:
        """Skin, redder and darker."""
        return mix(self.skin, (0.66, 0.20, 0.22), 0.42)

    @property
    def shade(self) -> Colour:
        """Skin in shadow."""
        return mix(tuple(np.array(self.skin) ** 1.5), (0.45, 0.16, 0.16), 0.22)

    @property
    def light(self) -> Colour:
        """Skin in light."""
        return mix(self.skin, (1.0, 0.97, 0.90), 0.45)


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """Colour `a` with a share (0…1) of `b`."""
    red, green, blue = ((1 - share) * p + share * q for p, q in zip(a, b, strict=True))
    return (red, green, blue)


def look(seed: int) -> Look:
    """The look of person number `seed`; neighbours in number differ in hair, skin and shirt."""
    rng = np.random.default_rng([seed, 0x100C])
    age = float(rng.uniform(0, 1))
    haircut = HAIRCUTS[(seed * 3 + int(rng.integers(2))) % len(HAIRCUTS)]
    hairs = _GREYS if age > 0.8 else _HAIRS
    skin = _SKINS[(seed * 3 + int(rng.integers(2))) % len(_SKINS)]
    dark = skin[0] < 0.75  # the palette keeps to hair that goes with the skin
    low_voiced = seed % 2 == 0  # as is the voice of the same seed
    return Look(
        skin=skin,
        hair=hairs[int(rng.integers(2 if dark else len(hairs)))],
        eyes=_EYES[int(rng.integers(2 if dark else len(_EYES)))],
        shirt=_SHIRTS[(seed * 5 + int(rng.integers(2))) % len(_SHIRTS)],
        haircut=haircut,
        age=age,
        jaw=float(rng.uniform(0.92, 1.06)),
        length=float(rng.uniform(0.94, 1.05)),
        eye_size=float(rng.uniform(1.0, 1.16) - 0.08 * age),
        mouth_width=float(rng.uniform(0.95, 1.12)),
        nose_width=float(rng.uniform(0.88, 1.12)),
        brow=float(rng.uniform(0.8, 1.3)),
        glasses=bool(rng.uniform() < 0.22),
        beard=low_voiced and haircut in ("short", "bald", "parted") and bool(rng.uniform() < 0.7),
        collar=bool(rng.uniform() < 0.5),
    )
