"""HDTF's lists: films on YouTube, which pieces of them are used, and the window with the head.

Source: Zhang et al., "Flow-guided One-shot Talking Face Generation", CVPR 2021; the lists of MRzzm/HDTF. A folder holds
`<PART>_video_url.txt`, `_annotion_time.txt` (spans of each film, "00:20-01:35"), `_resolution.txt` (height in px of the
film that the windows are of), `_crop_wh.txt` (of each piece left, width, top, height).
"""

from pathlib import Path

from phonoscope.core.errors import UsageError
from phonoscope.corpora.wanted import Piece, Wanted, joined, seconds

URLS, SPANS, HEIGHTS, WINDOWS = "video_url", "annotion_time", "resolution", "crop_wh"


def wanted(folder: Path) -> list[Wanted]:
    """The films of all parts in a folder; piece k of a film is called `<film>_<k>`, as HDTF calls it.

    A film that no span is told of is wanted whole. Spans are those of the list; where a window is told, it is kept.

    Raises:
        UsageError: there is no list of URLs, or a line makes no sense.
    """
    parts = sorted(folder.glob(f"*_{URLS}.txt"))
    if not parts:
        raise UsageError(f"no list of HDTF's in '{folder}': expected RD_{URLS}.txt, WDA_{URLS}.txt or WRA_{URLS}.txt")
    return joined(film for path in parts for film in _part(path))


def _part(path: Path) -> list[Wanted]:
    part = path.name.removesuffix(f"_{URLS}.txt")
    spans, heights, windows = (_table(path.with_name(f"{part}_{of}.txt")) for of in (SPANS, HEIGHTS, WINDOWS))
    found = []
    for name, told in _table(path).items():
        height = _height(heights[name][0], f"'{part}_{HEIGHTS}.txt', {name}") if name in heights else 0
        pieces = []
        for number, span in enumerate(spans.get(name, ())):
            called = f"{name}_{number}"
            start, stop = _span(span, f"'{part}_{SPANS}.txt', {name}")
            crop = _window(windows[called], f"'{part}_{WINDOWS}.txt', {called}") if called in windows else None
            known = {"crop": crop, "crop_height": height} if crop and height else {}
            pieces.append(Piece(name=called, start_s=start, stop_s=stop, **known))
        found.append(Wanted(url=told[0], name=name, pieces=tuple(pieces)))
    return found


def _table(path: Path) -> dict[str, list[str]]:
    """Lines of a name and what is told of it."""
    if not path.exists():
        return {}
    lines = (line.split() for line in path.read_text(encoding="utf-8-sig").splitlines())
    return {words[0].removesuffix(".mp4"): words[1:] for words in lines if len(words) > 1}


def _span(written: str, where: str) -> tuple[float, float]:
    start, dash, stop = written.partition("-")
    try:
        span = seconds(start), seconds(stop)
        if not dash or not span[0] < span[1]:
            raise ValueError
    except ValueError:
        raise UsageError(f"{where}: '{written}' is no span, as 00:20-01:35 is one") from None
    return span


def _height(written: str, where: str) -> int:
    if not written.isdecimal() or not int(written):
        raise UsageError(f"{where}: '{written}' is no height in px, as 720 is one")
    return int(written)


def _window(words: list[str], where: str) -> tuple[float, float, float, float]:
    try:
        left, width, top, height = map(float, words)
        if min(width, height) <= 0:
            raise ValueError
    except ValueError:
        raise UsageError(f"{where}: '{' '.join(words)}' is no window: left, width, top, height") from None
    return left, top, left + width, top + height
