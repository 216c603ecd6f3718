"""VoxCeleb2's tree of boxes, `txt/<speaker>/<film>/<piece>.txt`: films on YouTube, and which pieces show whom.

Source: Chung, Nagrani and Zisserman, "VoxCeleb2: Deep Speaker Recognition", Interspeech 2018. Frames count 25 a second;
boxes are shares of the picture's width and height.
"""

from collections.abc import Iterator
from pathlib import Path

from phonoscope.core.errors import UsageError
from phonoscope.corpora.wanted import Piece, Wanted, joined, youtube

FPS = 25


def wanted(folder: Path) -> list[Wanted]:
    """The films of a tree; piece `00001` of a film is called `<speaker>_<film>_00001`.

    Raises:
        UsageError: there is no such tree, or a file in it is none of these.
    """
    files = sorted(folder.glob("*/*/*.txt")) or sorted(folder.glob("txt/*/*/*.txt"))
    if not files:
        raise UsageError(f"no tree of VoxCeleb2's in '{folder}': expected <speaker>/<film>/<piece>.txt below it")
    return joined(_films(files))


def _films(files: list[Path]) -> Iterator[Wanted]:
    for path in files:
        speaker, film = path.parts[-3:-1]
        numbers = [_frame(line) for line in path.read_text(encoding="utf-8").splitlines()]
        frames = [it for it in numbers if it is not None]
        if not frames:
            raise UsageError(f"'{path}' tells of no frame: expected lines FRAME X Y W H")
        start, stop = frames[0] / FPS, (frames[-1] + 1) / FPS
        piece = Piece(name=f"{speaker}_{film}_{path.stem}", start_s=start, stop_s=stop, speaker=speaker)
        yield Wanted(url=youtube(film), name=film, pieces=(piece,), speaker=speaker)


def _frame(line: str) -> int | None:
    words = line.split()
    return int(words[0]) if len(words) == 5 and words[0].isdigit() else None
