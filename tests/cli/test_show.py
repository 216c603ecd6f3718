"""`phonoscope show`."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from phonoscope.cli.main import main
from phonoscope.cli.show import find
from phonoscope.core.errors import UsageError
from phonoscope.core.faces import Shots, Track, Tracks, TrackTable
from phonoscope.core.geometry import Crops, crop_track
from phonoscope.core.media import Clock, Recording
from phonoscope.core.series import Series
from phonoscope.core.time import Span
from phonoscope.store.codecs import write_recording
from phonoscope.store.folder import Store
from phonoscope.store.receipts import Receipt, write_receipts
from phonoscope.store.recording import StoredRecording
from phonoscope.store.tables import write_clock

ID = "talk-0a1b2c3d"


@pytest.fixture
def where(tmp_path: Path) -> str:
    """A store with one recording of 50 frames: `STORE/talk`."""
    folder = Store.create(tmp_path / "my [films]").root / "recordings" / ID
    folder.mkdir(parents=True)
    notes = ("rotated by 90°", "[red]odd[/red]")
    recording = Recording(
        ID, "file:///a/my%20talk.mp4", "0" * 64, Fraction(25), 50, 64, 48, 0, 0, Fraction(0), notes=notes
    )
    write_recording(folder / "recording.json", recording)
    write_clock(folder / "clock.parquet", Clock(np.arange(50) // 2, Fraction(1, 25)))
    write_receipts(
        folder, dict.fromkeys(("recording", "clock"), Receipt(key="k1", step="ingest", version=1, seconds=0.5))
    )
    stored, track = StoredRecording(folder), _track()
    values = {
        "shots": Shots((Span(0, 20), Span(20, 50)), Fraction(25)),
        "tracks": Tracks((track,)),
        "crops": Crops((crop_track(track, "asd"),)),
        "asd": TrackTable(np.full(20, 7), np.arange(10, 30), {"score": np.repeat([1.0, -1.0], [5, 15])}),
        "vad": Series(np.linspace(0, 1, 200, dtype=np.float32), Fraction(100), Fraction(1, 200)),
    }
    for name, value in values.items():
        made = Receipt(key=name, step=name, version=3, seconds=1.25, card="drawn@1", params={"every": 5})
        stored.save(name, value, made)
    return f"{tmp_path}/my [films]/talk"


def _track() -> Track:
    box = np.tile(np.array([10, 10, 34, 40], np.float32), (20, 1))
    observed = np.arange(20) % 2 == 0
    return Track(7, 10, box, np.where(observed, 0.9, np.nan).astype(np.float32), observed)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "recording",
            ["my talk.mp4", "0:02.0, 50 frames", "64 × 48 px, 25 fps", "rotated by 90°", "[red]odd[/red]", "none"],
        ),
        ("clock", ["50 at 25 a second", "1/25 s", "25 frames show the picture before them again"]),
        ("shots", ["0.0–0.8 s", "0.8–2.0 s"]),
        ("tracks", ["7", "0.4–1.2 s", "30 px", "50 %", "25 %"]),
        ("crops", ["224 × 224", "asd"]),
        ("asd", ["20 in 1 track", "-1 to 1, mean -0.5"]),
        ("vad", ["200", "100 rows a second", "0.005 s", "0 to 1, mean 0.5"]),
    ],
)
def test_an_artifact_is_told_in_words(where, capsys, name, said):
    assert main(["show", where, name]) == 0
    told = capsys.readouterr().out
    assert all(part in told for part in said), told
    assert "made by" in told


def test_the_receipt_is_told(where, capsys):
    main(["show", where, "tracks"])
    told = capsys.readouterr().out
    assert all(part in told for part in ("tracks v3 in 1.2 s", "drawn@1", "every = 5"))


@pytest.mark.parametrize("way", ["talk", "recordings/talk", f"recordings/{ID}/", ID, "0a1b"])
def test_a_recording_is_found_by_any_part_of_its_id(where, way):
    assert find(where.removesuffix("talk") + way).folder.name == ID


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["{where}", "trakcs"], "did you mean 'tracks'?"),
        (["{where}", "mfcc"], f"--only {ID}` makes it"),
        (["{where}", "audio"], "has no sound"),
        (["{where}x", "tracks"], "no 'talkx'"),
        (["talk", "tracks"], "names no recording"),
        (["{store}", "tracks"], "which of its recordings?"),
        (["nowhere/talk", "tracks"], "no store at 'nowhere'"),
        (["{where}", "tracks", "--to", "x.gif"], "ends in .png or .mp4"),
    ],
)
def test_a_mistake_is_one_line_that_says_what_to_do(where, capsys, arguments, said):
    store = where.removesuffix("/talk")
    assert main(["show", *(a.format(where=where, store=store) for a in arguments)]) == 2
    told = capsys.readouterr().err
    assert said in told and told.count("\n") == 1


def test_a_picture_is_written_where_it_is_wanted(where, capsys, tmp_path):
    assert main(["show", where, "vad", "--to", str(tmp_path / "vad.png")]) == 0
    assert (tmp_path / "vad.png").read_bytes().startswith(b"\x89PNG")
    assert capsys.readouterr().out.strip() == str(tmp_path / "vad.png")


def test_a_store_by_itself_is_no_recording(where):
    with pytest.raises(UsageError, match="status"):
        find(where.removesuffix("/talk"))
