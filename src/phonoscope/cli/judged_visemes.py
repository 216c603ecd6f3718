"""`phonoscope evaluate visemes MODEL DATA`: a model judged on labelled speech."""

from pathlib import Path
from typing import Any

import msgspec

from phonoscope.cli.training_visemes import figures
from phonoscope.core.errors import UsageError


def model(options: Any) -> int:
    """Evaluate one model, in words or as one JSON object."""
    from phonoscope.tasks.visemes.judging import judge

    if not options.what or not options.source:
        raise UsageError("what, and on what? phonoscope evaluate visemes RUN DATA, DATA with wav_data and label")
    found = judge(Path(options.what), Path(options.source), options.split, options.speakers)
    if options.json:
        print(msgspec.json.encode(found).decode())
        return 0
    for fault in found.left_out:
        print(f"left out: {fault}")
    it = found.figures
    print(f"{found.model}: {figures(it)}")
    if found.heard:
        print(f"passed over: {found.heard} utterances that it has learnt from (--split all judges them too)")
    print(f"\n{'class':8} {'recall':>8} {'':>2} taken for")
    for name, counts in zip(found.classes, it.confusion, strict=True):
        others = sorted(zip(counts, found.classes, strict=True), key=lambda pair: -pair[0])
        told = ", ".join(f"{other} {100 * count / sum(counts):.0f} %" for count, other in others[:4] if count)
        print(f"{name:8} {_percent(it.recall[name]):>8} {'':>2} {told}")
    if it.speakers:
        print(f"\n{'speaker':16} {'frames':>8} {'accuracy':>9} {'balanced':>9}")
    for who, part in it.speakers.items():
        print(f"{who:16} {part.frames:8} {_percent(part.accuracy):>9} {_percent(part.balanced_accuracy):>9}")
    return 0


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"
