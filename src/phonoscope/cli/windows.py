"""`phonoscope windows`: seconds of faces and voices that belong together, or do not, to train with."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from tyro.conf import Positional, arg

from phonoscope.cli.options import parse
from phonoscope.cli.windows_words import annotation_lines, clip_line, plan_lines
from phonoscope.data import windows as api
from phonoscope.store.folder import Store


@dataclass(frozen=True, kw_only=True)
class Windows:
    """Draw windows of clips to train speaking networks with, and write them and the arrays of every clip.

    phonoscope windows films --to windows --dry-run
    phonoscope windows films --to windows --n-samples 20000 --policy aligned
    phonoscope windows films --to windows --kinds positive temporal complete --pad
    phonoscope windows films --to annotations --as ava-asd --balance --min-face 100

    annotheia: training.csv, validation.csv and test.csv, face_crops/ and mfccs/ as AnnoTheia's fine-tuning reads them.
    ava-asd: windows of five labels at ten a second, a row each, as ava_asd trains on; of a store with labels.

    Kinds: positive; temporal (one's own voice, shifted), partial (one's own voice from another clip), complete (another
    speaker's). Speakers never share a set. The same command again makes only what is missing or has changed.
    """

    store: Positional[Path | str]
    to: Path  # a new folder, or one of windows of the same layout
    as_: Annotated[Literal["annotheia", "ava-asd"], arg(name="as")] = "annotheia"  # the layout
    params: Annotated[api.WindowsParams, arg(name="")] = field(default_factory=api.WindowsParams)
    dry_run: bool = False  # say what would be drawn, and write nothing
    json: bool = False  # one JSON object, for programs


def main(arguments: Sequence[str]) -> int:
    """Run the verb. Exit code 1 if a clip failed."""
    options, _ = parse(Windows, arguments, with_params=False)
    store = Store(options.store)
    api.check_folder(options.to, store, options.as_)
    return _annotations(store, options) if options.as_ == "ava-asd" else _windows(store, options)


def _windows(store: Store, options: Windows) -> int:
    plan = api.plan_windows(store, options.params)
    if not options.json:
        print("\n".join(plan_lines(plan)), flush=True)
    counts: Counter[str] = Counter()
    total = sum(len(part.used) for part in plan.sets.values())
    for number, done in enumerate(() if options.dry_run else api.write_windows(plan, options.to), 1):
        counts["failed" if done.failure else "made" if done.made else "kept"] += 1
        if not options.json:
            print(f"[{number}/{total}] {clip_line(done)}", flush=True)
    if options.json:
        print(msgspec.json.encode({**api.about(plan), "arrays": counts}).decode())
    elif options.dry_run:
        print(f"{options.to}: {total} clips would be cut; nothing is written")
    else:
        said = ", ".join(f"{count} {what}" for what, count in sorted(counts.items()))
        print(f"{options.to}: clips: {said}; clips.csv lists them, windows.json tells how they were drawn")
    return int(counts["failed"] > 0)


def _annotations(store: Store, options: Windows) -> int:
    plan = api.plan_annotations(store, options.params)
    paths = [] if options.dry_run else api.write_annotations(plan, options.to)
    if options.json:
        sets = {name: {"windows": len(it.windows), "funnel": it.funnel} for name, it in plan.sets.items()}
        print(msgspec.json.encode({"sets": sets, "left_out": plan.left_out, "files": list(map(str, paths))}).decode())
    else:
        print("\n".join([*annotation_lines(plan), *(f"wrote {path}" for path in paths)]))
    return 0
