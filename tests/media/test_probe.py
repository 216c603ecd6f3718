"""A probe knows what is odd about a film, and refuses only what is no film."""

import shutil
import subprocess
import wave
from fractions import Fraction
from pathlib import Path

import av
import imageio_ffmpeg
import numpy as np
import pytest
from av.video.frame import VideoFrame

from phonoscope.core.errors import RecordingFailed
from phonoscope.core.time import Span
from phonoscope.media.audio import read_audio
from phonoscope.media.encode import jpeg
from phonoscope.media.notes import of_sound
from phonoscope.media.probe import Probe, probe
from phonoscope.media.timeline import Heard
from phonoscope.media.video import DecodeCount, decode
from phonoscope.testing.film import flash_and_beep

FPS, RATE = Fraction(25), 16000


def look(path: Path) -> Probe:
    return probe(path, FPS, RATE)


def reason(path: Path) -> str:
    with pytest.raises(RecordingFailed) as failed:
        look(path)
    assert "\n" not in str(failed.value)
    return failed.value.reason


def ffmpeg(*arguments: str | Path) -> None:
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", *arguments], check=True)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("films") / "film.mp4"
    flash_and_beep(path, b_frames=2)
    return path


def test_a_plain_film_has_nothing_to_say(film: Path):
    found = look(film)
    assert (found.num_frames, found.width, found.height, found.fps) == (100, 96, 64, 25)
    assert (found.sample_rate, found.num_samples, found.av_start) == (RATE, 64000, 0)
    assert len(found.clock) == 100
    assert found.notes == ()


def test_what_is_no_film_is_refused_with_a_reason(tmp_path: Path):
    assert reason(tmp_path / "none.mp4") == "missing"
    assert reason(tmp_path) == "unreadable"
    (tmp_path / "empty.mp4").touch()
    assert reason(tmp_path / "empty.mp4") == "unreadable"
    (tmp_path / "noise.mp4").write_bytes(np.random.default_rng(0).bytes(5000))
    assert reason(tmp_path / "noise.mp4") == "unreadable"
    (tmp_path / "words.mp4").write_text("these are words, not pictures\n" * 50)
    assert reason(tmp_path / "words.mp4") in ("unreadable", "no-video")
    (tmp_path / "still.jpg").write_bytes(jpeg(np.zeros((32, 32, 3), np.uint8)))
    assert reason(tmp_path / "still.jpg") == "no-video"
    with wave.open(str(tmp_path / "sound.wav"), "wb") as sound:
        sound.setparams((1, 2, 16000, 0, "NONE", ""))
        sound.writeframes(bytes(3200))
    assert reason(tmp_path / "sound.wav") == "no-video"


def test_the_picture_on_a_cover_is_no_film(film: Path, tmp_path: Path):
    still, song = tmp_path / "cover.png", tmp_path / "song.m4a"
    ffmpeg("-i", film, "-frames:v", "1", still)
    ffmpeg("-i", film, "-i", still, "-map", "0:a", "-map", "1:v", "-c", "copy", "-disposition:v", "attached_pic", song)
    assert reason(song) == "no-video"


def test_a_playlist_does_not_lead_elsewhere(film: Path, tmp_path: Path):
    listing = tmp_path / "film.m3u8"
    listing.write_text("#EXTM3U\n#EXTINF:4,\nhttp://127.0.0.1:9/film.ts\n#EXT-X-ENDLIST\n")
    assert reason(listing) in ("unreadable", "no-video")


@pytest.mark.parametrize("name", ["a:b.mp4", "50% off.mp4", "it's #1?.mp4", "ふぃるむ.mp4", "-i.mp4"])
def test_any_name_will_do(film: Path, tmp_path: Path, name: str):
    shutil.copy(film, tmp_path / name)
    assert look(tmp_path / name).num_frames == 100


@pytest.mark.parametrize("name", ["cut.mp4", "cut.mkv", "cut.flv"])
def test_a_truncated_film_is_kept_as_far_as_it_goes(film: Path, tmp_path: Path, name: str):
    path = tmp_path / name
    ffmpeg("-i", film, "-c:v", "copy", "-ar", "44100", "-movflags", "+faststart", path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 6 // 10])
    found = look(path)
    assert 20 < found.num_frames < 80
    assert any(note.startswith("truncated") for note in found.notes)
    count = DecodeCount()
    assert len(list(decode(path, found.clock, [Span(0, found.num_frames)], count))) == found.num_frames
    assert sum(map(len, read_audio(path, found.timeline, found.num_samples, RATE))) == found.num_samples


@pytest.mark.parametrize("seed", range(6))
def test_a_damaged_film_neither_hangs_nor_crashes(film: Path, tmp_path: Path, seed: int):
    rng = np.random.default_rng(seed)
    content = bytearray(film.read_bytes())
    for _ in range(20):
        at = int(rng.integers(len(content) - 64))
        content[at : at + 16] = rng.bytes(16)
    path = tmp_path / "film.mp4"
    path.write_bytes(content)
    try:
        found = look(path)
    except RecordingFailed as failed:
        assert failed.reason in ("unreadable", "no-video")
        return
    assert found.num_frames < 10_000_000
    wanted = Span(0, min(found.num_frames, 200))
    assert len(list(decode(path, found.clock, [wanted]))) == len(wanted)


def test_two_films_end_to_end_are_used_up_to_the_jump(tmp_path: Path):
    path = tmp_path / "film.ts"
    flash_and_beep(path, b_frames=2)
    path.write_bytes(2 * path.read_bytes())
    found = look(path)
    assert found.num_frames == 100
    assert any("jump back" in note for note in found.notes)


def test_an_absurd_timestamp_is_left_out(tmp_path: Path):
    path = tmp_path / "film.mkv"
    times = [Fraction(k, 25) for k in range(50)] + [Fraction(143_165) + Fraction(k, 25) for k in range(10)]
    flash_and_beep(path, times_s=times, duration_s=Fraction(2), events_s=(Fraction(1),), time_base=Fraction(1, 1000))
    found = look(path)
    assert found.num_frames == 50
    assert any("timestamps jump by" in note for note in found.notes)


def test_a_silent_film_says_so(tmp_path: Path):
    path = tmp_path / "film.mkv"
    with av.open(str(path), "w") as film:
        stream = film.add_stream("mpeg4", rate=25)
        stream.width, stream.height = 33, 31
        for number in range(5):
            frame = VideoFrame.from_ndarray(np.zeros((31, 33, 3), np.uint8), "rgb24").reformat(format="yuv420p")
            frame.pts = number
            film.mux(stream.encode(frame))
        film.mux(stream.encode(None))
    found = look(path)
    assert (found.sample_rate, found.num_samples, found.num_frames) == (0, 0, 5)
    assert (found.width, found.height) == (33, 31)
    assert found.notes == ("no sound",)
    assert list(read_audio(path, found.timeline, found.num_samples, RATE)) == []


def test_several_streams_and_oblong_pixels_are_noted(film: Path, tmp_path: Path):
    path = tmp_path / "film.mkv"
    ffmpeg("-i", film, "-i", film, "-map", "0", "-map", "1", "-c", "copy", "-aspect:v:0", "16:9", path)
    notes = look(path).notes
    assert "2 video streams: the first is used" in notes
    assert "2 sound streams: the first is used" in notes
    assert any("pixels are not square" in note for note in notes)


def test_many_gaps_make_one_note():
    frames = Heard(Fraction(1, 1000))
    for k in range(200):
        frames.add(64 * k + 500 * (k // 10), 1024, 16000)
    notes = list(of_sound(frames.timeline(Fraction(0)), Fraction(223, 10)))
    assert notes == ["19 gaps in sound, the first: gap of 0.500 s in sound at 0.640 s: filled with silence"]


def test_the_source_is_not_touched(film: Path):
    before = film.stat(), film.read_bytes()
    look(film)
    assert (film.stat().st_mtime_ns, film.read_bytes()) == (before[0].st_mtime_ns, before[1])


@pytest.mark.parametrize(("fps", "rate"), [(Fraction(0), 16000), (Fraction(25), 0)])
def test_a_clock_needs_rates(film: Path, fps: Fraction, rate: int):
    with pytest.raises(ValueError, match="positive rates"):
        probe(film, fps, rate)


@pytest.mark.real
def test_real_nasty_files_give_a_probe_or_a_reason(shared_data: Path):
    made = {}
    for path in sorted((shared_data / "f_nasty_media").iterdir()):
        try:
            made[path.name] = look(path).num_frames
        except RecordingFailed as failed:
            made[path.name] = failed.reason
    assert made["moviepy__result.webm"] == made["PHP-FFMpeg__WrongFile.mp4"] == "unreadable"
    assert made["ExoPlayer__sample_ac3.mp4"] == made["mp4parser__count-english-audio.mp4"] == "no-video"
    assert made["ExoPlayer__sample_fragmented.mp4"] == 25  # whose header claims 143165 s
    assert made["decord__corrupted.mp4"] == 125
    assert all(isinstance(it, str) or it < 1000 for it in made.values())
