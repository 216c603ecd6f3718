"""`phonoscope evaluate separation --references DIR --estimates DIR`: separated voices, judged file by file."""

from typing import Any

import msgspec

from phonoscope.core.errors import UsageError
from phonoscope.report.wording import count

TITLES = {
    "si_sdr_db": "SI-SDR, dB",
    "si_sdr_improvement_db": "SI-SDRi, dB",
    "sdr_db": "SDR, dB",
    "sdr_improvement_db": "SDRi, dB",
    "sir_db": "SIR, dB",
    "sar_db": "SAR, dB",
    "stoi": "STOI",
    "pesq": "PESQ",
}


def voices(options: Any) -> int:
    """Evaluate a folder of estimates, in words or as one JSON object. 1: something could not be compared."""
    from phonoscope.models.extras import need
    from phonoscope.tasks.separation.evaluation import evaluate
    from phonoscope.tasks.separation.folders import paired

    if options.references is None or options.estimates is None:
        lacking = "--references" if options.references is None else "--estimates"
        raise UsageError(f"{lacking} is wanting: phonoscope evaluate separation --references DIR --estimates DIR")
    if options.pesq:
        need("--pesq", "pesq", extra="pesq")
    cases, left_out = paired(options.references, options.estimates, options.mixtures, options.permute)
    found = evaluate(cases, left_out, permute=options.permute, tolerance_s=options.tolerance_s, with_pesq=options.pesq)
    if options.json:
        print(msgspec.json.encode(found).decode())
        return 1 if found.left_out else 0
    rule = "the best mean SI-SDR of each mixture" if options.permute else "their numbers"
    print(f"{count(len(found.sources), 'source')} of {count(found.mixtures, 'mixture')}; estimates taken by {rule}")
    if found.summary:
        print(f"\n{'':12} {'mean':>8} {'median':>8} {'sources':>8}")
    for name, it in found.summary.items():
        places = 3 if name in ("stoi", "pesq") else 2
        print(f"{TITLES[name]:12} {it.mean:8.{places}f} {it.median:8.{places}f} {it.sources:8}")
    for it in found.left_out:
        print(f"left out: {it.mixture}: {it.why}")
    return 1 if found.left_out else 0
