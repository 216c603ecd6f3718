"""What the page of a large store costs, to write and to open."""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

from bench.children import prepare, python
from bench.films import small
from bench.table import Row, Table, at_most, spread

RECORDINGS, RUNS = 500, 5
TIMER = """<script>addEventListener("load", () => setTimeout(() => {
  void document.body.offsetHeight;
  document.documentElement.innerHTML = "took " + performance.now() + " ms";
}))</script>"""
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "headless_shell")


def measure() -> list[Table]:
    """`report.html` of a store whose recordings are all alike: one is prepared, the others are copies of its folder."""
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "store"
        prepare([small(10)], store, "--no-report")
        (one,) = (store / "recordings").iterdir()
        for number in range(1, RECORDINGS):
            shutil.copytree(one, store / "recordings" / f"copy-{number:03d}-{one.name[-8:]}")
        wrote = [python("-m", "bench.report", str(store)) for _ in range(RUNS)]
        page = store / "report.html"
        rows = [
            Row("writing it", spread((cost.said["wall_s"] for cost in wrote), " s")),
            Row("CPU of that", f"{median(cost.said['cpu_s'] for cost in wrote):.3g} s"),
            Row("a recording", f"{1000 * median(cost.said['cpu_s'] for cost in wrote) / RECORDINGS:.3g} ms"),
            Row("peak memory", f"{median(cost.peak_mb for cost in wrote):.0f} MB"),
            Row("size", f"{page.stat().st_size / 1e6:.3g} MB"),
            *_opening(page, Path(folder)),
        ]
    notes = (f"{RECORDINGS} recordings of 10 s with two tracks each; medians of {RUNS} runs.",)
    return [Table("report.html", rows, notes)]


def _opening(page: Path, folder: Path) -> list[Row]:
    """How long a browser takes from asking for the page to having it all laid out, by its own clock."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        return [Row("opening it", "no Chromium is installed here")]
    timed = folder / "timed.html"
    timed.write_text(page.read_text(encoding="utf-8") + TIMER, encoding="utf-8")
    flags = ("--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}/browser", "--dump-dom")
    loaded, whole = [], []
    for _ in range(RUNS):
        began = perf_counter()
        done = subprocess.run(
            [browser, *flags, timed.as_uri()], check=True, capture_output=True, text=True, timeout=300
        )
        whole.append(perf_counter() - began)
        loaded.append(float(done.stdout.split("took ")[1].split(" ms")[0]) / 1000)
    return [
        at_most("opening it in headless Chromium, to its load event", median(loaded), 2, " s"),
        Row("the same, from starting the browser to its end", spread(whole, " s")),
    ]


def _write(store: str) -> dict[str, float]:
    from phonoscope.report.page import write_report
    from phonoscope.store.folder import Store

    wall_s, cpu_s = perf_counter(), process_time()
    write_report(Store(store))
    return {"wall_s": perf_counter() - wall_s, "cpu_s": process_time() - cpu_s}


if __name__ == "__main__":
    print(json.dumps(_write(sys.argv[1])))
