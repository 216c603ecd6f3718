"""MFCC of ten minutes of sound: ours against python_speech_features, in turns, on one core."""

import json
import sys
import time
from collections.abc import Callable
from statistics import median

import numpy as np

from bench.children import python
from bench.table import Row, Table, at_least, at_most, spread

MINUTES = 10
SAMPLE_RATE = 16000  # Hz
TIMES = 5


def measure() -> list[Table]:
    """Their time over ours, and how far the numbers are apart."""
    said = python("-m", "bench.mfcc").said
    ratios = [theirs / ours for theirs, ours in zip(said["theirs_s"], said["ours_s"], strict=True)]
    rows = [
        at_least("python_speech_features over ours, median", median(ratios), 4, " ×"),
        at_most("greatest difference, both float64", said["difference"], 1e-6),
        Row("least and greatest ratio", f"{min(ratios):.3g}–{max(ratios):.3g} ×"),
        Row("ours", spread(said["ours_s"], " s")),
        Row("python_speech_features", spread(said["theirs_s"], " s")),
    ]
    notes = (
        f"{MINUTES} min of noise in 16 bits at {SAMPLE_RATE} Hz, recipe `psf`, {TIMES} times in turns, one core, time "
        "of the processor. Much of theirs goes into asking the system for memory, which costs more on some machines "
        "than on others.",
    )
    return [Table("MFCC", rows, notes)]


def main() -> int:
    """Time both, and print what was found as JSON."""
    import python_speech_features

    from phonoscope.core.mfcc import mfcc

    noise = np.random.default_rng(0).normal(0, 3000, MINUTES * 60 * SAMPLE_RATE)
    whole = np.rint(noise).clip(-32768, 32767).astype(np.int16)
    audio = whole.astype(np.float32) / 32768
    ours_s, theirs_s, difference = [], [], 0.0
    mfcc(audio[:SAMPLE_RATE], SAMPLE_RATE), python_speech_features.mfcc(whole[:SAMPLE_RATE], SAMPLE_RATE)
    for _ in range(TIMES):
        theirs, took = _timed(lambda: python_speech_features.mfcc(whole, SAMPLE_RATE))
        theirs_s.append(took)
        ours, took = _timed(lambda: mfcc(audio, SAMPLE_RATE).values)
        ours_s.append(took)
        difference = max(difference, float(np.abs(ours - theirs).max()))
    print(json.dumps({"ours_s": ours_s, "theirs_s": theirs_s, "difference": difference}))
    return 0


def _timed(work: Callable[[], np.ndarray]) -> tuple[np.ndarray, float]:
    began = time.process_time()
    made = work()
    return made, time.process_time() - began


if __name__ == "__main__":
    sys.exit(main())
