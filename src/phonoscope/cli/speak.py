"""`phonoscope speak`: texts as speech of which every phone is known."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from phonoscope.cli.options import parse
from phonoscope.core.errors import UsageError
from phonoscope.data import espeak as api
from phonoscope.report.wording import amount, count


@dataclass(frozen=True, kw_only=True)
class Speak:
    """Speech with exact truth: texts spoken in many voices and languages, with the times of every phone and word.

    phonoscope speak "Hello, Bob." --to spoken                              spoken/en-us/0001.wav, 0001.TextGrid
    phonoscope speak lines.txt --to spoken --voice en-us --voice en-us+f3   a text a line, each in both voices
    phonoscope speak zeilen.txt --to spoken --voice de --rate 140           another language, a little slower
    phonoscope speak --voices                                               the languages and variants there are

    Sounds are 16 kHz, 16 bit; the TextGrids hold the tiers phones (IPA) and words. The same command makes the same
    bytes. Spoken by espeak-ng, free software under the GPL-3, which must be installed (apt install espeak-ng, brew
    install espeak-ng, or pip install espeakng-loader) and is no part of phonoscope.
    """

    texts: Positional[tuple[str, ...]] = ()  # texts, or .txt files with a text a line
    to: Path | None = None  # folder for the sounds; each voice has one of its own in it
    voice: tuple[str, ...] = ("en-us",)  # a language, or a variant of it as en-us+f3; may be repeated
    speech: Annotated[api.SpeakParams, arg(name="")] = api.SpeakParams()  # noqa: RUF009 - frozen
    jobs: Annotated[int, arg(aliases=["-j"])] = 1  # sounds made at a time
    voices: bool = False  # name the languages and variants that there are, and do nothing else


def main(arguments: Sequence[str]) -> int:
    """Run the verb."""
    options, _ = parse(Speak, arguments, with_params=False)
    if options.voices:
        there = api.voices()
        print("\n".join(f"{code:12} {name}" for code, name in there.languages))
        print(f"variants, as in en-us+f3: {', '.join(there.variants)}")
        return 0
    texts = api.texts_of(options.texts)
    if options.to is None:
        raise UsageError("say with --to in which folder the sounds are to lie")
    if options.jobs < 1:
        raise UsageError(f"--jobs is at least 1, got {options.jobs}")
    made = api.speak_all(texts, options.voice, options.to, options.speech, options.jobs)
    for voice, pairs in groupby(made, key=lambda pair: pair.voice):
        lasts = [pair.duration_s for pair in pairs]
        print(f"{voice}: {count(len(lasts), 'sound')}, {amount(sum(lasts))}, in {options.to}", flush=True)
    return 0
