"""All formats by name, and how any of them is written and read."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from phonoscope.core.errors import UsageError
from phonoscope.core.visemes import VisemeTrack
from phonoscope.data.viseme_formats import (
    arkit_csv,
    azure_json,
    moho_dat,
    oculus_json,
    rhubarb_json,
    rhubarb_tsv,
    rhubarb_xml,
    srt,
    textgrid,
    vrm_json,
)

MOST_FPS = 1000  # more is a slip: no curve moves so fast


@dataclass(frozen=True, slots=True, kw_only=True)
class VisemeFormat:
    """One kind of file that holds a track of visemes."""

    suffix: str  # of its files, after the sound's name
    writer: Callable[..., str]
    reader: Callable[..., VisemeTrack]
    fps: Fraction | None = None  # frames a second unless told otherwise; None: it knows no frames
    tells_fps: bool = False  # how many they are stands in it
    names_sound: bool = False  # the sound's name stands in it

    def write(self, track: VisemeTrack, sound: str = "", fps: Fraction | None = None) -> str:
        """The text of a file; the sound's name and frames are passed over where the format has none.

        Raises:
            UsageError: frames that the format is not made for.
        """
        return self.writer(track, **({"sound": sound} if self.names_sound else {}), **self._frames(fps))

    def read(self, text: str, fps: Fraction | None = None) -> VisemeTrack:
        """The track of a file's text; frames are passed over where the format has none, or says itself how many.

        Raises:
            UsageError: it is of another format, or broken.
        """
        return self.reader(text, **({} if self.tells_fps else self._frames(fps)))

    def _frames(self, fps: Fraction | None) -> dict[str, Fraction]:
        if fps is not None and not 0 < fps <= MOST_FPS:
            raise UsageError(f"frames a second must be more than 0 and at most {MOST_FPS}, got {fps}")
        return {} if self.fps is None else {"fps": self.fps if fps is None else fps}


FORMATS = {
    oculus_json.WHAT: VisemeFormat(suffix=".oculus.json", writer=oculus_json.write, reader=oculus_json.read),
    rhubarb_tsv.WHAT: VisemeFormat(suffix=".rhubarb.tsv", writer=rhubarb_tsv.write, reader=rhubarb_tsv.read),
    rhubarb_json.WHAT: VisemeFormat(
        suffix=".rhubarb.json", writer=rhubarb_json.write, reader=rhubarb_json.read, names_sound=True
    ),
    rhubarb_xml.WHAT: VisemeFormat(
        suffix=".rhubarb.xml", writer=rhubarb_xml.write, reader=rhubarb_xml.read, names_sound=True
    ),
    moho_dat.WHAT: VisemeFormat(suffix=".dat", writer=moho_dat.write, reader=moho_dat.read, fps=moho_dat.FPS),
    azure_json.WHAT: VisemeFormat(suffix=".azure.json", writer=azure_json.write, reader=azure_json.read),
    arkit_csv.WHAT: VisemeFormat(suffix=".arkit.csv", writer=arkit_csv.write, reader=arkit_csv.read, fps=arkit_csv.FPS),
    vrm_json.WHAT: VisemeFormat(
        suffix=".vrm.json", writer=vrm_json.write, reader=vrm_json.read, fps=vrm_json.FPS, tells_fps=True
    ),
    textgrid.WHAT: VisemeFormat(suffix=".TextGrid", writer=textgrid.write, reader=textgrid.read),
    srt.WHAT: VisemeFormat(suffix=".srt", writer=srt.write, reader=srt.read),
}


def read_visemes(path: Path | str, name: str, fps: Fraction | None = None) -> VisemeTrack:
    """The track of a file of the format of that name in `FORMATS`.

    Raises:
        UsageError: there is no such format, or the file cannot be read as one.
    """
    if name not in FORMATS:
        raise UsageError(f"there is no format '{name}'; there are {', '.join(FORMATS)}")
    try:
        return FORMATS[name].read(Path(path).read_text(encoding="utf-8-sig"), fps)
    except (OSError, UnicodeDecodeError, UsageError) as error:
        raise UsageError(f"cannot read visemes from '{path}': {error}") from None
