"""The layout of Hugging Face `datasets`: Parquet with sound and film as features Audio and Video, and a card.

Source: https://huggingface.co/docs/datasets, whose schema metadata and YAML these are.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from phonoscope.data.pack.clip_tables import ARRAYS, schema_of, write_rows
from phonoscope.data.pack.members import FILM, SOUND
from phonoscope.data.pack.shard_folder import PackedShard, ShardFolder
from phonoscope.data.pack.shards import ClipFiles, ShardKind

if TYPE_CHECKING:
    import pyarrow as pa

CARD = "README.md"
COLUMNS = {SOUND: "audio", FILM: "video"}
FEATURES = {"audio": {"_type": "Audio"}, "video": {"_type": "Video"}}


def write_shard(path: Path, clips: Iterable[ClipFiles]) -> None:
    """A Parquet file with a row a clip, whose schema says what is sound and what film."""
    features = {it.name: FEATURES.get(it.name) or _feature(it.type) for it in schema_of(COLUMNS, structs=True)}
    about = msgspec.json.encode({"info": {"features": features}}).decode()
    write_rows(path, clips, COLUMNS, structs=True, about={"huggingface": about})


def write_card(folder: ShardFolder) -> None:
    """`README.md`: which files are which set, how much there is, under which licences."""
    shards = [folder.shards[name] for name in sorted(folder.shards)]
    folder.write(CARD, "".join(f"{line}\n" for line in _card(shards)).encode())


def _feature(kind: "pa.DataType") -> dict[str, Any]:
    """A type of Arrow's as a feature."""
    import pyarrow as pa

    if isinstance(kind, pa.ListType):
        return {"feature": _feature(kind.value_type), "_type": "List"}
    if isinstance(kind, pa.StructType):
        return {field.name: _feature(field.type) for field in kind}
    return {"dtype": {"double": "float64", "float": "float32"}.get(str(kind), str(kind)), "_type": "Value"}


def _card(shards: Sequence[PackedShard]) -> Iterator[str]:
    sets = {split: [it for it in shards if it.split == split] for split in sorted({it.split for it in shards})}
    licences = Counter(clip.licence or "not known" for it in shards for clip in it.clips)
    yield from ("---", "license: other", "configs:", "- config_name: default", "  data_files:")
    for split in sets:
        yield from (f"  - split: {split}", f"    path: data/{split}-*.parquet")
    yield from ("---", "", "# Clips of talking faces", "")
    yield "A row a clip: `video`, a square around one face (MP4), `audio` under it (WAV), and what is known of both."
    yield f"{', '.join(f'`{it}`' for it in ARRAYS.values())}: rows in step with the frames, where they were measured."
    yield "A speaker is in one set only. Packed by phonoscope."
    yield from ("", "| set | clips | hours | speakers |", "|---|---|---|---|")
    for split, mine in sets.items():
        clips = [clip for it in mine for clip in it.clips]
        hours, speakers = sum(clip.seconds for clip in clips) / 3600, len({clip.speaker for clip in clips})
        yield f"| {split} | {len(clips)} | {hours:.2f} | {speakers} |"
    yield from ("", "| licence of the recordings | clips |", "|---|---|")
    yield from (f"| {_cell(name)} | {count} |" for name, count in sorted(licences.items()))
    yield from ("", "These are recordings of people: mind what they consented to (column `consent`).")


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


HF = ShardKind("hf", 1, "data/%s.parquet", write_shard, write_card)
