"""Stretches of speech that are to become clips: those that people accepted in a table of AnnoTheia, or all of them.

Source: https://github.com/joactr/AnnoTheia, whose columns these are.
"""

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

from phonoscope.core.errors import UsageError
from phonoscope.core.time import Span
from phonoscope.data.pack.annotheia import AnnotheiaParams
from phonoscope.data.pack.clips import TrackClip, clips_of
from phonoscope.data.pack.material import Material
from phonoscope.data.pack.speaking import probability, runs, scores_of, smoothed
from phonoscope.data.pack.whole import called

NEEDED = ("video", "sample_start", "sample_end", "speaker")  # `transcription` may lack; others are not looked at

_Texts = dict[tuple[int, Span], str]  # track and frames -> what is said


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it stands in the file."""

    line: int  # of the file, from 1, in which it begins
    video: str
    start: str  # s from the start of the film
    stop: str  # s
    speaker: str
    text: str

    @property
    def name(self) -> str:
        """What it is called where it is told of."""
        return f"line {self.line}"

    def stretch(self, fps: Fraction) -> tuple[int, Span]:
        """The track, and the frames whose edges are nearest to the row's times.

        Raises:
            UsageError: a cell is no number, or no frame lies between the times.
        """
        track = _number("speaker", self.speaker)
        if track.denominator != 1:
            raise UsageError(f"speaker must be the number of a track, got '{self.speaker}'")
        start, stop = round(_number("sample_start", self.start) * fps), round(_number("sample_end", self.stop) * fps)
        if not 0 <= start < stop:
            raise UsageError(f"no frame lies between {self.start} and {self.stop} s")
        return int(track), Span(start, stop)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece of a track that is wanted."""

    name: str  # of its files
    clip: TrackClip
    text: str  # what is said


def read_rows(path: Path) -> tuple[Row, ...]:
    """The rows of a table of AnnoTheia, or of the `_annotated.csv` or `_saved.csv` that its window makes of one.

    Columns go by their names: one too many, such as an index, or one too few, such as `scene_path`, does no harm.

    Raises:
        UsageError: there is no such file, or it is no such table.
    """
    if not path.is_file():
        raise UsageError(
            f"there is no file '{path}' with rows: `phonoscope pack STORE --as annotheia` writes scenes.csv"
        )
    about = path.stat()
    return _read(path.resolve(), about.st_mtime_ns, about.st_size)


@lru_cache(maxsize=1)
def _read(path: Path, _changed: int, _bytes: int) -> tuple[Row, ...]:
    """Read once for all recordings, and again only if the file has changed."""
    rows = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.DictReader(file)
            if lacking := [name for name in NEEDED if name not in (table.fieldnames or ())]:
                raise UsageError(f"'{path}' is no table of AnnoTheia: it has no column {', '.join(lacking)}")
            line = table.line_num + 1
            for cells in table:
                rows.append(Row(line, *(cells.get(name) or "" for name in (*NEEDED, "transcription"))))
                line = table.line_num + 1
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"'{path}' cannot be read: {' '.join(str(error).split())}") from None
    return tuple(rows)


def wanted(
    material: Material, clips: Sequence[TrackClip], rows: Path | None
) -> tuple[list[Stretch], Mapping[str, str]]:
    """What is wanted of a recording, by time, and which rows cannot be had, with the reason.

    Args:
        clips: the pieces of tracks in which stretches may lie.
        rows: a table; None: every stretch of which the layout `annotheia` has a row.

    Raises:
        UsageError: there are no fresh scores and no rows, or two stretches have one name.
    """
    recording = material.recording
    texts, unmet = _spoken(material, clips) if rows is None else _accepted(material, clips, rows)
    order = sorted(texts, key=lambda it: (it[1], it[0]))
    names = names_of(called(material.stored), order, recording.fps)
    cut = clips_of(recording.id, material.stored.load("tracks"), order)
    return [Stretch(*it) for it in zip(names, cut, (texts[it] for it in order), strict=True)], unmet


def names_of(video: str, stretches: Sequence[tuple[int, Span]], fps: Fraction) -> list[str]:
    """`<video>_<start>_<stop>` in hundredths of a second; where several tracks have one name, `_<track>` follows.

    Raises:
        UsageError: two are still alike; it takes more than 100 frames a second.
    """
    times = [f"{video}_{round(100 * it.start / fps):07d}_{round(100 * it.stop / fps):07d}" for _, it in stretches]
    count = Counter(times)
    names = [f"{it}_{track}" if count[it] > 1 else it for it, (track, _) in zip(times, stretches, strict=True)]
    if twice := [name for name, times in Counter(names).items() if times > 1]:
        raise UsageError(f"several stretches would be called '{twice[0]}': take all but one of them out of the rows")
    return names


def _spoken(material: Material, clips: Sequence[TrackClip]) -> tuple[_Texts, dict[str, str]]:
    """The stretches of which the layout `annotheia` has a row, by its defaults; no words are known."""
    asd, its = material.stored.load("asd"), AnnotheiaParams()
    texts: _Texts = {}
    for clip in clips:
        shares = smoothed(probability(scores_of(asd, clip)), its.smoothing)
        speaks = runs(shares > its.threshold, clip.span.start)
        texts |= {(clip.track.id, span): "" for span in speaks if len(span) >= its.min_length}
    return texts, {}


def _accepted(material: Material, clips: Sequence[TrackClip], rows: Path) -> tuple[_Texts, dict[str, str]]:
    """The stretches that rows name; of several rows of one, the last stands, as it was corrected last."""
    texts: _Texts = {}
    unmet: dict[str, str] = {}
    for row in read_rows(rows):
        if row.video not in (called(material.stored), material.recording.id):
            continue
        try:
            track, span = row.stretch(material.recording.fps)
            _check_covered(clips, track, span)
            texts[track, span] = row.text
        except UsageError as error:
            unmet[row.name] = str(error)
    return texts, unmet


def _check_covered(clips: Sequence[TrackClip], track: int, span: Span) -> None:
    """Nothing, if a stretch lies in a clip of its track.

    Raises:
        UsageError: it does not.
    """
    mine = [clip.span for clip in clips if clip.track.id == track]
    if not any(it & span == span for it in mine):
        has = f"has frames {', '.join(f'[{it.start}, {it.stop})' for it in mine)}" if mine else "is not there"
        raise UsageError(f"asked for frames [{span.start}, {span.stop}) of track {track}, which {has}")


def _number(name: str, cell: str) -> Fraction:
    try:
        return Fraction(cell)
    except (ValueError, ZeroDivisionError):
        raise UsageError(f"{name} must be a number, got '{cell}'") from None
