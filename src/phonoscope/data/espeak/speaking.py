"""Speech whose phones and words are known exactly, in a hundred languages: espeak-ng's, where it is installed."""

import json
import subprocess
import sys
from ctypes.util import find_library
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import soxr

from phonoscope.core.errors import UsageError
from phonoscope.core.phones import Alignment, Interval
from phonoscope.data.espeak.truth import aligned

SAMPLE_RATE = 16_000  # Hz, of what is made
WANTED = "apt install espeak-ng, brew install espeak-ng, or pip install espeakng-loader"
HOMEBREW = Path("/opt/homebrew/lib/libespeak-ng.dylib")  # where Python does not look by itself

_CHILD = Path(__file__).with_name("child.py")
_DRY = "\x01" + "1H"  # as little echo as there is: that of some variants fills the silence of p, t and k
_ECHO = 200  # the part of the loudest sample below which that echo stays


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeakParams:
    """How a voice speaks."""

    rate: int = 175  # words a minute, 80 to 450
    pitch: int = 50  # 0 to 99
    range: int = 50  # 0 to 99, how far the pitch moves
    silence: float = 0.2  # seconds, before and behind

    def __post_init__(self) -> None:
        for name, least, most in (("rate", 80, 450), ("pitch", 0, 99), ("range", 0, 99), ("silence", 0, 60)):
            if not least <= getattr(self, name) <= most:
                raise UsageError(f"{name} is {least} to {most}, got {getattr(self, name)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Voices:
    """What there is to speak with."""

    languages: tuple[tuple[str, str], ...]  # code and name: "en-us", "English (America)"
    variants: tuple[str, ...]  # of any language: "en-us+f3" is one


def speak(text: str, voice: str = "en-us", p: SpeakParams | None = None) -> tuple[np.ndarray, Alignment]:
    """A text as sound, (N,) float32 at 16 kHz, and which phone (IPA) and word is said when.

    The same text, voice and settings give the same sound, on one machine and version of espeak-ng. The library works in
    a process of its own: any number of threads may call this.

    Args:
        voice: a language, "de", or one of its variants, "en-us+f3"; `voices()` names them.

    Raises:
        UsageError: espeak-ng is not installed, it has no such voice, or the voice says nothing of the text.

    Source: espeak-ng (GPL-3.0), which is called where it is installed and is no part of phonoscope.
    """
    p = p or SpeakParams()
    text = "".join(sign if sign.isprintable() or not sign.isascii() else " " for sign in text)
    if not text.strip():
        raise UsageError("there is no text to speak")
    dry = _DRY if "+" in voice else ""
    answer, raw = _ask(text=dry + text, voice=voice, rate=p.rate, pitch=p.pitch, range=p.range)
    if "voices" in answer:
        near = get_close_matches(voice, [code for code, _, _ in answer["voices"]], n=3)
        raise UsageError(f"espeak-ng has no voice '{voice}'{'; it has ' + ', '.join(near) if near else ''}")
    sound = np.frombuffer(raw, np.int16)
    quiet = int(np.abs(sound.astype(np.int32)).max(initial=0)) // _ECHO if dry else 0
    events = [(sample, place - len(dry), name) for sample, place, name in answer["events"]]
    said = aligned(events, sound, answer["rate"], text, quiet)
    if not said.phones:
        raise UsageError(f"the voice '{voice}' says nothing of '{text.strip()[:40]}': is it written in another script?")
    audio = soxr.resample(sound.astype(np.float32) / 32768, answer["rate"], SAMPLE_RATE, "HQ")
    rest = np.zeros(round(p.silence * SAMPLE_RATE), np.float32)
    audio = np.clip(np.concatenate([rest, audio, rest]), -1, 1)
    return audio, replace(_later(said, len(rest) / SAMPLE_RATE), speaker=voice, duration_s=len(audio) / SAMPLE_RATE)


def voices() -> Voices:
    """The languages and the variants that espeak-ng has here.

    Raises:
        UsageError: it is not installed.
    """
    answer, _ = _ask()
    return Voices(
        languages=tuple(sorted({(code, name) for code, name, _ in answer["voices"]})),
        variants=tuple(sorted(Path(file).name for _, _, file in answer["variants"])),
    )


def _later(said: Alignment, by_s: float) -> Alignment:
    """The same a little later; times in whole microseconds, as text formats hold them."""

    def moved(tier: tuple[Interval, ...]) -> tuple[Interval, ...]:
        return tuple(Interval(round(it.start_s + by_s, 6), round(it.stop_s + by_s, 6), it.text) for it in tier)

    return replace(said, phones=moved(said.phones), words=moved(said.words))


def _ask(**request: Any) -> tuple[dict[str, Any], bytes]:
    """What the library answers in a process of its own, and the sound.

    Raises:
        UsageError: it is not installed, or fails.
    """
    library, data = _library()
    asked = json.dumps({"library": library, "data": data, **request}).encode()
    done = subprocess.run([sys.executable, "-I", "-S", _CHILD], input=asked, capture_output=True, check=False)
    words = done.stderr.decode(errors="replace").strip().splitlines()
    if done.returncode or any("dictionary file" in line for line in words):
        raise UsageError(f"espeak-ng failed: {words[-1] if words else f'it ended with {done.returncode}'}")
    answer, _, sound = done.stdout.partition(b"\n")
    return json.loads(answer), sound


@cache
def _library() -> tuple[str, str]:
    """The library, and the folder of its data; "" where it knows by itself.

    Raises:
        UsageError: it is not installed.
    """
    if find_spec("espeakng_loader"):
        import espeakng_loader  # type: ignore[import-not-found]

        return str(espeakng_loader.get_library_path()), str(Path(espeakng_loader.get_data_path()).parent)
    found = find_library("espeak-ng") or (str(HOMEBREW) if HOMEBREW.exists() else "")
    if not found:
        raise UsageError(f"espeak-ng is not installed; it is free software under the GPL-3: {WANTED}")
    return found, ""
