"""Cutting: long films into pieces of so many seconds, exactly, picture and sound alike."""

import hashlib
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote_to_bytes, urlparse

import msgspec
import numpy as np

from phonoscope.core.checks import folder_here
from phonoscope.core.errors import RecordingFailed, UsageError
from phonoscope.core.media import Picture
from phonoscope.core.time import Span, merge_spans
from phonoscope.corpora.folder import is_film, sources
from phonoscope.flow.shard import Shard
from phonoscope.store.folder import Store, must_be_empty
from phonoscope.store.lines import add_line, read_lines
from phonoscope.store.lock import alone
from phonoscope.store.uri import as_uri, local_path

LEDGER, VERSION = "cut.jsonl", 1
SAMPLE_RATE = 48_000  # Hz, of the pieces' sound, which is mono as all our sound
BIT_RATE = 128_000  # bits a second
PRESET = "veryfast"  # of x264: half the time of its default, for 1 dB
SHORTEST_S = 1  # s; a shorter last piece is left out
WHOLE = np.eye(2, 3)  # the window of a piece that shows all


@dataclass(frozen=True, slots=True)
class LongFilm:
    """A film to be cut, and what its pieces are called."""

    source: str  # path or URI
    name: str  # below the folder of pieces, without suffix: training/ana/talk


@dataclass(frozen=True, slots=True, kw_only=True)
class CutFilm:
    """What has become of a film."""

    name: str
    made: tuple[str, ...] = ()  # pieces, as paths below the folder
    kept: tuple[str, ...] = ()  # pieces that lay there whole
    left_out_s: float = 0.0  # s at the end, too short for a piece
    failure: str = ""  # why there are none, or no more


class _Made(msgspec.Struct, frozen=True):
    """A line of the ledger: a piece that lies in the folder."""

    piece: str
    key: str  # hash of what it was made from
    bytes: int


def spans_every(num_frames: int, fps: Fraction, every_s: Fraction) -> list[Span]:
    """The pieces of a film, edge to edge from its start; a last piece of less than a second is left out.

    Edge k is the frame nearest to k · every_s, so nothing drifts.

    Raises:
        UsageError: pieces are to be shorter than 1 s.
    """
    if every_s < SHORTEST_S:
        raise UsageError(f"pieces are {SHORTEST_S} s or longer, asked for {float(every_s):g}")
    edges = [0]
    while edges[-1] < num_frames:
        edges.append(min(num_frames, (len(edges) * every_s * fps + Fraction(1, 2)).__floor__()))
    least = max(1, SHORTEST_S * fps)  # frames; at under one a second some pieces would have none
    return [Span(a, b) for a, b in pairwise(edges) if b - a >= least]


def long_films(given: Sequence[str]) -> list[LongFilm]:
    """The films that are meant by files, folders, lists and stores; names keep the tree of a folder or a corpus.

    Raises:
        UsageError: there is none, or two would have pieces of one name.
    """
    found = [film for it in given for film in _meant(it)]
    if not found:
        raise UsageError("no film given to be cut: name files, folders with films, or a store")
    counts = Counter(film.name for film in found)
    if twice := [film for film in found if counts[film.name] > 1]:
        both = " and ".join(f"'{film.source}'" for film in twice[:2])
        raise UsageError(f"the pieces of {both} would have one name: cut them into two folders")
    return found


def _meant(given: str) -> Iterator[LongFilm]:
    root = Path(given).expanduser()
    if (root / "store.json").exists():
        store = Store(root)
        for stored in (store[id] for id in store):
            source = stored.recording.source
            called = PurePosixPath(stored.listed.path if stored.listed else _path(source).name)
            yield LongFilm(source, str(called.with_suffix("")))
        return
    for source in sources([given]):
        path = Path(source)
        if not root.is_dir():
            yield LongFilm(source, _path(source).stem)
        elif is_film(path):
            yield LongFilm(source, path.relative_to(root).with_suffix("").as_posix())


def cut(
    films: Sequence[LongFilm],
    to: Path | str,
    every_s: Fraction,
    fps: Fraction | None = Fraction(25),
    crf: int = 18,
    *,
    shard: Shard | None = None,
) -> Iterator[CutFilm]:
    """Cut films into pieces `<name>_000.mp4` and so on below `to`: H.264, AAC mono if there is sound.

    Pictures are re-encoded, upright, on the film's clock; sound is exactly as long as the pictures, to the sample, and
    begins with them. Pieces that lie there and were made of the same are kept. Films are only read. Several processes
    may cut into one folder: a film is cut by one of them, the others find its pieces made.

    Args:
        fps: frames a second of the pieces; None: each film's own.
        crf: x264's quality, lower is better.
        shard: take only this part of the films.

    Raises:
        UsageError: `to` holds other things, or pieces are to be shorter than 1 s.
    """
    root = folder_here("--to", to)
    spans_every(1, Fraction(1), every_s)
    root.mkdir(parents=True, exist_ok=True)
    with alone(root / ".lock"):
        if not (root / LEDGER).exists():
            must_be_empty(root)
            (root / LEDGER).touch()  # by it the folder is known to be ours, however soon we are killed
    for film in films:
        if (shard is None or film.name in shard) and not _path(film.source).resolve().is_relative_to(root.resolve()):
            made: list[str] = []
            try:
                with alone(root / f".{_key([film.name])}.lock"):  # two would write into one part file
                    told = _cut(film, root, every_s, fps, crf, made)
            except RecordingFailed as error:
                told = CutFilm(name=film.name, made=tuple(made), failure=str(error))
            yield told


def _cut(film: LongFilm, root: Path, every_s: Fraction, fps: Fraction | None, crf: int, made: list[str]) -> CutFilm:
    from phonoscope.media.audio import read_audio
    from phonoscope.media.probe import probe
    from phonoscope.media.video import decode

    path = local_path(as_uri(film.source))
    about, found = path.stat(), probe(path, fps, SAMPLE_RATE)
    spans = spans_every(found.num_frames, found.fps, every_s)
    there = _ledger(root)
    recipe = [VERSION, about.st_size, about.st_mtime_ns, str(found.fps), crf]
    pieces = {
        f"{film.name}_{k:03d}.mp4": (span, _key([*recipe, span.start, span.stop])) for k, span in enumerate(spans)
    }
    due = {piece: span for piece, (span, key) in pieces.items() if there.get(piece) != key}
    pictures = decode(path, found.clock, merge_spans([*due.values()]))
    blocks = read_audio(path, found.timeline, found.num_samples, SAMPLE_RATE)
    sound = Sound(blocks) if found.num_samples and due else None
    size = (found.height // 2 * 2, found.width // 2 * 2)
    for piece, span in due.items():
        (root / piece).parent.mkdir(parents=True, exist_ok=True)
        _write(root / piece, islice(pictures, len(span)), sound, found.fps, size, crf)
        _put_down(root, piece, pieces[piece][1])
        made.append(piece)
    end = spans[-1].stop if spans else 0
    return CutFilm(
        name=film.name,
        made=tuple(made),
        kept=tuple(piece for piece in pieces if piece not in due),
        left_out_s=float((found.num_frames - end) / found.fps),
    )


def _write(
    path: Path,
    pictures: Iterator[Picture],
    sound: "Sound | None",
    fps: Fraction,
    size: tuple[int, int],
    crf: int,
) -> None:
    """One piece, whole or not at all."""
    from phonoscope.media.encode import FilmWriter

    rate = SAMPLE_RATE if sound else 0
    with FilmWriter(path, size, fps, rate, crf=crf, preset=PRESET, audio_bit_rate=BIT_RATE) as film:
        for picture in pictures:
            film.picture(picture.crop_yuv(WHOLE, size, 0))
            if sound:
                film.sound(sound.under(Span(picture.frame, picture.frame + 1).samples(fps, SAMPLE_RATE)))


class Sound:
    """Samples in order, whatever the blocks in which they come."""

    def __init__(self, blocks: Iterator[np.ndarray]) -> None:
        self._blocks, self._rest, self._at = blocks, np.zeros(0, np.float32), 0

    def under(self, wanted: slice) -> np.ndarray:
        """The samples of a slice that begins no earlier than the last one ended, (n,) float32."""
        while self._at + len(self._rest) < wanted.stop:
            block = next(self._blocks, None)
            if block is None:
                break
            late = max(0, wanted.start - self._at)
            self._at += min(late, len(self._rest))
            self._rest = np.concatenate([self._rest[late:], block])
        taken = self._rest[max(0, wanted.start - self._at) : wanted.stop - self._at]
        self._rest = self._rest[max(0, wanted.stop - self._at) :]
        self._at = wanted.stop
        return taken


def _path(source: str) -> Path:
    """The file that a path or a URI names, there or not."""
    return Path(os.fsdecode(unquote_to_bytes(urlparse(as_uri(source)).path)))


def _key(recipe: list[Any]) -> str:
    return hashlib.sha256(msgspec.json.encode(recipe)).hexdigest()[:16]


def _ledger(root: Path) -> dict[str, str]:
    """The pieces that lie in the folder whole -> what they were made from."""
    made = {it.piece: it for it in read_lines(root / LEDGER, _Made)}
    return {n: it.key for n, it in made.items() if (root / n).is_file() and (root / n).stat().st_size == it.bytes}


def _put_down(root: Path, piece: str, key: str) -> None:
    with alone(root / ".lock"):
        add_line(root / LEDGER, _Made(piece, key, (root / piece).stat().st_size))
