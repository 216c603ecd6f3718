"""Pack a store again and again, and be killed each time just before another touch of the folder.

Arguments: the store, a table of clips, an empty folder, and how many touches to go on from one kill to the next. Prints
a line of JSON: how many touches there are, and at which of them something half lay there, or a rerun did not mend it.
"""

import importlib
import json
import shutil
import sys
from pathlib import Path

from phonoscope.data.pack import pack
from phonoscope.testing.kills import forked, kill_at

HEAVY = ("av", "cv2", "numpy", "pyarrow.parquet", "soundfile", "phonoscope.media.encode", "phonoscope.media.video")


def main(store: str, clips: str, folder: Path, stride: int) -> None:
    for name in HEAVY:  # once, not in every copy of this process
        importlib.import_module(name)
    heads = folder / "heads"
    forked(lambda: list(pack(store, folder / "undisturbed", clips=clips).carry_out()))
    expected = tree(folder / "undisturbed")
    bad, touch, killed = [], 0, True
    while killed:
        killed = forked(lambda at=touch: (kill_at(at, heads), list(pack(store, heads, clips=clips).carry_out()))) < 0
        left = tree(heads)
        half = [path for path in left if path != "clips.csv" and left[path] != expected[path]]
        forked(lambda: list(pack(store, heads, clips=clips).carry_out()))
        if half or tree(heads) != expected or list(heads.rglob(".*")):
            bad.append(touch)
        shutil.rmtree(heads)
        touch += stride
    sys.stdout.write(json.dumps({"touches": touch, "bad": bad}) + "\n")


def tree(heads: Path) -> dict[str, bytes]:
    """What people see of the folder, but for the ledger."""
    found = {str(path.relative_to(heads)): path for path in heads.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in found.items() if name[0] != "." and name != "pack.jsonl"}


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))
