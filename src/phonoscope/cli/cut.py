"""`phonoscope cut`: long films into pieces of so many seconds."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import msgspec
from tyro.conf import Positional

from phonoscope.cli.options import parse
from phonoscope.core.errors import UsageError
from phonoscope.data import cut as api
from phonoscope.flow.shard import Shard
from phonoscope.report.wording import count


@dataclass(frozen=True, kw_only=True)
class Cut:
    """Cut long films into pieces, exactly: re-encoded, with sound and picture that begin and end together.

    phonoscope cut talk.mp4 --every 20                      talk_cut/talk_000.mp4, talk_001.mp4 …
    phonoscope cut videos_sw/ --every 20 --to pieces        the same tree, so a tree of vlogs stays one
    phonoscope cut films --every 10 --to pieces             the films of a store

    Each piece lasts --every seconds; what is left at the end is a piece if it lasts a second at least. The films
    themselves are only read. The same command again goes on where it was stopped.
    """

    films: Positional[tuple[str, ...]]  # files, folders, .txt lists or a store
    every: Fraction = Fraction(20)  # s, length of a piece
    to: Path | None = None  # a new folder, or one of pieces; by default beside what is cut, with _cut behind its name
    fps: Fraction | None = Fraction(25)  # frames a second of the pieces; native: as filmed
    crf: int = 18  # constant quality of x264: lower is better and larger
    shard: str | None = None  # i/n, as in 2/8: cut only this part of the films; others may do the rest meanwhile
    json: bool = False  # a line of JSON a film, for programs


def main(arguments: Sequence[str]) -> int:
    """Run the verb. Exit code 1 if a film failed."""
    options, _ = parse(Cut, arguments, with_params=False)
    films = api.long_films(options.films)
    to = options.to or _beside(options.films)
    shard = Shard.parse(options.shard) if options.shard else None
    failed = False
    for told in api.cut(films, to, options.every, options.fps, options.crf, shard=shard):
        failed = failed or bool(told.failure)
        print(msgspec.json.encode(told).decode() if options.json else _line(told), flush=True)
    return int(failed)


def _beside(given: Sequence[str]) -> Path:
    """Where pieces go if nobody says: beside what is cut.

    Raises:
        UsageError: that is several things.
    """
    if len(given) != 1:
        raise UsageError("several things are to be cut: say where to with --to")
    path = Path(given[0]).expanduser().absolute()
    return path.with_name(f"{path.stem if path.is_file() else path.name}_cut")


def _line(told: api.CutFilm) -> str:
    """One film in one line."""
    if told.failure:
        return f"failed  {told.name}: {told.failure}"
    parts = [f"{count(len(told.made), 'piece')} cut"] if told.made or not told.kept else []
    parts += [f"{len(told.kept)} kept"] if told.kept else []
    parts += [f"{told.left_out_s:.2f} s at the end left out"] if told.left_out_s else []
    return f"{told.name}: {', '.join(parts)}"
