"""Asterisk's prompts, which professionals have read and whose texts are known, with what is said when."""

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import soundfile

from bench.viseme_recipe.aligning import aligned
from phonoscope.core.errors import UsageError
from phonoscope.core.phones import Alignment, viseme_of_ipa, viseme_rows
from phonoscope.core.visemes import SILENCE, VISEMES
from phonoscope.corpora.alignments import write_alignment
from phonoscope.data.espeak import speak
from phonoscope.data.viseme_text import align
from phonoscope.models.protocols import VisemeScorer

ENGLISH = "en_US_f_Allison"
OTHERS = {  # language: folder of the sounds, espeak's voice
    "es": ("es_MX_f_Allison", "es-419"), "fr": ("fr_CA_f_June", "fr-fr"), "it": ("it_IT_m_Carlo", "it"),
    "ru": ("ru_RU_f_IvrvoiceRU", "ru"),
}  # fmt: skip
SOUNDS = Path("/usr/share/asterisk/sounds")
TEXTS = "/usr/share/doc/asterisk-core-sounds-{0}/core-sounds-{0}.txt.gz"
SHORTEST_S, LONGEST_S = 0.4, 25
AGREED = 0.45  # share of the rows that a network must hear as the text wants them
PHONES = ("SIL", "P", "F", "TH", "T", "K", "CH", "S", "N", "R", "AA", "EH", "IY", "AO", "UW")
SPOKEN_AS = dict(zip(VISEMES, PHONES, strict=True))  # a phone of each
NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def in_english(into: Path) -> None:
    """Those that Allison Smith reads, by pocketsphinx' forced alignment."""
    for name, text in texts("en", ENGLISH):
        spelled = re.sub(r"\d+", lambda number: f" {_read(number[0])} ", text)
        audio = _sound(SOUNDS / ENGLISH / f"{name}.g722")
        if said := aligned(audio, spelled):
            keep(into / "allison_en" / name.replace("/", "_"), audio, said, ".lab")


def in_others(into: Path, scorer: VisemeScorer) -> None:
    """The same in four languages: espeak-ng says with which phones, and a network that is there already when."""
    for language, (folder, voice) in OTHERS.items():
        for name, text in texts(language, folder):
            audio = _sound(SOUNDS / folder / f"{name}.g722")
            fits = SHORTEST_S < len(audio) / 16000 < LONGEST_S
            if fits and (said := _forced(audio, text, voice, scorer)):
                keep(into / f"people_asterisk_{language}" / name.replace("/", "_"), audio, said, ".lab")


def texts(language: str, folder: str) -> Iterator[tuple[str, str]]:
    """Names and texts of the prompts that are speech."""
    with gzip.open(TEXTS.format(language), "rt", encoding="utf-8") as file:
        pairs = [line.split(":", 1) for line in file if ":" in line and not line.startswith(";")]
    for name, text in ((name.strip(), text.strip()) for name, text in pairs):
        if (SOUNDS / folder / f"{name}.g722").exists() and len(text) > 2 and not re.search(r"[\[(<]", text):
            yield name, text


def keep(path: Path, audio: np.ndarray, said: Alignment, suffix: str) -> None:
    """Write a sound (N,) at 16 kHz, and beside it what is said."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(f"{path}.wav", audio, 16000)
    write_alignment(said, Path(f"{path}{suffix}"))


def _forced(audio: np.ndarray, text: str, voice: str, scorer: VisemeScorer) -> Alignment | None:
    """The visemes of a text in a sound, as phones of ARPABET; None if it does not sound like it."""
    rows, (_, said) = scorer(audio), speak(text, voice)
    words, ways = [], []
    for word in said.words:
        inside = [it.text for it in said.phones if word.start_s - 1e-6 <= it.start_s < word.stop_s - 1e-6]
        visemes = [it for it in map(viseme_of_ipa, inside) if it != SILENCE]
        if visemes:
            words.append(word.text)
            ways.append([tuple("HH" if it < 0 else SPOKEN_AS[VISEMES[it]] for it in visemes)])
    try:
        found = align(rows, words, ways)
    except UsageError:  # too short for all of it
        return None
    truth = viseme_rows(found, len(rows))
    return found if (rows.argmax(1) == truth)[truth >= 0].mean() >= AGREED else None


def _read(number: str) -> str:
    value = int(number)
    return NUMBERS[value] if value < len(NUMBERS) else " ".join(NUMBERS[int(it)] for it in number)


def _sound(path: Path) -> np.ndarray:
    with av.open(str(path), format="g722") as file:
        resampler = av.AudioResampler("flt", "mono", 16000)
        blocks = [it for frame in file.decode(audio=0) for it in resampler.resample(frame)] + resampler.resample(None)
    return np.concatenate([it.to_ndarray()[0] for it in blocks])
