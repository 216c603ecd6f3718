"""`phonoscope mix`: voices of a store heard at once, to learn and to test how to part them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from tyro.conf import Positional, arg

from phonoscope.cli.options import parse
from phonoscope.data import mix_avspeech, mix_job
from phonoscope.data.mix_folder import MixFolder
from phonoscope.data.mix_plan import MixPlan, PlanParams, plan_mixtures
from phonoscope.data.mixing import MixParams
from phonoscope.report.wording import count
from phonoscope.store.folder import Store


@dataclass(frozen=True, kw_only=True)
class Mix:
    """Mix voices of different people of a store; write the mixtures, and what each voice is in them.

    phonoscope mix films --to mixtures --dry-run
    phonoscope mix films --to mixtures --max 2000 --seconds 3
    phonoscope mix films --to mixtures --speakers 3 --noise babble --noise-db 0 15 --responses rooms
    phonoscope mix films --to database --layout avspeech --max-missing 0

    phonoscope: a folder a set, in it mixtures.parquet, mix/NAME.wav, s1/NAME.wav, s2/NAME.wav, as `phonoscope evaluate
    separation` reads them. avspeech: spectra, complex ratio masks and lists of seed 000; voices are mixed by 1/P.

    Speakers never share a set, and no mixture has one twice. The same command again goes on, and then makes nothing.
    """

    store: Positional[Path | str]
    to: Path  # a new folder, or one of mixtures in the same layout
    layout: Literal["phonoscope", "avspeech"] = "phonoscope"
    plan: Annotated[PlanParams, arg(name="")] = field(default_factory=PlanParams)
    mix: Annotated[MixParams, arg(name="")] = field(default_factory=MixParams)
    dry_run: bool = False  # say what would be mixed, and write nothing
    json: bool = False  # one JSON object, for programs


def main(arguments: Sequence[str]) -> int:
    """Run the verb. Exit code 1 if a mixture failed."""
    options, _ = parse(Mix, arguments, with_params=False)
    store, seed = Store(options.store), options.layout == mix_avspeech.LAYOUT
    MixFolder(options.to, store, options.layout)  # refuses what it must before anything is listened to
    if seed:
        mix_avspeech.check_layout(options.plan, options.mix)
    plan = plan_mixtures(store, options.plan, options.mix, one_each=seed)
    if not options.json:
        print("\n".join(_plan_lines(plan)), flush=True)
    write = mix_avspeech.write_avspeech if seed else mix_job.write_mixtures
    counts: Counter[str] = Counter()
    failures: dict[str, str] = {}
    for number, told in enumerate(() if options.dry_run else write(plan, options.to), 1):
        counts["failed" if told.failure else "made" if told.made else "kept"] += 1
        if told.failure:
            failures[told.name] = f"{told.failure.reason}: {told.failure.message}"
        if not options.json and (told.failure or number % 100 == 0 or number == len(plan)):
            print(f"[{number}/{len(plan)}] {failures.get(told.name, told.name)}", flush=True)
    _end(options, plan, counts, failures)
    return int(counts["failed"] > 0)


def _plan_lines(plan: MixPlan) -> list[str]:
    """What each set gets, what is left out and what is odd."""
    said = []
    for name, part in plan.sets.items():
        people = f"{count(len(part.pieces), 'voice')} of {count(part.speakers, 'speaker')}"
        seconds = plan.params.frames / 25
        said.append(
            f"{name}: {people}, {count(len(part), 'mixture')} of {part.combos.total} possible, {seconds:g} s each"
        )
    said += [f"left out {name}: {why}" for name, why in plan.left_out.items()]
    return said + [f"note {name}: {what}" for name, what in plan.notes.items()]


def _end(options: Any, plan: MixPlan, counts: Counter[str], failures: dict[str, str]) -> None:
    if options.json:
        told = {**mix_job.about(plan), "mixtures": counts, "failures": failures}
        print(msgspec.json.encode(told).decode())
    elif options.dry_run:
        print(f"{options.to}: {count(len(plan), 'mixture')} would be made; nothing is written")
    else:
        said = ", ".join(f"{number} {what}" for what, number in sorted(counts.items()))
        print(f"{options.to}: mixtures: {said}")
