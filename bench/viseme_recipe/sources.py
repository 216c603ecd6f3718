"""Synthetic speech to learn from, of synthesisers that tell their segments: folders of `a.wav` with times beside it.

Chance is drawn from fixed seeds.
"""

import random
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from bench.viseme_recipe import prompts
from bench.viseme_recipe.aligning import model
from phonoscope.data.espeak import SpeakParams, speak, voices

SOURCES = {
    "flite": "voices kal, awb, rms, slt of flite 2.2: CMU's licence, BSD-like",
    "festival": "voices kal_diphone, ked_diphone (CMU and Edinburgh: free), cmu_us_slt_arctic_hts (BSD-like)",
    "espeak": "voices of espeak-ng, GPL-3.0: called, none of it kept",
    "asterisk": "prompts, CC-BY-SA-3.0: Allison Smith (en, es), June Wallack (fr), an Italian; ivrvoice.ru, CC-BY-3.0",
}
FLITE = {"awb": (700, 120), "rms": (700, 100), "slt": (700, 175), "kal16": (400, 105)}  # sentences; Hz, mean pitch
FESTIVAL = {"kal_diphone": 250, "ked_diphone": 350, "cmu_us_slt_arctic_hts": 200}  # sentences
ESPEAK = {"en-us": 220, "en-gb": 140, "en-gb-scotland": 60, "es-419": 60, "fr-fr": 60, "it": 60, "ru": 60}
PROSE = ("/usr/share/common-licenses", "/usr/share/perl", "/usr/share/doc")  # where there are sentences in English
STRIDE = 7919  # from one sentence to the next that is spoken


def sentences() -> list[str]:
    """Sentences of 5 to 18 words that the dictionary has, in an order by lot, out of this machine's documents."""
    with (model() / "cmudict-en-us.dict").open(encoding="utf-8") as file:
        known = {line.split()[0].split("(")[0] for line in file}
    found: dict[str, None] = {}
    for path in sorted(it for root in PROSE for it in Path(root).rglob("*") if it.is_file() and it.suffix != ".gz"):
        text = re.sub(r"\n\s*(#|//|\*)?\s*", " ", path.read_bytes()[:400_000].decode(errors="ignore"))
        for sentence in re.findall(r"[A-Z][a-z' ,;A-Za-z-]{25,110}[a-z][.?!]", text):
            words = re.sub(r"[^a-z' ]", " ", sentence.lower()).split()
            varied = len(set(words)) > 0.7 * len(words) and all(len(it) > 1 or it in "ai" for it in words)
            if 5 <= len(words) <= 18 and varied and known.issuperset(words):
                found[" ".join(words)] = None
    made = list(found)
    random.Random(0).shuffle(made)
    return made


def flite(into: Path, prose: Sequence[str]) -> None:
    """Four voices, faster and slower, higher and lower."""
    for which, (voice, (count, pitch_hz)) in enumerate(FLITE.items()):
        folder = _made(into / f"flite_{voice}")
        for at in range(count):
            place = 1000 * which + at
            chance = random.Random(place)
            asked = {"duration_stretch": chance.uniform(0.7, 1.25)}
            asked["int_f0_target_mean"] = pitch_hz * chance.uniform(0.8, 1.3)
            told = [part for name, value in asked.items() for part in ("--setf", f"{name}={value:.2f}")]
            sound = folder / f"{at:04d}.wav"
            command = ["flite", "-voice", voice, *told, "-psdur", "-t", prose[place * STRIDE % len(prose)], "-o", sound]
            said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            ends = [part.rsplit(":", 1) for part in said.split()]  # "hh:0.212", and so on
            starts = ["0", *(end for _, end in ends)]
            lines = (f"{_units(a)} {_units(b)} {name}\n" for a, (name, b) in zip(starts, ends, strict=False))
            sound.with_suffix(".lab").write_text("".join(lines))


def festival(into: Path, prose: Sequence[str]) -> None:
    """Three voices, with the segments that Festival saves."""
    place = 5000
    for voice, count in FESTIVAL.items():
        folder, lines = _made(into / f"fest_{voice}"), [f"(voice_{voice})"]
        for at in range(count):
            stretch = random.Random(place).uniform(0.75, 1.2)
            place += 1
            lines += [
                f"(Parameter.set 'Duration_Stretch {stretch:.2f})",
                f'(set! u (utt.synth (Utterance Text "{prose[place * STRIDE % len(prose)]}")))',
                f'(utt.save.wave u "{folder / f"{at:04d}.wav"}" \'riff)',
                f'(utt.save.segs u "{folder / f"{at:04d}.lab"}")',
            ]
        script = folder / "all.scm"
        script.write_text("\n".join(lines))
        subprocess.run(["festival", "-b", script], check=True, capture_output=True)


def espeak(into: Path, prose: Sequence[str]) -> None:
    """Variants of seven voices, each at a pace and a pitch of its own."""
    variants = [it for it in voices().variants if re.fullmatch(r"[fm]\d|[A-Z][a-z]+", it)]
    for voice, count in ESPEAK.items():
        others = prompts.texts(voice[:2], prompts.OTHERS[voice[:2]][0]) if voice[:2] in prompts.OTHERS else ()
        texts = [text for _, text in others if 25 < len(text) < 110] or prose
        for at in range(count):
            chance = random.Random(f"{voice}{at}")
            who, text = chance.choice(variants), chance.choice(texts)
            how = SpeakParams(rate=chance.randint(120, 210), pitch=chance.randint(25, 75), range=chance.randint(30, 70))
            audio, said = speak(text, f"{voice}+{who}", how)
            prompts.keep(into / f"espeak_{voice}" / f"{at:04d}", audio, said, ".TextGrid")


def _units(seconds: str) -> int:
    return round(float(seconds) * 10_000_000)  # HTK's


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
