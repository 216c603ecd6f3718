"""From a sound to a track of visemes and the files of it, one sound at a time."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path

from phonoscope.core.errors import UsageError, readable
from phonoscope.core.phones import Alignment
from phonoscope.core.visemes import VisemeTrack, track_of
from phonoscope.data.pronouncing import installed_dictionary, pronounced, read_dictionary, words_of
from phonoscope.data.viseme_formats import FORMATS
from phonoscope.data.viseme_formats.textgrid import WHAT as TEXTGRID
from phonoscope.data.viseme_sounds import Sound, scores_of
from phonoscope.data.viseme_text import Ways, align, forced, text_grid
from phonoscope.data.viseme_tracks import VisemeTrackParams, shaped
from phonoscope.models.protocols import VisemeScorer
from phonoscope.models.registry import choose, load
from phonoscope.store.files import whole_file

LOG = logging.getLogger("phonoscope")
LONGEST_NAME = 1000  # characters; a text may have more, a path has not
NAMED = 8  # unknown words that are named; of more, how many there are


@dataclass(frozen=True, slots=True, eq=False)
class Spoken:
    """What a sound says, as shapes of the mouth."""

    sound: Sound
    track: VisemeTrack
    said: Alignment | None = None  # words and phones, if their text was given

    def text(self, name: str, fps: Fraction | None = None) -> str:
        """The file of a format by its name in `FORMATS`."""
        if name == TEXTGRID and self.said:
            return text_grid(self.track, self.said)
        source = self.sound.stored.recording.source if self.sound.stored else self.sound.path.name
        return FORMATS[name].write(self.track, readable(source), fps)


@dataclass(frozen=True)
class Visemes:
    """Turns sounds into visemes; what it needs for that is loaded when it is first needed."""

    params: VisemeTrackParams = VisemeTrackParams()  # noqa: RUF009 - frozen
    model: str = "auto"  # a viseme scorer by name
    words: Sequence[str] = ()  # that are said; none: nobody knows
    ways: Sequence[Ways] = ()  # in which each of them may be pronounced

    @cached_property
    def scorer(self) -> VisemeScorer:
        """What listens."""
        return load(choose("viseme_scorer", self.model))

    def of(self, sound: Sound, on_heard: Callable[[float], object] = lambda _: None) -> Spoken:
        """The visemes of a sound.

        Args:
            on_heard: is told how much has been heard, s.

        Raises:
            RecordingFailed: there is no sound, or it cannot be read.
            UsageError: the text does not fit.
        """
        rows = scores_of(sound, self.model, lambda: self.scorer, on_heard)
        if not self.words:
            return Spoken(sound, shaped(rows, self.params))
        said = align(rows, self.words, self.ways)
        return Spoken(sound, shaped(forced(rows, said), self.params), said)


def write_visemes(spoken: Spoken, files: Mapping[str, Path], fps: Fraction | None = None) -> None:
    """Write files of a sound, each by its format and whole."""
    for name, path in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as part:
            part.write_text(spoken.text(name, fps), encoding="utf-8", newline="\n")


def visemes_of(text: str, dictionary: Path | None, params: VisemeTrackParams, model: str = "auto") -> Visemes:
    """What turns sounds into visemes that say a text, if there is one; words that nobody knows are told in one line.

    Args:
        text: words, or the path of a file with them.
        dictionary: how they are pronounced; None: as CMU's dictionary has it, if that is installed.

    Raises:
        UsageError: there is no dictionary, or it has none of these words.
    """
    if not text:
        return Visemes(params, model)
    words = words_of(_read(text))
    if not words:
        raise UsageError("--text has no words: give the words that are said, or a file with them")
    ways = pronounced(words, read_dictionary(dictionary) if dictionary else installed_dictionary())
    unknown = list(dict.fromkeys(word for word, known in zip(words, ways, strict=True) if not known))
    more = f" and {len(unknown) - NAMED} more" if len(unknown) > NAMED else ""
    named = ", ".join(unknown[:NAMED]) + more
    if not any(ways):
        raise UsageError(f"the dictionary knows no word of the text: {named}; is it English?")
    if unknown:
        LOG.warning("not in the dictionary, shown as they are heard: %s; give a --dictionary that has them", named)
    return Visemes(params, model, words, ways)


def _read(text: str) -> str:
    """The text itself, or that of the file which it names."""
    try:
        if len(text) < LONGEST_NAME and Path(text).is_file():
            return Path(text).read_text(encoding="utf-8-sig")
        if text.lower().endswith(".txt") and len(text.split()) == 1:
            raise UsageError(f"there is no file '{text}': give --text the words that are said, or a file with them")
        return text
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--text '{text}' cannot be read as UTF-8: {error}") from None


def check_formats(names: Sequence[str], fps: Fraction | None) -> None:
    """Nothing, if tracks can be written so.

    Raises:
        UsageError: there is no such format, or it is not made for so many frames a second.
    """
    for name in names:
        if name not in FORMATS:
            raise UsageError(f"no format '{name}' of visemes; there are {', '.join(FORMATS)}")
        FORMATS[name].write(track_of([0]), "sound", fps)


def files_of(sound: Sound, names: Sequence[str], to: Path) -> dict[str, Path]:
    """Where the files of a sound lie, by their formats."""
    return {name: to / f"{sound.name}{FORMATS[name].suffix}" for name in names}
