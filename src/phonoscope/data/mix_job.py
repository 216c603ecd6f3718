"""Mixing a store in Python: a plan in, a folder of mixtures and of what is in them out."""

import hashlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from phonoscope.core.errors import UsageError
from phonoscope.data.mix_folder import MixFolder, wav
from phonoscope.data.mix_plan import Mixing, MixPlan, Piece, SetPlan
from phonoscope.data.mix_sounds import Sounds
from phonoscope.data.mixing import laid, part_of
from phonoscope.flow.run import StepFailed, failure_of
from phonoscope.store.ledger import Failure

LAYOUT, VERSION = "phonoscope", 1
LIST = "mixtures.parquet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What has become of one mixture."""

    name: str
    made: bool = False  # False: it lay there whole
    failure: Failure | None = None


def write_mixtures(plan: MixPlan, root: Path) -> Iterator[Written]:
    """Mix what a plan asks for, and tell of each; what lies there already and was made from the same is kept.

    A set is a folder: `mixtures.parquet`, the plan with a row a mixture, and for each of them `mix/NAME.wav`,
    `s1/NAME.wav`, `s2/NAME.wav` … and `noise/NAME.wav`, float32. What was written before and is no longer in the plan
    of its set is taken away. A mixture that fails stops no other.

    Raises:
        UsageError: the folder holds something else, or noise or a room cannot be heard.
    """
    folder, sounds = MixFolder(root, plan.store, LAYOUT), Sounds(plan.params.noise, plan.params.responses)
    with folder.held():
        folder.write_about(about(plan))
        for name, part in plan.sets.items():
            mixings = [*part]
            folder.forget(lambda it, name=name: it.startswith(f"{name}/"), {f"{name}/{it.name}" for it in mixings})
            folder.write(f"{name}/{LIST}", table_bytes(mixings, part))
            for mixing in mixings:
                yield _written(plan, folder, sounds, mixing)


def _written(plan: MixPlan, folder: MixFolder, sounds: Sounds, mixing: Mixing) -> Written:
    name = f"{mixing.split}/{mixing.name}"
    try:
        key = key_of(plan, sounds, mixing)
        if folder.has(name, key):
            return Written(name=name)
        voices = np.stack([piece.audio() for piece in mixing.pieces])
        noise = part_of(sounds.noise_of(mixing.noise), voices.shape[1], mixing.noise_at) if mixing.noise else None
        rooms = [sounds.room_of(it) for it in mixing.responses] or None
        made = laid(voices, mixing.levels, plan.mix, noise, rooms)
        parts = {f"s{k}": voice for k, voice in enumerate(made.voices, 1)}
        parts |= {"noise": made.noise} if made.noise is not None else {}
        files = {f"{mixing.split}/{at}/{mixing.name}.wav": wav(it) for at, it in (*parts.items(), ("mix", made.sound))}
        folder.keep(name, key, files)
        return Written(name=name, made=True)
    except Exception as error:  # noqa: BLE001 - this mixture stops, with its reason; the others go on
        return Written(name=name, failure=failed(error, mixing.pieces))


def failed(error: Exception, pieces: Sequence[Piece]) -> Failure:
    """Why something made of these pieces could not be made."""
    cause, first = StepFailed("mix"), pieces[0].voice.stored
    cause.__cause__ = error
    return failure_of(cause, first.recording.source, first.folder.name)


def key_of(plan: MixPlan, sounds: Sounds, mixing: Mixing) -> str:
    """What a mixture is made from, hashed."""
    pieces = [[it.voice.stored.receipts["audio"].key, it.span.start, it.span.stop] for it in mixing.pieces]
    files = [sounds.seen(it) for it in (mixing.noise, *mixing.responses) if it]
    how = [plan.mix.normalise, plan.mix.loudness_lufs, asdict(mixing.levels), mixing.noise_at, *mixing.responses]
    return hashlib.sha256(msgspec.json.encode([VERSION, pieces, files, how])).hexdigest()[:16]


def about(plan: MixPlan) -> dict[str, Any]:
    """What a plan's mixtures are, for programs."""
    settings = {**asdict(plan.params), **asdict(plan.mix)}
    settings = {name: str(value) if isinstance(value, Path) else value for name, value in settings.items()}
    sets = {
        name: {"pieces": len(it.pieces), "speakers": it.speakers, "possible": it.combos.total, "mixtures": len(it)}
        for name, it in plan.sets.items()
    }
    return {"settings": settings, "sets": sets, "left_out": dict(plan.left_out), "notes": dict(plan.notes)}


def table_bytes(mixings: Sequence[Mixing], part: SetPlan) -> bytes:
    """`mixtures.parquet`: a row a mixture, lists with an entry a voice."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    text, whole, number = pa.string(), pa.int32(), pa.float64()
    kinds = {
        "mixture": text, "split": text, "speakers": pa.list_(text), "recordings": pa.list_(text),
        "tracks": pa.list_(whole), "starts": pa.list_(whole), "frames": whole, "seen": pa.list_(number),
        "snr_db": pa.list_(number), "noise": text, "noise_at": number, "noise_db": number,
        "responses": pa.list_(text), "normalise": text, "seed": pa.int64(),
    }  # fmt: skip
    rows = [_row(it, part) for it in mixings]
    table = pa.Table.from_pylist(rows, pa.schema([*kinds.items()], metadata={"phonoscope": "mixtures"}))
    made = io.BytesIO()
    pq.write_table(table, made, compression="zstd")
    return made.getvalue()


def _row(it: Mixing, part: SetPlan) -> dict[str, Any]:
    voices = [piece.voice for piece in it.pieces]
    return {
        "mixture": it.name,
        "split": it.split,
        "speakers": [voice.speaker for voice in voices],
        "recordings": [voice.stored.folder.name for voice in voices],
        "tracks": [voice.track for voice in voices],
        "starts": [piece.span.start for piece in it.pieces],
        "frames": len(it.pieces[0].span),
        "seen": [piece.seen for piece in it.pieces],
        "snr_db": list(it.levels.snr_db) or None,
        "noise": it.noise or None,
        "noise_at": it.noise_at if it.noise else None,
        "noise_db": it.levels.noise_db,
        "responses": list(it.responses) or None,
        "normalise": part.params.normalise,
        "seed": part.params.seed,
    }


def read_mixtures(path: Path) -> list[dict[str, Any]]:
    """The rows of a `mixtures.parquet`.

    Raises:
        UsageError: it is none.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise UsageError(f"'{path}' cannot be read: {' '.join(str(error).split())}") from None
    if (table.schema.metadata or {}).get(b"phonoscope") != b"mixtures":
        raise UsageError(f"'{path}' lists no mixtures: `phonoscope mix STORE --to DIR` writes such a list")
    return table.to_pylist()
