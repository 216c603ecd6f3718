"""Visemes: the fifteen shapes of the mouth that are told apart, and tracks of them.

They are those of Oculus' lip sync, by its names and in its order; other sets are views of these (`core.viseme_maps`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

VISEMES = ("sil", "PP", "FF", "TH", "DD", "kk", "CH", "SS", "nn", "RR", "aa", "E", "ih", "oh", "ou")
SILENCE = VISEMES.index("sil")
NOT_SCORED = -1  # in labels: a sound whose shape is that of its neighbours, such as h
RATE = Fraction(100)  # rows a second of every track

_SOUNDS = {
    "sil": "SIL SP SPN <SIL> <S> </S> PAU", "PP": "P B M", "FF": "F V", "TH": "TH DH", "DD": "T D DX", "kk": "K G NG",
    "CH": "CH JH SH ZH", "SS": "S Z", "nn": "N L", "RR": "R ER", "aa": "AA AH AE AY AW AX", "E": "EH EY",
    "ih": "IH IY Y IX", "oh": "AO OY OH", "ou": "UW UH W UX",
}  # fmt: skip
ARPABET = {sound: VISEMES.index(name) for name, sounds in _SOUNDS.items() for sound in sounds.split()}
ARPABET |= {"OW": VISEMES.index("oh"), "HH": NOT_SCORED, "HV": NOT_SCORED, "AXR": VISEMES.index("RR")}


def of_arpabet(phone: str) -> int:
    """The viseme of an ARPABET phone, "AH0" or "ah", as its number; NOT_SCORED for the breath of h.

    Raises:
        KeyError: it is none.
    """
    return ARPABET[phone.upper().rstrip("012")]


@dataclass(frozen=True, slots=True, eq=False)
class VisemeTrack:
    """Which viseme is shown when: cues without gaps, each followed by another one."""

    edges: np.ndarray  # (N + 1,) int64 rows: cue n lasts from edges[n] to edges[n + 1]; the first is 0
    values: np.ndarray  # (N,) int8, numbers in VISEMES; neighbours differ
    rate: Fraction = RATE  # rows a second
    weights: np.ndarray | None = None  # (edges[-1], 15) float32 in [0, 1]: how much of each is shown; None: all or none

    def __post_init__(self) -> None:
        edges, values = self.edges, self.values
        if len(edges) != len(values) + 1 or edges[0] != 0 or (np.diff(edges) <= 0).any():
            raise ValueError(f"expected {len(values) + 1} edges that rise from 0, got {edges.tolist()}")
        if (np.diff(values) == 0).any() or not np.isin(values, range(len(VISEMES))).all():
            raise ValueError("expected numbers of visemes, each another one than the one before")
        if self.weights is not None and self.weights.shape != (self.rows, len(VISEMES)):
            raise ValueError(f"expected weights ({self.rows}, {len(VISEMES)}), got {self.weights.shape}")

    @property
    def rows(self) -> int:
        """How many rows it lasts."""
        return int(self.edges[-1])

    def per_row(self) -> np.ndarray:
        """The number of the viseme of each row, (rows,) int8."""
        return np.repeat(self.values, np.diff(self.edges))


def track_of(rows: Sequence[int] | np.ndarray, rate: Fraction = RATE, weights: np.ndarray | None = None) -> VisemeTrack:
    """A track of the number of each row's viseme, (T,)."""
    rows = np.asarray(rows, np.int8)
    begins = np.flatnonzero(np.diff(rows, prepend=-2)) if len(rows) else np.zeros(0, np.int64)
    return VisemeTrack(np.append(begins, len(rows)).astype(np.int64), rows[begins], rate, weights)
