"""`phonoscope evaluate separation RUN STORE`: what a run reaches on mixtures of people whom it has not heard."""

from pathlib import Path
from typing import Any

import msgspec

from phonoscope.core.errors import UsageError
from phonoscope.report.wording import count

TITLES = {
    "si_sdr_db": "SI-SDR, dB",
    "si_sdri_db": "SI-SDRi, dB",
    "sdri_db": "SDRi, dB",
    "others_si_sdri_db": "SI-SDRi, dB, shown the film of other people",
    "swapped": "faces swapped, voices swapped, part of 1",
}


def separator(options: Any) -> int:
    """Judge a run, in words or as one JSON object."""
    from phonoscope.tasks.separation.judging import table
    from phonoscope.tasks.separation.trained import judgement

    if not options.source:
        raise UsageError("a store is wanting: phonoscope evaluate separation RUN STORE")
    found = judgement(options.what, Path(options.source), options.split)
    figures = table(found.rows)
    if options.json:
        told = {"network": found.network, "split": options.split, "mixtures": found.mixtures, "people": found.people}
        print(msgspec.json.encode({**told, **figures, "rows": found.rows}).decode())
        return 0
    print(f"{found.network}, {options.split}: {count(found.mixtures, 'mixture')} of {found.people}")
    for name, title in TITLES.items():
        if name in figures:
            print(f"{title:44} {figures[name]:7.2f}")
    return 0
