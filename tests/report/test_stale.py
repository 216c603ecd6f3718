"""What is stale or lost is shown, counted and told as if it had not been made."""

import fcntl
import json
from dataclasses import replace

import pytest

from phonoscope.cli import report
from phonoscope.cli.main import main
from phonoscope.cli.status import survey
from phonoscope.core.errors import UsageError
from phonoscope.core.faces import Tracks
from phonoscope.report.draw import draw
from phonoscope.report.facts import funnel, recording_facts, store_facts
from phonoscope.report.page import write_report
from phonoscope.report.words import words

STALE = ["asd", "crop_video", "crops", "thumbs"]


@pytest.fixture
def stored(add):
    """A recording whose tracks have been made anew with other settings, and nothing of what follows them."""
    stored = add(crop_video=True, film=True)
    stored.save("tracks", Tracks(), replace(stored.receipts["tracks"], key="other"))
    return stored


def test_the_page_leaves_out_what_is_stale(store, stored):
    facts = recording_facts(stored)
    assert (facts.tracks, facts.tracked_frames, facts.speaking_frames) == ((), 0, None)
    assert not {*STALE} & {*facts.seconds}
    assert [stage.recordings for stage in funnel(store_facts(store))] == [1, 1, 1, 0]
    write_report(store)


@pytest.mark.parametrize("name", STALE)
def test_what_is_stale_is_not_shown(stored, name, tmp_path):
    said = f"'{name}' was made from other tracks: `phonoscope run {name} .*` makes it anew"
    with pytest.raises(UsageError, match=said):
        list(words(stored, name))
    for to in ("x.png", "x.mp4") if name == "asd" else ("x.png",):
        with pytest.raises(UsageError, match=said):
            draw(stored, name, tmp_path / to)
    assert not [*tmp_path.glob("*x.*")]


def test_tracks_are_drawn_without_stale_scores(stored, tmp_path):
    draw(stored, "tracks", tmp_path / "x.png")
    assert (tmp_path / "x.png").exists()


def test_status_lists_what_is_stale(store, stored, capsys):
    assert main(["status", str(store.root), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["stale"] == dict.fromkeys(STALE, 1) and not {*STALE} & {*found["artifacts"]}
    (recording,) = found["recordings"]
    assert recording["stale"] == STALE and "tracks" in recording["artifacts"]
    main(["status", str(store.root)])
    assert f"asd               1   stale: made from what has changed since; phonoscope run asd {store.root}" in (
        capsys.readouterr().out
    )


@pytest.mark.parametrize(
    ("lost", "of"),
    [
        ("vad.json", "vad"),
        ("mfcc.json", "mfcc"),
        ("audio.flac", "audio"),
        ("crops.parquet", "crops"),
        ("crops/0.mp4", "crop_video"),
        ("thumbs/0.jpg", "thumbs"),
    ],
)
def test_what_is_lost_is_as_if_it_had_not_been_made(store, add, lost, of):
    stored = add(crop_video=True)
    (stored.folder / lost).unlink()
    write_report(store)
    assert of not in survey(store)["artifacts"]
    with pytest.raises(UsageError, match=f"has no '{of}' yet: `phonoscope run|has lost its '{of}': prepare its film"):
        list(words(stored, of))


def test_a_silent_film_is_not_promised_what_takes_sound(add):
    with pytest.raises(UsageError, match=r"makes it, unless that takes sound, of which there is none$"):
        list(words(add("silent.mp4", sound=False), "quality"))
    with pytest.raises(UsageError, match=r"makes it$"):
        list(words(add(), "landmarks"))


def test_the_page_is_written_by_one_at_a_time(store, monkeypatch):
    def write(store):
        with (store.root / ".report.lock").open("w") as file, pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return write_report(store)

    monkeypatch.setattr(report, "write_report", write)
    assert main(["report", str(store.root)]) == 0
    assert (store.root / "report.html").exists() and not (store.root / ".report.lock").exists()
