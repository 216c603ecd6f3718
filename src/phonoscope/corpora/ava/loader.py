"""The lists that TalkNet, LR-ASD and Light-ASD are trained from: a line a face, set apart by tabs, without a header."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from phonoscope.core.errors import UsageError
from phonoscope.corpora.ava.rows import AvaRows
from phonoscope.store.files import whole_file

NTSC = Fraction(1000, 1001)
USUAL = (25, 24, 30, 24 * NTSC, 30 * NTSC, 50, 60, 60 * NTSC, 48, 20, 15, 12, 10, 5)
WHOLE = range(1, 121)
_RATES = (*USUAL, *WHOLE, *(n * NTSC for n in WHOLE), *(Fraction(n, 2) for n in WHOLE))
RATES = tuple(dict.fromkeys(Fraction(rate) for rate in _RATES))  # the usual ones first
ROUNDING_S = 0.0051  # AVA's times are rounded to hundredths
ALIKE_S = 0.0005  # rates whose grids fit equally well; the more usual is meant


@dataclass(frozen=True, eq=False)
class LoaderClip:
    """One line: a face from its first row to its last."""

    entity: str
    fps: Fraction  # of its video
    labels: np.ndarray  # (T,) int8: 1 SPEAKING_AUDIBLE, 0 anything else
    index: int  # no meaning but to order clips of the same length

    def __len__(self) -> int:
        return len(self.labels)


def write_loader(path: Path | str, rows: AvaRows, fps_of: Mapping[str, Fraction] | None = None) -> None:
    """The list of all faces of `rows`, sorted by name, whole or not at all: entity, frames, fps, [labels], index.

    Frames are the rows of a face, in order of time; SPEAKING_NOT_AUDIBLE is 0. The index counts from 0.

    Args:
        fps_of: frames a second, by video; worked out from the time stamps of those that it does not name.

    Raises:
        UsageError: a name holds a tab or line break, or a video's time stamps lie on no frame grid.
    """
    known = dict(fps_of or {})
    if wanting := sorted({rows.videos[code] for code in np.unique(rows.video)} - set(known)):
        known |= rates_of(rows, wanting)
    lines = []
    for index, track in enumerate(rows.tracks()):
        entity, video = rows.entities[rows.entity[track[0]]], rows.videos[rows.video[track[0]]]
        if any(sign in entity for sign in "\t\n\r"):
            raise UsageError(f"'{path}' cannot hold the name {entity!r}: a tab or line break shifts the columns")
        labels = rows.speaking[track].astype(int).tolist()
        lines.append(f"{entity}\t{len(track)}\t{float(known[video])}\t{labels}\t{index}\n")
    with whole_file(Path(path)) as part:
        part.write_text("".join(lines), encoding="utf-8")


def read_loader(path: Path | str) -> tuple[LoaderClip, ...]:
    """The clips of a loader's list, in its order.

    Raises:
        UsageError: there is no such file, or a line is not entity, frames, fps, [labels] and index.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read a loader's list from '{path}': {error}") from None
    clips = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            clips.append(_clip(line))
        except ValueError as error:
            raise UsageError(f"'{path}', line {number}: {error}") from None
    return tuple(clips)


def _clip(line: str) -> LoaderClip:
    cells = line.split("\t")
    if len(cells) != 5:
        raise ValueError(f"{len(cells)} columns set apart by tabs, expected 5: entity, frames, fps, [labels], index")
    entity, frames, fps, labels, index = (cell.strip() for cell in cells)
    inside = [cell.strip() for cell in labels.strip("[]").split(",")]
    inside = inside[:-1] if inside[-1] == "" else inside  # [] and a comma behind the last one
    if labels[:1] + labels[-1:] != "[]" or not set(inside) <= {"0", "1"}:
        raise ValueError(f"the labels are a list of 0 and 1 as in [0, 1, 1], got '{labels[:40]}'")
    if int(frames) != len(inside):
        raise ValueError(f"'{entity}' has {frames} frames, but {len(inside)} labels")
    if not float(fps) > 0:
        raise ValueError(f"'{entity}' has {fps} frames a second, expected more than 0")
    return LoaderClip(entity, _rate(float(fps)), np.array(inside, np.int8), int(index))


def _rate(fps: float) -> Fraction:
    """The rate that a number with few decimals means: 29.97 is 30000/1001."""
    near = min(RATES, key=lambda rate: abs(float(rate) - fps))
    return near if abs(float(near) - fps) < 0.002 else Fraction(fps).limit_denominator(1001)


def rates_of(rows: AvaRows, videos: list[str] | None = None) -> dict[str, Fraction]:
    """Frames a second of each video, worked out from its time stamps.

    All stamps of a video lie on one grid, up to how they were rounded. Of the rates that people use (whole ones up to
    120, their halves, and those of NTSC) the one is taken whose grid they fit best; of several alike, as 24 and
    24000/1001 are under a few seconds, the most usual.

    Raises:
        UsageError: a video has no two rows of one face, or its time stamps fit none of these rates.
    """
    rates: dict[str, Fraction] = {}
    order = rows.order
    for video in rows.videos if videos is None else videos:
        of = order[rows.video[order] == rows.videos.index(video)]
        time_s, entity = rows.time_s[of], rows.entity[of]
        step = np.diff(time_s)[np.diff(entity) == 0]
        if not len(step):
            raise UsageError(f"'{video}' has no two rows of one face: say how many frames a second it has (fps_of)")
        usual = step[np.abs(step - np.median(step)) < 0.5 * np.median(step)].mean()
        # a mean of n rounded steps is wrong by a rounding over n, not by a rounding
        near = [rate for rate in RATES if abs(float(1 / rate) - usual) <= ROUNDING_S + 0.02 * usual]
        misfit = {rate: _misfit(time_s, rate) for rate in near}
        fits = [rate for rate in near if misfit[rate] <= ROUNDING_S]
        if not fits:
            what = f"its rows are about {usual:.4g} s apart, but on no frame grid of a usual rate"
            raise UsageError(f"'{video}': {what}: say how many frames a second it has (fps_of)")
        best = min(misfit[rate] for rate in fits)
        rates[video] = next(rate for rate in fits if misfit[rate] <= best + ALIKE_S)
    return rates


def _misfit(time_s: np.ndarray, rate: Fraction) -> float:
    """How far times (N,) lie from the nearest grid of a rate, wherever it begins: the farthest, s."""
    turn = time_s * float(rate)
    angle = np.exp(2j * np.pi * (turn - np.floor(turn))).mean()  # where in a frame they lie, on average
    away = turn - np.angle(angle) / (2 * np.pi)
    away -= np.rint(away)
    return float(away.max() - away.min()) / 2 / float(rate)
