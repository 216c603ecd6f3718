"""Run the quick job on a film again and again, and be killed each time just before another touch of the disk.

Arguments: the film, an empty folder, and how many touches to go on from one kill to the next. Prints a line of JSON:
how many touches there are, and at which of them a rerun did not give the undisturbed store.
"""

import importlib
import json
import shutil
import sys
from pathlib import Path

from phonoscope.testing.kills import forked, kill_at
from phonoscope.testing.quick import fingerprint, quick_job

HEAVY = (
    "av", "cv2", "pyarrow.dataset", "pyarrow.parquet", "scipy.fft", "scipy.optimize", "soundfile",
    "phonoscope.media.audio", "phonoscope.media.probe", "phonoscope.media.video",
)  # fmt: skip


def main(film: str, folder: Path, stride: int) -> None:
    for name in HEAVY:  # once, not in every copy of this process
        importlib.import_module(name)
    undisturbed, store = folder / "undisturbed", folder / "store"
    forked(lambda: list(quick_job([film], undisturbed).carry_out()))
    expected = fingerprint(undisturbed)
    bad, touch, killed = [], 0, True
    while killed:
        killed = forked(lambda at=touch: (kill_at(at, store), list(quick_job([film], store).carry_out()))) < 0
        forked(lambda: list(quick_job([film], store).carry_out()))
        if fingerprint(store) != expected or list(store.rglob(".*")):
            bad.append(touch)
        shutil.rmtree(store)
        touch += stride
    sys.stdout.write(json.dumps({"touches": touch, "bad": bad}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
