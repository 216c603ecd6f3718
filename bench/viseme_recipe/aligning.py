"""Which phone is said when, of speech whose words are known: pocketsphinx' forced alignment."""

import re
from difflib import SequenceMatcher
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from phonoscope.core.phones import SILENT_PHONES, Alignment, Interval
from phonoscope.models.viseme_rows import SAMPLE_RATE

FRAME_S = 0.01
PADS = (1600, 3200, 800, 4800)  # samples of silence before and behind; the second pass fails by chance, another helps
GAINS = (1.0, 0.6)
BEAMS = ((1e-48, 7e-29), (1e-80, 1e-60), (1e-60, 1e-40), (1e-100, 1e-80))
LETTERS = re.compile(r"[^a-z'. ]")


@cache
def model() -> Path:
    """The folder of pocketsphinx' American English."""
    from pocketsphinx import get_model_path

    return Path(get_model_path()) / "en-us"


def decoder(**settings: Any) -> Any:
    """A decoder with that model, which says nothing."""
    from pocketsphinx import Decoder

    wanted = {"hmm": model() / "en-us", "dict": model() / "cmudict-en-us.dict", "lm": None, "cmn": "batch"} | settings
    told = {name: str(it) if isinstance(it, Path) else it for name, it in wanted.items()}
    return Decoder(**told, samprate=SAMPLE_RATE, loglevel="FATAL")


@cache
def _aligner(beam: int) -> Any:
    wide, words = BEAMS[beam]
    return decoder(beam=wide, wbeam=words, pbeam=wide)


def words_of(text: str) -> list[str]:
    """The words of a text as the dictionary writes them, as far as it has them."""
    found = []
    for word in LETTERS.sub(" ", text.lower().replace("’", "'")).split():
        spellings = (word, word.strip("."), word.strip("'."), word.replace(".", ""))
        known = next((it for it in spellings if _aligner(0).lookup_word(it)), word.strip("'."))
        found += [known] if known else []
    return found


def unknown(text: str) -> list[str]:
    """The words of a text that the dictionary does not have."""
    return [word for word in words_of(text) if not _aligner(0).lookup_word(word)]


def heard(audio: np.ndarray) -> bytes:
    """(N,) float32 as 16-bit samples, with the least noise there is: silence by numbers has no logarithm."""
    hiss = np.random.default_rng(0).normal(0, 2e-5, len(audio))
    return (np.clip(audio + hiss, -1, 1) * 32767).astype("<i2").tobytes()


def aligned(audio: np.ndarray, text: str, sounds: dict[str, str] | None = None) -> Alignment | None:
    """Phones of a text in a sound (N,) float32 at 16 kHz; None if they are not found in it.

    Args:
        sounds: phones of words that the dictionary does not have, "K R EY F IH SH".
    """
    words = words_of(text)
    for beam, gain, pad in product(range(len(BEAMS)), GAINS, PADS):
        aligner = _aligner(beam)
        for word in words:
            if not aligner.lookup_word(word):
                if word not in (sounds or {}):
                    return None
                aligner.add_word(word, (sounds or {})[word], True)
        try:
            phones = _forced(aligner, heard(np.pad(audio * gain, pad)), " ".join(words))
        except RuntimeError:
            continue
        ends, late = len(audio) / SAMPLE_RATE, pad / SAMPLE_RATE
        spans = ((max(0.0, a * FRAME_S - late), min(ends, b * FRAME_S - late), name) for a, b, name in phones)
        kept = (Interval(round(a, 6), round(b, 6), name) for a, b, name in spans if b > a)
        speaking = tuple(it for it in kept if it.text.lower() not in SILENT_PHONES)
        return Alignment(phones=speaking, duration_s=ends) if speaking else None
    return None


def _forced(aligner: Any, samples: bytes, text: str) -> list[tuple[int, int, str]]:
    """First frame, last frame + 1 and name of each phone.

    Raises:
        RuntimeError: the decoder does not come through.
    """
    aligner.set_align_text(text)
    _decode(aligner, samples)
    if aligner.hyp() is None:
        raise RuntimeError("the words are not found")
    aligner.set_alignment()
    _decode(aligner, samples)
    words = aligner.get_alignment().words()
    return [(it.start, it.start + it.duration, it.name) for word in words for it in word]


def _decode(decoding: Any, samples: bytes) -> None:
    decoding.start_utt()
    decoding.process_raw(samples, no_search=False, full_utt=True)
    decoding.end_utt()


@cache
def _free() -> Any:
    return decoder(lm=model() / "en-us.lm.bin")


def understood(audio: np.ndarray) -> str:
    """The words that pocketsphinx hears when nobody tells it any."""
    _decode(_free(), heard(audio))
    hypothesis = _free().hyp()
    return hypothesis.hypstr if hypothesis else ""


def alike(one: str, other: str, sounds: dict[str, str] | None = None) -> float:
    """How much of two texts sounds the same, 0 to 1, by the phones of their words."""
    first, second = (_phones(text, sounds or {}) for text in (one, other))
    same = SequenceMatcher(None, first, second, autojunk=False).get_matching_blocks()
    return 2 * sum(block.size for block in same) / max(1, len(first) + len(second))


def _phones(text: str, sounds: dict[str, str]) -> list[str]:
    known = (_aligner(0).lookup_word(word) or sounds.get(word, "") for word in words_of(text))
    return [phone for word in known for phone in word.split()]
