"""What others do: pocketsphinx' phone loop with the flat map, and with the timing of Rhubarb's rules.

Source of the rules, re-stated: DanielSWolf/rhubarb-lip-sync, rhubarb/src/animation/animationRules.cpp, MIT.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from bench.viseme_recipe.aligning import decoder, heard, model
from phonoscope.core.phones import NOISES, Alignment, Interval, viseme_rows
from phonoscope.core.visemes import RATE, VISEMES
from phonoscope.data.viseme_tracks import filled
from phonoscope.models.viseme_rows import ROW

STOPS = ("P", "B", "T", "D", "K", "G")  # their shape is there before the burst, for half of the phone before,
CLOSED_S = (0.04, 0.12)  # s, at least and at most
GLIDES = {"EY": "IH", "AY": "IH", "OY": "IH", "OW": "UW", "AW": "UW"}  # where diphthongs end
FIRST = 0.6  # share of a diphthong that it begins with


def loop() -> Callable[[np.ndarray], Alignment]:
    """What gives the phones of (N,) float32 at 16 kHz: the settings of pocketsphinx' own documentation."""
    found: Any = decoder(dict=None, allphone=model() / "en-us-phone.lm.bin", lw=2.0, beam=1e-20, pbeam=1e-20)

    def phones(audio: np.ndarray) -> Alignment:
        found.start_utt()
        found.process_raw(heard(audio), no_search=False, full_utt=True)
        found.end_utt()
        spans = [(it.start_frame / 100, (it.end_frame + 1) / 100, it.word) for it in found.seg()]
        sounding = [Interval(*it) for it in spans if it[2] != "SIL" and it[2].lower() not in NOISES]
        return Alignment(phones=tuple(sounding), duration_s=len(audio) / 16000)

    return phones


def flat(phones: Alignment, audio: np.ndarray) -> np.ndarray:
    """Visemes (ceil(N / 160),) by the flat map; h has the shape of what follows."""
    return filled(viseme_rows(phones, -(-len(audio) // ROW)))


def timed(phones: Alignment, audio: np.ndarray) -> np.ndarray:
    """Visemes by the same map, diphthongs in two parts and stops ahead of their burst, as Rhubarb's rules have it."""
    rows = flat(phones, audio)
    before_s = 0.0
    for it in phones.phones:
        if it.text in GLIDES:
            rows[_row(it.start_s + FIRST * (it.stop_s - it.start_s)) : _row(it.stop_s)] = _viseme(GLIDES[it.text])
        if it.text in STOPS:
            ahead_s = float(np.clip(before_s / 2, *CLOSED_S))
            rows[_row(max(0.0, it.start_s - ahead_s)) : _row(it.start_s)] = _viseme(it.text)
        before_s = it.stop_s - it.start_s
    return rows


def _row(time_s: float) -> int:
    return round(time_s * float(RATE))


def _viseme(phone: str) -> int:
    return VISEMES.index({"IH": "ih", "UW": "ou", "P": "PP", "B": "PP", "T": "DD", "D": "DD"}.get(phone, "kk"))
