"""Pieces of films: edge to edge, of the length asked for, picture and sound together; and the film is left alone."""

import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonoscope import Store
from phonoscope.cli.main import main
from phonoscope.core.clips import Listed
from phonoscope.core.errors import UsageError
from phonoscope.core.time import Span, sample_at
from phonoscope.data.cut import LEDGER, SAMPLE_RATE, CutFilm, LongFilm, cut, long_films, spans_every
from phonoscope.job import prepare
from phonoscope.media.audio import read_audio
from phonoscope.media.probe import probe
from phonoscope.media.video import decode
from phonoscope.testing.film import flash_and_beep, is_white, onsets_s
from phonoscope.testing.packs import stamps

AWKWARD = [
    Fraction(24000, 1001),
    Fraction(24),
    Fraction(25),
    Fraction(30000, 1001),
    Fraction(50),
    Fraction(60000, 1001),
]


@given(frames=st.integers(1, 20_000), fps=st.sampled_from(AWKWARD), every=st.fractions(5, 100, max_denominator=1000))
def test_pieces_are_edge_to_edge_and_do_not_drift(frames, fps, every):
    spans = spans_every(frames, fps, every)
    assert all(a.stop == b.start for a, b in pairwise(spans))
    assert all(abs(span.start / fps - k * every) <= 1 / (2 * fps) for k, span in enumerate(spans))
    assert all(abs(span.stop / fps - (k + 1) * every) <= 1 / (2 * fps) for k, span in enumerate(spans[:-1]))
    end = spans[-1].stop if spans else 0
    assert frames == end or frames - end < fps
    assert all(len(span) >= fps for span in spans)


def test_at_25_frames_a_second_twenty_seconds_are_500_frames():
    assert [len(span) for span in spans_every(1270, Fraction(25), Fraction(20))] == [500, 500, 270]
    assert [len(span) for span in spans_every(1024, Fraction(25), Fraction(20))] == [500, 500]
    with pytest.raises(UsageError, match=r"1 s or longer, asked for 0\.5"):
        spans_every(100, Fraction(25), Fraction(1, 2))


def test_film_of_less_than_a_picture_a_second_has_no_piece_without_one():
    assert spans_every(4, Fraction(1, 2), Fraction(1)) == [Span(k, k + 1) for k in range(4)]


@pytest.fixture(scope="module")
def flashes(tmp_path_factory):
    """A film at 29.97 frames a second with flashes and beeps, its sound late, and its pieces of 1.6 s."""
    folder = tmp_path_factory.mktemp("flashes")
    film = folder / "flash.mp4"
    events = [Fraction(k, 10) for k in (4, 9, 20, 25, 34)]
    how = {"fps": Fraction(30000, 1001), "audio_late_s": Fraction(3, 25), "b_frames": 2}
    truth = flash_and_beep(film, duration_s=Fraction(24, 5), events_s=events, **how)
    before = film.read_bytes(), film.stat().st_mtime_ns
    (told,) = cut(long_films([str(film)]), folder / "cut", Fraction(8, 5))
    assert (film.read_bytes(), film.stat().st_mtime_ns) == before
    return folder, truth, told


def seen(path: Path, fps: Fraction | None = Fraction(25)):
    """When a flash and a beep begin in a film, s, and how long it lasts in frames and samples."""
    found = probe(path, fps, SAMPLE_RATE)
    white = [is_white(p.luma((p.height, p.width))) for p in decode(path, found.clock, [Span(0, found.num_frames)])]
    flashes = [k / float(found.fps) for k in range(1, len(white)) if white[k] and not white[k - 1]]
    sound = np.concatenate(list(read_audio(path, found.timeline, found.num_samples, SAMPLE_RATE)))
    return flashes, onsets_s(sound, SAMPLE_RATE), found, sound


def test_in_every_piece_flash_and_beep_are_where_they_were_in_the_film(flashes):
    folder, truth, told = flashes
    assert not told.failure and len(told.made) >= 2
    start = truth.pts_s[0]
    heard = 0
    for k, piece in enumerate(told.made):
        shown, beeps, found, sound = seen(folder / "cut" / piece)
        begin, length = k * Fraction(8, 5), Fraction(found.num_frames, 25)
        wanted = [
            float(beep - start - begin)
            for beep in truth.beeps_s
            if 0.05 < beep - start - begin < length - Fraction(1, 10)
        ]
        beeps = [beep for beep in beeps if 0.05 < beep < float(length) - 0.1]
        assert beeps == pytest.approx(wanted, abs=0.001)
        assert len([flash for flash in shown if any(abs(flash - it) <= 0.02 for it in wanted)]) == len(wanted)
        assert len(sound) == sample_at(found.num_frames, Fraction(25), SAMPLE_RATE)
        heard += len(wanted)
    assert heard == 5


def test_ffmpeg_says_that_pieces_are_of_the_length_asked_for_and_begin_at_0(flashes):
    folder, _, told = flashes
    run = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "info", "-i", str(folder / "cut" / told.made[0]), "-f", "null", "-"]
    said = subprocess.run(run, capture_output=True, text=True, check=True).stderr
    assert "Duration: 00:00:01.60, start: 0.000000" in said and "25 fps" in said
    assert "h264" in said and "yuv420p" in said and "aac" in said and "48000 Hz, mono" in said


def test_ffmpeg_hears_the_beeps_where_we_do(flashes, tmp_path):
    folder, _, told = flashes
    for piece in told.made:
        run = [
            imageio_ffmpeg.get_ffmpeg_exe(),
            "-v",
            "error",
            "-i",
            str(folder / "cut" / piece),
            "-f",
            "f32le",
            "-ar",
            "48000",
            "-",
        ]
        heard = np.frombuffer(subprocess.run(run, capture_output=True, check=True).stdout, np.float32)
        assert onsets_s(heard, SAMPLE_RATE) == pytest.approx(seen(folder / "cut" / piece)[1], abs=0.001)


def test_pieces_put_together_are_the_film(flashes):
    folder, _, told = flashes
    whole = probe(folder / "flash.mp4", Fraction(25), SAMPLE_RATE)
    sound = np.concatenate(list(read_audio(folder / "flash.mp4", whole.timeline, whole.num_samples, SAMPLE_RATE)))
    parts = np.concatenate([seen(folder / "cut" / piece)[3] for piece in told.made])
    assert len(parts) == len(sound) - sample_at(round(told.left_out_s * 25), Fraction(25), SAMPLE_RATE)
    assert np.corrcoef(parts, sound[: len(parts)])[0, 1] > 0.98  # AAC is not exact, but nothing is shifted


def test_at_its_own_rate_every_picture_is_shown_once(flashes, tmp_path):
    folder, *_ = flashes
    (told,) = cut(long_films([str(folder / "flash.mp4")]), tmp_path / "cut", Fraction(8, 5), fps=None)
    own = probe(folder / "flash.mp4", None, SAMPLE_RATE)
    counts = [probe(tmp_path / "cut" / piece, None, SAMPLE_RATE) for piece in told.made]
    assert {it.fps for it in counts} == {Fraction(30000, 1001)}
    assert sum(it.num_frames for it in counts) + round(told.left_out_s * own.fps) == own.num_frames


def test_a_tree_stays_a_tree_and_the_second_time_nothing_is_written(flashes, tmp_path, capsys):
    folder, *_ = flashes
    tree = tmp_path / "videos"
    for path in ("training/ana/talk.mp4", "test/bo/talk.mp4"):
        (tree / path).parent.mkdir(parents=True)
        (tree / path).write_bytes((folder / "flash.mp4").read_bytes())
    (tree / "readme.md").write_text("no film")
    assert main(["cut", str(tree), "--every", "8/5"]) == 0
    told = capsys.readouterr().out
    made = sorted(
        path.relative_to(tmp_path / "videos_cut").as_posix() for path in tmp_path.rglob("videos_cut/**/*.mp4")
    )
    assert made[0] == "test/bo/talk_000.mp4" and made[-1].startswith("training/ana/talk_00")
    assert "test/bo/talk: " in told and "pieces cut" in told
    before = stamps(tmp_path)
    assert main(["cut", str(tree), "--every", "1.6"]) == 0
    assert stamps(tmp_path) == before and "kept" in capsys.readouterr().out


def test_what_was_damaged_or_asked_for_otherwise_is_cut_again(flashes, tmp_path):
    folder, _, told = flashes
    films = long_films([str(folder / "flash.mp4")])
    list(cut(films, tmp_path / "cut", Fraction(8, 5)))
    (tmp_path / "cut" / told.made[1]).write_bytes(b"half")
    (again,) = cut(films, tmp_path / "cut", Fraction(8, 5))
    assert again.made == told.made[1:2] and again.kept == told.made[:1] + told.made[2:]
    assert (tmp_path / "cut" / told.made[1]).read_bytes() == (folder / "cut" / told.made[1]).read_bytes()
    (other,) = cut(films, tmp_path / "cut", Fraction(8, 5), crf=30)
    assert other.made == told.made


def test_of_two_that_cut_into_one_folder_one_cuts_and_the_other_finds_it_cut(flashes, tmp_path):
    folder, _, told = flashes
    films, together = long_films([str(folder / "flash.mp4")]), threading.Barrier(2)

    def cut_it(_: int) -> CutFilm:
        together.wait()
        (made,) = cut(films, tmp_path / "new" / "cut", Fraction(8, 5))
        return made

    with ThreadPoolExecutor(2) as both:
        one, other = both.map(cut_it, range(2))
    assert not one.failure and not other.failure
    assert sorted([one.made, other.made]) == [(), told.made] == sorted([one.kept, other.kept])
    for piece in told.made:
        assert (tmp_path / "new" / "cut" / piece).read_bytes() == (folder / "cut" / piece).read_bytes()
    left = {path.name for path in (tmp_path / "new" / "cut").iterdir()}
    assert left == {LEDGER, *told.made}  # no part files, no locks


def test_silent_films_have_silent_pieces(silent_puppet, tmp_path):
    (told,) = cut(long_films([str(silent_puppet)]), tmp_path / "cut", Fraction(1))
    assert len(told.made) == 2 and probe(tmp_path / "cut" / told.made[0], Fraction(25), SAMPLE_RATE).num_samples == 0


def test_the_films_of_a_store_are_called_as_their_corpus_lists_them(silent_puppet, tmp_path):
    (outcome,) = prepare([silent_puppet], tmp_path / "films", ()).carry_out()
    assert [film.name for film in long_films([str(tmp_path / "films")])] == ["silent"]
    Store(tmp_path / "films")[outcome.recording].list_as(Listed("vlogs", "training/ana/a talk.mp4"))
    assert [film.name for film in long_films([str(tmp_path / "films")])] == ["training/ana/a talk"]


def test_a_film_that_cannot_be_read_is_told_and_the_others_are_cut(silent_puppet, tmp_path, capsys):
    (tmp_path / "bad.mp4").write_bytes(b"nothing")
    assert (
        main(["cut", str(tmp_path / "bad.mp4"), str(silent_puppet), "--to", str(tmp_path / "cut"), "--every", "1"]) == 1
    )
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("failed  bad: ") and told[1] == "silent: 2 pieces cut"


def test_mistakes_are_one_line(silent_puppet, tmp_path, capsys):
    (tmp_path / "full").mkdir()
    (tmp_path / "other.mp4").write_bytes(silent_puppet.read_bytes())
    (tmp_path / "full" / "letter.txt").write_text("mine")
    assert main(["cut", str(silent_puppet), "--to", str(tmp_path / "full")]) == 2
    assert main(["cut", str(silent_puppet), str(tmp_path)]) == 2
    assert main(["cut"]) == 2
    assert main(["cut", str(silent_puppet), "--every", "0.5", "--to", str(tmp_path / "new")]) == 2
    told = capsys.readouterr().err.splitlines()
    said = ("other things in it", "no film given", "1 s or longer")
    assert len(told) == 4 and "--to" in told[1]
    assert all(part in line for part, line in zip(said, (told[0], *told[2:]), strict=True))
    with pytest.raises(UsageError, match="would have one name"):
        for name in ("a.mp4", "a.mkv"):
            (tmp_path / "two").mkdir(exist_ok=True)
            (tmp_path / "two" / name).write_bytes(b"")
        long_films([str(tmp_path / "two")])
    assert LongFilm("x", "y").name == "y"
