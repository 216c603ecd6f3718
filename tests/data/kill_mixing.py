"""Mix a store again and again, and be killed each time before another touch of the folder.

Arguments: the store, an empty folder. Prints a line of JSON: how often it was killed, and after which kills a rerun did
not give what an undisturbed run gives.
"""

import importlib
import json
import shutil
import sys
from pathlib import Path

from phonoscope.data.mix_job import write_mixtures
from phonoscope.data.mix_plan import PlanParams, plan_mixtures
from phonoscope.data.mixing import MixParams
from phonoscope.store.folder import Store
from phonoscope.testing.kills import forked, kill_at

STRIDE = 3


def main(store: str, folder: Path) -> None:
    for name in ("pyarrow.parquet", "soundfile", "scipy.io.wavfile"):  # once, not in every copy of this process
        importlib.import_module(name)
    plan = plan_mixtures(Store(store), PlanParams(max=2, seconds=1, split=("test",)), MixParams())
    mixtures = folder / "mixtures"
    forked(lambda: list(write_mixtures(plan, folder / "undisturbed")))
    expected = tree(folder / "undisturbed")
    bad, touch, killed = [], 0, True
    while killed:
        killed = forked(lambda at=touch: (kill_at(at, mixtures), list(write_mixtures(plan, mixtures)))) < 0
        half = [path for path, content in tree(mixtures).items() if content != expected.get(path)]
        forked(lambda: list(write_mixtures(plan, mixtures)))
        if [path for path in half if path != "mix.json"] or tree(mixtures) != expected or list(mixtures.rglob(".*")):
            bad.append(touch)
        shutil.rmtree(mixtures)
        touch += STRIDE
    sys.stdout.write(json.dumps({"kills": touch // STRIDE - 1, "bad": bad}) + "\n")


def tree(root: Path) -> dict[str, bytes]:
    """What people see of the folder, but for the ledger."""
    found = {str(path.relative_to(root)): path for path in root.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in found.items() if path.name[0] != "." and name != "mix.jsonl"}


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
