"""`phonoscope evaluate asd WHAT SOURCE`: models judged on the examples of a store or of a folder of windows."""

from pathlib import Path
from typing import Any

import msgspec

from phonoscope.core.errors import UsageError


def models(options: Any) -> int:
    """Evaluate each file of weights, a line and a csv row each."""
    from phonoscope.tasks.asd import judging, legacy
    from phonoscope.tasks.asd.material import checked, material_of
    from phonoscope.tasks.asd.params import ExamplesParams

    if not options.source:
        raise UsageError(f"on what? phonoscope evaluate asd {options.what} STORE, or a folder of windows")
    source, split = Path(options.source), options.split
    p, rows = ExamplesParams(n_samples=options.n_samples, window=options.window), []
    for path, network in judging.files_of(options.what, options.model):
        material = checked(material_of(source, p, network), source, [split])
        if options.legacy:
            windows = [*legacy.windows(legacy.heads_of(path, network), material, split)]
            rows.append(legacy.legacy_row(path, windows, legacy.labels_of(material, split)))
        else:
            them = [*judging.judged(judging.judge_of(path, network), material, split)]
            rows.append(judging.row(path, network, split, them))
            if options.rows:
                file = options.rows / f"{split}_evaluated_from_{path.stem}.csv"
                judging.write_csv(file, judging.window_rows(them))
        print(msgspec.json.encode(rows[-1]).decode() if options.json else _line(rows[-1]), flush=True)
    if options.csv:
        judging.write_csv(options.csv, rows)
    return 0


def _line(row: dict[str, str]) -> str:
    return "  ".join(f"{name} {value}" for name, value in row.items() if value)
