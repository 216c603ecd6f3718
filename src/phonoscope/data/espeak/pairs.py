"""Labelled speech in a folder: a sound and a TextGrid a text and voice, a folder a voice."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from phonoscope.core.errors import UsageError
from phonoscope.corpora.alignments import write_alignment
from phonoscope.data.espeak.speaking import SAMPLE_RATE, SpeakParams, speak
from phonoscope.store.files import whole_file


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A sound that was written, and its TextGrid beside it."""

    wav: Path
    voice: str
    text: str
    duration_s: float


def texts_of(given: Sequence[str]) -> list[str]:
    """Texts, those of files a line each, empty lines left out.

    Raises:
        UsageError: there is nothing to say, or no such file.
    """
    found = []
    for it in given:
        path = Path(it)
        if path.suffix.lower() == ".txt" and len(it.split()) == 1 and not path.is_file():
            raise UsageError(f"there is no file '{it}': give a text, or a .txt file with a text a line")
        if len(it) < 1000 and path.is_file():  # no name of a file is longer
            found += [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
        else:
            found.append(it.strip())
    if not any(found):
        raise UsageError('there is nothing to say: give a text, "Hello, Bob.", or a .txt file with a text a line')
    return [text for text in found if text]


def speak_all(
    texts: Sequence[str], voices: Sequence[str], to: Path, p: SpeakParams | None = None, jobs: int = 1
) -> Iterator[Pair]:
    """Every text in every voice: `to/VOICE/0001.wav` and `0001.TextGrid`, 16 kHz, 16 bit, phones in IPA and words.

    The same texts give the same bytes; what stands there already is written anew.

    Raises:
        UsageError: as `speak`.
    """

    def made(item: tuple[str, int, str]) -> Pair:
        voice, number, text = item
        return _write(to / voice.replace("/", "-"), number, text, voice, p or SpeakParams())

    work = [(voice, number, text) for voice in voices for number, text in enumerate(texts, 1)]
    with ThreadPoolExecutor(jobs) as pool:
        try:
            yield from pool.map(made, work)
        finally:
            pool.shutdown(cancel_futures=True)  # one failed, or nobody listens any more: the rest is not begun


def _write(folder: Path, number: int, text: str, voice: str, p: SpeakParams) -> Pair:
    import soundfile

    audio, said = speak(text, voice, p)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{number:04}.wav"
    with whole_file(path) as part:
        soundfile.write(part, audio, SAMPLE_RATE, "PCM_16", format="WAV")
    write_alignment(replace(said, speaker=""), path.with_suffix(".TextGrid"))  # the folder says who speaks
    return Pair(wav=path, voice=voice, text=text, duration_s=said.duration_s)
