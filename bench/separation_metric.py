"""SDR, SIR and SAR of two voices of 3 s at 16 kHz: mir_eval's time over ours, on one core, in turns."""

import json
import sys
import warnings
from functools import partial
from statistics import median

import numpy as np

from bench.asd_metric import timed
from bench.children import python
from bench.table import Row, Table, at_least, at_most, spread

CLIPS, SAMPLES, RATE = 20, 48_000, 16_000
WAYS = {
    "found": "SDR, SIR and SAR, order found: bss_eval",
    "given": "SDR, SIR and SAR, order given: bss_eval(…, permute=False)",
    "sdr": "SDR alone, order given: sdr",
}


def measure() -> list[Table]:
    """How many times as fast we are, and how far the figures are apart."""
    said = python("-m", "bench.separation_metric", cores=1).said
    rows = []
    for way, what in WAYS.items():
        ratios = [theirs / ours for ours, theirs in said[way]]
        rows.append(at_least(what, median(ratios), 10, " ×") if way != "given" else Row(what, spread(ratios, " ×")))
        rows.append(Row("  ours, a clip", spread([1000 * ours for ours, _ in said[way]], " ms")))
        rows.append(Row("  mir_eval, a clip", spread([1000 * theirs for _, theirs in said[way]], " ms")))
    rows.append(at_most("greatest difference of the figures", said["difference_db"], 1e-6, " dB"))
    notes = (
        f"{CLIPS} clips of two sounds of {SAMPLES // RATE} s, coloured and swelling like voices, each by us, then by "
        "mir_eval.separation.bss_eval_sources; time of the processor, one core, one thread.",
    )
    return [Table("Figures of separation", rows, notes)]


def main() -> int:
    """Time both, and print what was found as JSON."""
    from mir_eval.separation import bss_eval_sources

    from phonoscope.metrics.separation import bss_eval, sdr

    warnings.simplefilter("ignore", FutureWarning)
    took: dict[str, list[tuple[float, float]]] = {way: [] for way in WAYS}
    difference = 0.0
    for estimates, references in map(clip, range(CLIPS)):
        for way in WAYS:
            permute = way == "found"
            figure = partial(sdr if way == "sdr" else partial(bss_eval, permute=permute), estimates, references)
            ours, cost = timed(figure)
            theirs, other = timed(partial(bss_eval_sources, references, estimates, permute))
            took[way].append((cost["cpu_s"], other["cpu_s"]))
            difference = max(difference, float(np.abs((ours if way == "sdr" else ours.sdr) - theirs[0]).max()))
            if way != "sdr":
                difference = max(difference, float(np.abs(np.array(ours[1:3]) - theirs[1:3]).max()))
    print(json.dumps({**took, "difference_db": difference}))
    return 0


def clip(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Two estimates and their references, both (2, 48000): each has a tenth of the other in it, and noise."""
    from scipy.signal import lfilter

    rng = np.random.default_rng(seed)
    swell = 1 + np.sin(np.arange(SAMPLES) / np.array([[900], [1300]]))
    references = swell * lfilter([1], [1, -0.9], rng.normal(size=(2, SAMPLES)))
    return references + 0.1 * references[::-1] + 0.1 * rng.normal(size=references.shape), references


if __name__ == "__main__":
    sys.exit(main())
