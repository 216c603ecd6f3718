"""Pack a store again and again, and be killed each time just before another touch of the folder.

Arguments: the store, a table of clips, an empty folder, how many touches to go on from one kill to the next, and the
layout, with a shard a clip and no films if it is one of shards. Prints a line of JSON: how many touches there are, and
at which of them something half lay there, or a rerun did not mend it.
"""

import importlib
import json
import shutil
import sys
from pathlib import Path

from phonoscope.data.pack import LAYOUTS, ShardParams, pack
from phonoscope.testing.kills import forked, kill_at

HEAVY = ("av", "cv2", "numpy", "pyarrow.parquet", "soundfile", "phonoscope.media.encode", "phonoscope.media.video")
OF_ALL = ("clips.csv", "manifest.json")  # made of what there is, so at first of a part
LEDGERS = ("pack.jsonl", "shards.jsonl")


def main(store: str, clips: str, folder: Path, stride: int, layout: str = "talking-face") -> None:
    params = ShardParams(film=False, shard_clips=1) if LAYOUTS[layout].params is ShardParams else None

    def packed(to: Path) -> None:
        list(pack(store, to, layout, clips, params=params).carry_out())

    for name in HEAVY:  # once, not in every copy of this process
        importlib.import_module(name)
    heads = folder / "heads"
    forked(lambda: packed(folder / "undisturbed"))
    expected = tree(folder / "undisturbed")
    bad, touch, killed = [], 0, True
    while killed:
        killed = forked(lambda at=touch: (kill_at(at, heads), packed(heads))) < 0
        left = tree(heads)
        half = [path for path in left if path not in OF_ALL and left[path] != expected[path]]
        forked(lambda: packed(heads))
        if half or tree(heads) != expected or list(heads.rglob(".*")):
            bad.append(touch)
        shutil.rmtree(heads)
        touch += stride
    sys.stdout.write(json.dumps({"touches": touch, "bad": bad}) + "\n")


def tree(heads: Path) -> dict[str, bytes]:
    """What people see of the folder, but for the ledger."""
    found = {str(path.relative_to(heads)): path for path in heads.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in found.items() if name[0] != "." and name not in LEDGERS}


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]), *sys.argv[5:])
