"""AnnoTheia's table: every stretch of speech once, at its true time, with what is known of it and what was said."""

import csv
import json
import re
import subprocess
import sys
from fractions import Fraction

import imageio_ffmpeg
import numpy as np
import pytest

from phonoscope import Store
from phonoscope.cli.main import main
from phonoscope.core.errors import UsageError
from phonoscope.core.faces import Shots, Track, Tracks
from phonoscope.core.time import Span
from phonoscope.data.pack import AnnotheiaParams, pack
from phonoscope.data.pack.annotheia import COLUMNS
from phonoscope.data.pack.scenes import Scene, words_between
from phonoscope.job import prepare
from phonoscope.models.protocols import Word
from phonoscope.store.receipts import BY_CORPUS, Receipt
from phonoscope.testing.known import PAIR, known_points, save_asd
from phonoscope.testing.packs import stamps

FAKE = """
import numpy as np
from collections import namedtuple
Word, Segment = namedtuple("Word", "word start end"), namedtuple("Segment", "words")
class WhisperModel:
    def __init__(self, name, device, compute_type, cpu_threads):
        self.name = name
    def transcribe(self, audio, language, word_timestamps):
        assert audio.dtype == np.float32 and word_timestamps
        said = [language, self.name, str(len(audio))]
        words = [Word(" " + it, 0.5 * k, 0.5 * k + 0.4) for k, it in enumerate(said)]
        return iter([Segment(words), Segment(None)]), None
"""


@pytest.fixture
def whisper(tmp_path, monkeypatch):
    """A module in place of faster-whisper."""
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "faster_whisper.py").write_text(FAKE)
    monkeypatch.syspath_prepend(tmp_path / "lib")
    yield
    sys.modules.pop("faster_whisper", None)


@pytest.fixture
def scored(pair):
    """Two people; the first speaks in frames 2 to 17, the second, who comes at frame 5, in 11 to 29 with a hole."""
    scores = {track.id: np.full(len(track), -9.0) for track in pair.load("tracks")}
    scores[0][2:18] = scores[1][6:25] = 5
    scores[1][12] = -20
    save_asd(pair, scores)
    pair.save("shots", Shots((Span(0, 30),), Fraction(25)), Receipt(key="shots", step="shots", version=1))
    return pair


def told(stored, to, **settings):
    (told,) = pack(stored.folder.parents[1], to, "annotheia", params=AnnotheiaParams(**settings)).carry_out()
    assert told.failure is None, told.failure
    with (to / "scenes.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
        assert tuple(csv.DictReader([(to / "scenes.csv").read_text().splitlines()[0]]).fieldnames or ()) == COLUMNS
    return rows


def test_every_stretch_that_is_long_enough_has_its_row(scored, tmp_path):
    rows = told(scored, tmp_path / "a", smoothing=1)
    id = scored.recording.id
    assert [(row["sample_start"], row["sample_end"], row["duration"], row["speaker"]) for row in rows] == [
        ("0.08", "0.72", "0.64", "0"), ("0.72", "1.2", "0.48", "1"),
    ]  # fmt: skip
    share = 1 / (1 + np.exp(-5))
    for row in rows:
        assert row["video"] == id and row["scene_start"] == "0" and row["transcription"] == row["scene_path"] == ""
        assert float(row["avg_confidence"]) == pytest.approx(share, abs=1e-6)
    assert len(told(scored, tmp_path / "b", smoothing=1, min_length=13)) == 1
    assert (tmp_path / "a" / id / f"{id}.csv").read_text() == (tmp_path / "a" / "scenes.csv").read_text()


def test_times_are_those_of_a_track_that_comes_late_and_confidence_is_that_of_the_stretch(scored, tmp_path):
    rows = told(scored, tmp_path / "a", smoothing=1, min_length=5)
    late = [row for row in rows if row["speaker"] == "1"]
    assert [(float(it["sample_start"]) * 25, float(it["sample_end"]) * 25) for it in late] == [(11, 17), (18, 30)]
    assert all(float(it["avg_confidence"]) > 0.99 for it in late)  # though the track has silent frames


def test_what_is_known_of_a_scene_lies_in_an_npz_without_pickle(scored, tmp_path):
    (row, *_) = told(scored, tmp_path / "a")
    with np.load(tmp_path / "a" / row["pickle_path"], allow_pickle=False) as known:
        assert json.loads(str(known["words"])) == []
        for track in scored.load("tracks"):
            of = {name.split("/")[1]: known[name] for name in known if name.startswith(f"{track.id}/")}
            assert of["frames"].tolist() == [*range(track.start, track.span.stop)]
            np.testing.assert_array_equal(of["face_boundings"], track.box)
            np.testing.assert_array_equal(of["face_landmarks"], known_points(PAIR)[track.id])
            np.testing.assert_array_equal(of["asd_labels"], of["asd_scores"] > 0.04)


def test_recursive_smoothing_is_to_be_had_by_name(scored, tmp_path):
    plain, recursive = (
        told(scored, tmp_path / str(it), recursive=it, threshold=0.5, min_length=1) for it in (False, True)
    )
    assert [row["sample_end"] for row in plain] != [row["sample_end"] for row in recursive]


def test_what_a_corpus_s_tracks_lack_is_made_by_the_command_that_is_named(puppets, tmp_path):
    store = tmp_path / "store"
    (outcome,) = prepare([puppets], store, ()).carry_out()
    stored = Store(store)[outcome.recording]
    track = Track(
        0, 0, np.tile(np.array([80, 40, 240, 200], np.float32), (100, 1)), np.ones(100, np.float32), np.ones(100, bool)
    )
    stored.save("tracks", Tracks((track,)), Receipt(key="0123456789abcdef", step=BY_CORPUS, version=1))
    (told,) = pack(store, tmp_path / "a", "annotheia").carry_out()
    assert told.failure is not None
    (command,) = re.findall(r"has no asd and no shots: `phonoscope (.*)` makes them$", told.failure.message)
    assert command == f"run asd shots {store}"
    assert main([*command.split(), "--asd.model", "motion", "--no-report"]) == 0
    assert {"asd", "shots"} <= {*stored.fresh} and "faces" not in stored.fresh
    (told,) = pack(store, tmp_path / "a", "annotheia").carry_out()
    assert told.failure is None and told.made


def test_the_same_gives_the_same_bytes_and_the_second_time_nothing_is_written(scored, tmp_path):
    told(scored, tmp_path / "a")
    told(scored, tmp_path / "b")
    paths = [path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*.npz")]
    assert paths and all((tmp_path / "a" / it).read_bytes() == (tmp_path / "b" / it).read_bytes() for it in paths)
    before = stamps(tmp_path / "a")
    told(scored, tmp_path / "a")
    assert stamps(tmp_path / "a") == before


def test_a_film_of_each_scene_has_its_pictures_and_its_sound(scored, tmp_path):
    (row, *_) = told(scored, tmp_path / "a", save_scenes=True)
    run = [
        imageio_ffmpeg.get_ffmpeg_exe(),
        "-v",
        "info",
        "-i",
        str(tmp_path / "a" / row["scene_path"]),
        "-f",
        "null",
        "-",
    ]
    said = subprocess.run(run, capture_output=True, text=True, check=True).stderr
    assert "Duration: 00:00:01.20, start: 0.000000" in said and "frame=   30" in said and "aac" in said


def test_words_are_those_that_were_heard_in_the_stretch(scored, tmp_path, whisper):
    rows = told(scored, tmp_path / "a", smoothing=1, asr="tiny", language="sw")
    assert [row["transcription"] for row in rows] == ["sw tiny", str(scored.recording.num_samples)]
    with np.load(tmp_path / "a" / rows[0]["pickle_path"]) as known:
        assert [it["text"] for it in json.loads(str(known["words"]))][:2] == [" sw", " tiny"]


def test_without_the_extra_transcripts_are_refused_in_one_line(scored, tmp_path):
    with pytest.raises(UsageError, match=r"pip install 'phonoscope\[asr\]'"):
        AnnotheiaParams(asr="small")


WORDS = [Word(" a", 0, 0.3), Word(" b", 0.5, 0.9), Word(" c", 1.0, 1.4), Word(" d", 1.5, 1.9), Word(" e", 3, 3.2)]


@pytest.mark.parametrize(
    ("start", "stop", "said"),
    [
        (0, 50, "a b c d"),  # seconds 0 to 2: the last word near the start is a
        (25, 35, "c"),  # 1.0 to 1.4: both b and c are near 1.0, the last of them counts
        (52, 60, "d"),  # 2.08 to 2.4: d, which ended at 1.9, is near
        (60, 100, "e"),  # 2.4 to 4: no word is near the start, e is the first that comes
        (120, 130, ""),
    ],
)
def test_the_first_word_is_near_the_start_and_the_last_begins_within(start, stop, said):
    scene = Scene(0, Span(0, 200), ())
    assert words_between(WORDS, scene, Span(start, stop), Fraction(25), 0.3) == said
