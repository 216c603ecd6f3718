"""The main job on media that others have broken, and on films with names that nobody should give."""

import hashlib
import re
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest

from phonoscope import Store, prepare
from phonoscope.flow.ingest import given_of
from phonoscope.job import STEPS
from phonoscope.report.page import write_report
from phonoscope.testing.puppet import film, one_head
from phonoscope.testing.quick import quick_job

PAGE = Path(__file__).parents[2] / "docs" / "steps" / "ingest.md"
TIMEOUT_S = 120.0  # for one film; the slowest needs a few seconds
EMOJI = "🎬"
NAMES = {
    'it\'s "quoted".mp4': "it-s-quoted",
    "  spaces  before and after  .mp4": "spaces-before-and-after",
    "-leading dash.mp4": "leading-dash",
    "--to.mp4": "to",
    "100 %20 #1?.mp4": "100-20-1",
    "two\nlines.mp4": "two-lines",
    f"{EMOJI}.mp4": "film",
    "<b>bold.mp4": "b-bold",
    "x" * 220 + ".mp4": "x" * 60,
    "y" * 251 + ".mp4": "y" * 60,  # 255 bytes: the most that a file system takes
}


def hashes(folder: Path) -> dict[Path, str]:
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


@pytest.mark.real
@pytest.mark.slow
def test_every_broken_film_has_one_outcome_and_a_failure_a_reason(shared_data, shared_weights, tmp_path):
    films, before = shared_data / "f_nasty_media", hashes(shared_data / "f_nasty_media")
    wanted = {*STEPS} - {"speech"}  # which has no model of ours
    if find_spec("dlib") is None:  # the only model that embeds faces is an extra
        wanted -= {"embeddings", "people"}
    job = prepare([films], tmp_path / "films", tuple(wanted))
    outcomes = {outcome.source: outcome for outcome in job.carry_out(jobs=2, timeout_s=TIMEOUT_S)}
    assert len(job.items) == len(before) and sorted(outcomes) == sorted(path.as_uri() for path in before)
    documented = set(re.findall(r"`([a-z-]+)`", "\n".join(re.findall(r"^\|.*?\|", PAGE.read_text("utf-8"), re.M))))
    failures = [outcome.failure for outcome in outcomes.values() if outcome.failure]
    for failure in failures:
        assert failure.reason in documented - {"error", "crashed", "timeout"}, failure
        assert failure.message and failure.message.isprintable() and failure.detail == ""
    store = Store(tmp_path / "films")
    assert len(store) == len(outcomes) - len(failures) > 0
    for outcome in outcomes.values():
        if not outcome.failure:
            recording, receipts = store[outcome.recording].recording, store[outcome.recording].receipts
            assert recording.num_frames >= 1
            assert {*given_of(recording), *wanted} == {*receipts, *outcome.skipped}
            assert not {*receipts} & {*outcome.skipped}
    assert hashes(films) == before


def test_films_with_awkward_names_are_all_made_and_all_on_the_report(tmp_path):
    tiny = film(tmp_path / "tiny.mp4", one_head(0.4))
    folder = tmp_path / "the films"
    folder.mkdir()
    for name in NAMES:
        shutil.copyfile(tiny, folder / name)
    outcomes = list(quick_job([folder / name for name in NAMES], tmp_path / "films").carry_out())
    assert not [outcome.failure for outcome in outcomes if outcome.failure]
    store = Store(tmp_path / "films")
    made = {store[id].source.name: id.rpartition("-")[0] for id in store}
    assert made == NAMES
    page = write_report(store).read_text("utf-8")
    assert all(id in page for id in store)
