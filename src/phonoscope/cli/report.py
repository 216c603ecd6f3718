"""`phonoscope report`: the store on one page."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from phonoscope.cli.options import parse
from phonoscope.report.page import write_report
from phonoscope.store.folder import Store
from phonoscope.store.lock import alone


@dataclass(frozen=True, kw_only=True)
class Report:
    """Write STORE/report.html: the funnel, failures, a timeline and thumbnails a recording, timings.

    phonoscope report films
    """

    store: Positional[Path | str]


def main(arguments: Sequence[str]) -> int:
    """Run the verb."""
    options, _ = parse(Report, arguments, with_params=False)
    store = Store(options.store)
    with alone(store.root / ".report.lock"):  # a job may be writing the page at this moment
        print(write_report(store))
    return 0
