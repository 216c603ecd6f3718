"""Accepted rows become clips: as many frames and samples as their times say, the store's own sound, the right face."""

import csv
import errno
import re
import shutil
import subprocess
import wave
from fractions import Fraction
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from phonoscope.cli.pack import main
from phonoscope.core.clips import Listed
from phonoscope.core.errors import UsageError
from phonoscope.core.faces import Shots
from phonoscope.core.time import Span
from phonoscope.data.pack import AnnotheiaClipsParams, AnnotheiaParams, pack
from phonoscope.data.pack import annotheia_clips as layout
from phonoscope.data.pack.accepted import Row, names_of
from phonoscope.data.pack.annotheia import COLUMNS, _seconds
from phonoscope.flow.streams import Film, PartFolder, drive
from phonoscope.media.video import decode
from phonoscope.steps.face_crops import FaceCropsParams, face_crops
from phonoscope.store.codecs import read_track_arrays
from phonoscope.store.receipts import Receipt
from phonoscope.testing.known import MUTE, PAIR, known_points, known_store, save_asd, save_landmarks
from phonoscope.testing.packs import stamps, tree

GUI = [name for name in COLUMNS if name != "scene_path"]  # what AnnoTheia's window writes of accepted rows
EDGES = {"_0000008_0000072": Span(2, 18), "_0000072_0000120": Span(18, 30)}  # hundredths of a second at 25 a second
RATES = [Fraction(24000, 1001), Fraction(25), Fraction(30000, 1001), Fraction(50), Fraction(60000, 1001), Fraction(100)]


@pytest.fixture
def scored(pair):
    """Two people; the first speaks in frames 2 to 17, the second in 18 to 29."""
    scores = {track.id: np.full(len(track), -30.0) for track in pair.load("tracks")}
    scores[0][2:18] = scores[1][13:25] = 5
    save_asd(pair, scores)
    pair.save("shots", Shots((Span(0, 30),), Fraction(25)), Receipt(key="shots", step="shots", version=1))
    return pair


def accepted(stored, to: Path, columns=GUI, texts=("habari ya asubuhi", 'nzuri, "sana"'), **changes) -> Path:
    """The rows of both people as the window leaves them; `changes` are lists of cells."""
    cells = {
        "video": [stored.recording.id] * 2, "scene_start": [0, 0], "sample_start": ["0.08", "0.72"],
        "sample_end": ["0.72", "1.2"], "duration": ["0.64", "0.48"], "speaker": [0, 1], "transcription": texts,
        "pickle_path": ["", ""], "scene_path": ["", ""], "avg_confidence": ["0.9", "0.9"], "": [0, 1],
    } | changes  # fmt: skip
    with to.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(columns)
        table.writerows(zip(*(cells[name] for name in columns), strict=True))
    return to


def packed(stored, to: Path, rows: Path | None = None, **settings):
    """What was told of the recording, then of strays; nothing failed."""
    params = AnnotheiaClipsParams(rows=rows, **settings)
    *strays, told = pack(stored.folder.parents[1], to, "annotheia-clips", params=params).carry_out()
    assert told.failure is None, told.failure
    return told, *strays


def ffmpeg(*arguments: str | Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), *map(str, arguments)], capture_output=True, check=True)


def transcriptions(to: Path) -> list[dict[str, str]]:
    with (to / "transcriptions.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_each_row_is_as_many_frames_and_samples_as_ffmpeg_counts(scored, tmp_path):
    told, *_ = packed(scored, tmp_path / "out", accepted(scored, tmp_path / "scenes_annotated.csv"))
    assert told.made == tuple(scored.recording.id + it for it in EDGES) and not told.left_out
    for name, span in zip(told.made, EDGES.values(), strict=True):
        film = tmp_path / "out" / "MP4s" / f"{name}.mp4"
        said = ffmpeg("-v", "info", "-i", film, "-f", "null", "-").stderr.decode()
        assert "h264" in said and "25 fps" in said and "aac" in said and "start: 0.000000" in said
        assert f"{scored.recording.width}x{scored.recording.height}" in said
        assert len(ffmpeg("-v", "error", "-i", film, "-f", "s16le", "-").stdout) // 2 == len(span) * 640
        pictures = ffmpeg("-v", "error", "-i", film, "-f", "rawvideo", "-pix_fmt", "rgb24", "-").stdout
        shown = np.frombuffer(pictures, np.uint8).reshape(len(span), scored.recording.height, -1, 3)
        assert np.abs(shown.astype(int) - scored.frames(span)).mean(axis=(1, 2, 3)).max() < 4
        with wave.open(str(tmp_path / "out" / "WAVs" / f"{name}.wav")) as sound:
            assert sound.getparams()[:4] == (1, 2, 16000, len(span) * 640)


def test_the_wav_is_the_stores_sound_bit_for_bit(scored, tmp_path):
    told, *_ = packed(scored, tmp_path / "out", accepted(scored, tmp_path / "rows.csv"))
    whole, _ = soundfile.read(scored.path("audio"), dtype="int16")
    for name, span in zip(told.made, EDGES.values(), strict=True):
        with wave.open(str(tmp_path / "out" / "WAVs" / f"{name}.wav")) as sound:
            heard = np.frombuffer(sound.readframes(sound.getnframes()), "<i2")
        np.testing.assert_array_equal(heard, whole[span.start * 640 : span.stop * 640])


@pytest.mark.parametrize("policy", ["asd", "aligned"])
def test_faces_are_those_of_face_crops_of_the_whole_track(scored, tmp_path, policy):
    points = {id: values.copy() for id, values in known_points(PAIR).items()}
    points[1][14:17] = np.nan
    save_landmarks(scored, points)
    (tmp_path / "crops").mkdir()
    cut = FaceCropsParams(policy=policy)
    tracks, recording = scored.load("tracks"), scored.recording
    step = face_crops(Film(recording), tracks, scored.load("landmarks"), PartFolder(tmp_path / "crops"), cut)
    drive(step, decode(scored.source, scored.clock, [recording.span]))
    crops = read_track_arrays(tmp_path / "crops")
    told, *_ = packed(scored, tmp_path / "out", accepted(scored, tmp_path / "rows.csv"), policy=policy)
    for id, (name, span) in enumerate(zip(told.made, EDGES.values(), strict=True)):
        track = tracks[id]
        rows = slice(span.start - track.start, span.stop - track.start)
        with np.load(tmp_path / "out" / "FACEs" / f"{name}.npz", allow_pickle=False) as face:
            np.testing.assert_array_equal(face["data"], crops[id][rows])
            np.testing.assert_array_equal(face["frames"], np.arange(span.start, span.stop))
            np.testing.assert_array_equal(face["face_boundings"], track.box[rows])
            np.testing.assert_array_equal(face["missing"], crops.frames.of(id, "missing")[rows])
            assert face["missing"].sum() == (3 if policy == "aligned" and id == 1 else 0)


def test_without_rows_it_packs_the_rows_that_annotheia_writes(scored, tmp_path):
    list(pack(tmp_path / "films", tmp_path / "scenes", "annotheia", params=AnnotheiaParams()).carry_out())
    packed(scored, tmp_path / "a", tmp_path / "scenes" / "scenes.csv")
    told, *_ = packed(scored, tmp_path / "b")
    assert len(told.made) == 2 and tree(tmp_path / "a") == tree(tmp_path / "b")


@pytest.mark.parametrize(
    "columns", [COLUMNS, GUI, ["", *COLUMNS], [*reversed(GUI)]], ids=["ours", "annotated", "saved", "reversed"]
)
def test_every_table_that_its_window_writes_is_read(scored, tmp_path, columns):
    texts = ["habari\nya asubuhi", 'nzuri, "sana"']
    packed(scored, tmp_path / "out", accepted(scored, tmp_path / "rows.csv", columns, texts))
    assert transcriptions(tmp_path / "out") == [
        {"name": scored.recording.id + edges, "text": text, "speaker": str(speaker)}
        for speaker, (edges, text) in enumerate(zip(EDGES, texts, strict=True))
    ]
    assert (tmp_path / "out" / "TXTs" / f"{scored.recording.id}_0000008_0000072.txt").read_text() == texts[0]


def test_of_a_row_that_was_accepted_twice_the_last_text_stands(scored, tmp_path):
    twice = accepted(scored, tmp_path / "rows.csv", texts=["old", "new"], speaker=[0, "0.0"], sample_start=["0.08"] * 2,
                     sample_end=["0.72", "0.7199999"])  # fmt: skip
    told, *_ = packed(scored, tmp_path / "out", twice)
    assert len(told.made) == 1 and [row["text"] for row in transcriptions(tmp_path / "out")] == ["new"]


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        ({"speaker": [0, 7]}, "track 7, which is not there"),
        ({"speaker": [0, "ana"]}, "speaker must be a number, got 'ana'"),
        ({"speaker": [0, "0.5"]}, "speaker must be the number of a track"),
        ({"sample_start": ["0.08", "0.12"]}, r"frames \[3, 30\) of track 1, which has frames \[5, 30\)"),
        ({"sample_end": ["0.72", "1.3"]}, "which has frames"),
        ({"sample_end": ["0.72", "0.7"]}, "no frame lies between 0.72 and 0.7 s"),
        ({"sample_end": ["0.72", "nan"]}, "sample_end must be a number"),
        ({"sample_start": ["0.08", ""]}, "sample_start must be a number"),
    ],
)
def test_a_row_that_cannot_be_had_is_named_and_the_others_go_on(scored, tmp_path, cells, why):
    told, *strays = packed(scored, tmp_path / "out", accepted(scored, tmp_path / "rows.csv", **cells))
    assert told.made == (f"{scored.recording.id}_0000008_0000072",) and strays == []
    (line, said), *others = told.left_out.items()
    assert (line, others) == ("line 3", []) and re.search(why, said), said


def test_a_row_of_no_recording_is_named_and_the_others_go_on(scored, tmp_path):
    rows = accepted(scored, tmp_path / "rows.csv", video=["elsewhere", scored.recording.id], texts=["a\nb", "c"])
    told, stray = packed(scored, tmp_path / "out", rows)
    assert stray.recording == "rows.csv" and stray.left_out == {"line 2": "the store has no 'elsewhere'"}
    assert told.made == (f"{scored.recording.id}_0000072_0000120",)
    later = accepted(scored, tmp_path / "rows.csv", video=[scored.recording.id, "elsewhere"], texts=["a\nb", "c"])
    told, stray = packed(scored, tmp_path / "out", later)
    assert [*stray.left_out] == ["line 4"], "the text of the row before takes two lines"


def test_a_film_goes_by_the_name_that_its_corpus_has_for_it(scored, tmp_path):
    scored.list_as(Listed(corpus="vlogs", path="training/ana/a pair.mp4", speaker="ana", split="training"))
    rows = accepted(scored, tmp_path / "rows.csv", video=["training_ana_a pair", scored.recording.id])
    told, *strays = packed(scored, tmp_path / "out", rows)
    assert told.made == tuple(f"training_ana_a pair{it}" for it in EDGES) and not strays and not told.left_out


def test_faces_that_speak_at_the_same_time_have_names_of_their_own(scored, tmp_path):
    rows = accepted(scored, tmp_path / "rows.csv", sample_start=["0.72"] * 2, sample_end=["1.2"] * 2)
    told, *_ = packed(scored, tmp_path / "out", rows)
    assert told.made == tuple(f"{scored.recording.id}_0000072_0000120_{it}" for it in (0, 1))
    both = [np.load(tmp_path / "out" / "FACEs" / f"{it}.npz")["data"] for it in told.made]
    assert (both[0] != both[1]).any()


def test_the_second_time_nothing_is_written_and_then_only_what_was_changed(scored, tmp_path):
    rows, out = accepted(scored, tmp_path / "rows.csv"), tmp_path / "out"
    first, *_ = packed(scored, out, rows)
    before = stamps(out)
    again, *_ = packed(scored, out, rows)
    assert (again.made, again.kept) == ((), first.made) and stamps(out) == before
    told, *_ = packed(scored, out, accepted(scored, rows, texts=("habari ya asubuhi", "nzuri sana")))
    assert told.made == first.made[1:]
    changed = {path for path, stamp in stamps(out).items() if before[path] != stamp}
    assert changed == {f"TXTs/{first.made[1]}.txt", "transcriptions.csv", "pack.jsonl"}
    (out / "WAVs" / f"{first.made[0]}.wav").unlink()
    assert packed(scored, out, rows)[0].made == first.made[:1]


def test_a_row_that_was_taken_out_takes_its_clip_with_it_but_no_other_films(scored, tmp_path):
    out = tmp_path / "out"
    first, *_ = packed(scored, out, accepted(scored, tmp_path / "rows.csv"))
    packed(scored, out, accepted(scored, tmp_path / "others.csv", video=["x", "y"]))
    assert len(transcriptions(out)) == 2
    rows = accepted(scored, tmp_path / "rows.csv", sample_end=["0.72", "0.1"])
    told, *_ = packed(scored, out, rows)
    assert told.kept == first.made[:1] and [it["name"] for it in transcriptions(out)] == [first.made[0]]
    assert not [path for path in out.rglob("*") if first.made[1] in path.name]


def test_a_full_disk_leaves_nothing_half_and_the_next_run_mends_it(scored, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    out, rows = tmp_path / "out", accepted(scored, tmp_path / "rows.csv")
    with monkeypatch.context() as patched:
        patched.setattr(layout, "write_wav", full)
        (told,) = pack(tmp_path / "films", out, "annotheia-clips", params=AnnotheiaClipsParams(rows=rows)).carry_out()
    assert told.failure and told.failure.reason == "disk-full"
    assert sorted(path.name for path in out.iterdir() if path.suffix != ".lock") == [
        "clips.csv", "pack.jsonl", "transcriptions.csv",
    ]  # fmt: skip
    packed(scored, out, rows)
    packed(scored, tmp_path / "undisturbed", rows)
    assert tree(out) == tree(tmp_path / "undisturbed")


def test_a_dry_run_tells_the_same_and_writes_nothing(scored, tmp_path):
    params = AnnotheiaClipsParams(rows=accepted(scored, tmp_path / "rows.csv", video=[scored.recording.id, "x"]))
    stray, told = pack(tmp_path / "films", tmp_path / "out", "annotheia-clips", params=params).foretell()
    assert len(told.made) == len(stray.left_out) == 1 and not (tmp_path / "out").exists()


def test_what_is_no_such_table_is_refused_in_one_line(scored, tmp_path):
    (tmp_path / "rows.csv").write_text("video,start,end\na,0,1\n")
    with pytest.raises(UsageError, match="no table of AnnoTheia: it has no column sample_start, sample_end, speaker"):
        packed(scored, tmp_path / "out", tmp_path / "rows.csv")
    with pytest.raises(UsageError, match="there is no file"):
        packed(scored, tmp_path / "out", tmp_path / "nowhere.csv")
    assert not (tmp_path / "out").exists()


@given(
    fps=st.sampled_from(RATES),
    spans=st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 10**4)), min_size=1, max_size=20, unique=True),
)
def test_the_times_that_annotheia_writes_lead_back_to_their_frames_and_names_differ(fps, spans):
    stretches = [(0, Span(start, start + count)) for start, count in spans]
    for track, span in stretches:
        row = Row(2, "talk", _seconds(span.start / fps), _seconds(span.stop / fps), str(track), "")
        assert row.stretch(fps) == (track, span)
    names = names_of("talk", stretches, fps)
    assert len({*names}) == len(names) and all(set(name) <= {*"talk_0123456789"} for name in names)
    assert [*sorted(names)] == [name for _, name in sorted(zip([it for _, it in stretches], names, strict=True))]


def test_a_film_without_sound_is_left_out_and_said_to_be(films, tmp_path):
    silent = known_store(films / "mute.mp4", MUTE, tmp_path / "films")
    told, *_ = packed(silent, tmp_path / "out")
    assert told.left_out == {silent.recording.id: "it has no sound, so nobody speaks"} and not told.made


def test_aligned_faces_need_landmarks_and_say_how_to_get_them(scored, tmp_path):
    scored.forget("landmarks")
    params = AnnotheiaClipsParams(policy="aligned")
    (told,) = pack(tmp_path / "films", tmp_path / "out", "annotheia-clips", params=params).carry_out()
    assert told.failure and "has no 'landmarks'" in told.failure.message


def test_two_films_of_one_name_are_refused_and_not_mixed(scored, films, tmp_path):
    twin = known_store(shutil.copy(films / "a pair.mp4", tmp_path / "twin.mp4"), PAIR, tmp_path / "films")
    for stored in (scored, twin):
        stored.list_as(Listed(corpus="vlogs", path="talk.mp4"))
    rows = accepted(scored, tmp_path / "rows.csv", video=["talk", "talk"])
    params = AnnotheiaClipsParams(rows=rows)
    first, second = pack(tmp_path / "films", tmp_path / "out", "annotheia-clips", params=params).carry_out()
    assert first.made == tuple(f"talk{it}" for it in EDGES) and first.failure is None
    assert second.failure and "have one name in their corpus" in second.failure.message


def test_in_the_shell_every_row_that_was_left_out_is_told(scored, tmp_path, capsys):
    rows = accepted(scored, tmp_path / "rows.csv", video=[scored.recording.id, "x"], speaker=[7, 0])
    words = ["--as", "annotheia-clips", "--annotheia-clips.rows", str(rows), "--to", str(tmp_path / "out")]
    assert main([str(tmp_path / "films"), *words]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "rows.csv: line 3 left out (the store has no 'x')",
        f"{scored.recording.id}: line 2 left out (asked for frames [2, 18) of track 7, which is not there)",
        f"{tmp_path / 'out'}: 2 left out; {tmp_path / 'out' / 'clips.csv'} lists all that is there",
    ]
