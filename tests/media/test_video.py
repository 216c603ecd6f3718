"""Every way of decoding shows the same pictures, and none is decoded in vain."""

import re
import subprocess
from collections.abc import Generator
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import imageio_ffmpeg
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from phonoscope.core.media import Clock
from phonoscope.core.time import Span, merge_spans
from phonoscope.media.probe import probe
from phonoscope.media.source import Film
from phonoscope.media.video import DecodeCount, Picture, decode, frames
from phonoscope.testing.fields import film_of_fields
from phonoscope.testing.film import flash_and_beep

FPS = Fraction(25)
OPEN_264 = {"x264-params": "open-gop=1:keyint=12:min-keyint=12:scenecut=0:b-adapt=0"}
OPEN_265 = {"x265-params": "open-gop=1:keyint=12:min-keyint=12:scenecut=0:log-level=none:pools=1"}
KINDS = {
    "bframes.mp4": {"b_frames": 3, "gop": 12},
    "long.mp4": {"b_frames": 2, "gop": 250},
    "open.mp4": {"b_frames": 3, "video_options": OPEN_264},
    "open.mkv": {"b_frames": 3, "video_options": OPEN_264},
    "open.ts": {"b_frames": 3, "video_options": OPEN_264},
    "hevc.mp4": {"b_frames": 3, "video_codec": "libx265", "video_options": OPEN_265},
    "vfr.mp4": {"fps": None, "b_frames": 2, "gop": 20},
    "ps.mpg": {"video_codec": "mpeg2video", "b_frames": 2, "audio_codec": "mp2", "sample_rate": 44100},
    "divx.avi": {"video_codec": "mpeg4", "b_frames": 1, "audio_codec": "pcm_s16le"},
    "turned.mp4": {"rotation_deg": 90, "b_frames": 2},
    "wmv.asf": {"video_codec": "wmv2", "audio_codec": "libmp3lame", "sample_rate": 44100},
}


@pytest.fixture(scope="module", params=KINDS)
def film(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Clock, np.ndarray]:
    """A film, its clock and all its pictures (T, H, W, 3)."""
    path = tmp_path_factory.mktemp("films") / request.param
    flash_and_beep(path, duration_s=Fraction(3), **KINDS[request.param])
    clock = probe(path, FPS, 16000).clock
    count = DecodeCount()
    whole = np.stack([picture.rgb() for picture in decode(path, clock, [Span(0, len(clock))], count)])
    assert count.shown == len(clock) and not count.missing and not count.damaged
    return path, clock, whole


spans = st.lists(st.tuples(st.integers(0, 70), st.integers(1, 9)), min_size=1, max_size=3).map(
    lambda pairs: merge_spans([Span(start, start + size) for start, size in pairs])
)
several = settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@several
@given(wanted=spans)
def test_any_spans_show_what_the_whole_film_shows(film: tuple[Path, Clock, np.ndarray], wanted: list[Span]):
    path, clock, whole = film
    within = [cut for span in wanted if (cut := span & Span(0, len(clock)))]
    count = DecodeCount()
    pictures = list(decode(path, clock, within, count))
    assert [p.frame for p in pictures] == [k for span in within for k in range(span.start, span.stop)]
    assert all(np.array_equal(p.rgb(), whole[p.frame]) for p in pictures)
    assert count.shown == len(pictures) and not count.missing


@several
@given(start=st.integers(0, 70), size=st.integers(1, 6))
def test_seeking_equals_decoding_in_sequence(film: tuple[Path, Clock, np.ndarray], start: int, size: int):
    path, clock, whole = film
    if span := Span(start, start + size) & Span(0, len(clock)):
        assert np.array_equal(frames(path, clock, span), whole[span.start : span.stop])


def test_groups_without_a_wanted_picture_are_not_decoded(tmp_path: Path):
    path = tmp_path / "film.mp4"
    flash_and_beep(path, gop=10, b_frames=2)
    clock = probe(path, FPS, 16000).clock
    count = DecodeCount()
    assert [p.frame for p in decode(path, clock, [Span(42, 45), Span(81, 82)], count)] == [42, 43, 44, 81]
    assert count.decoded <= 20


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_single_pictures_that_nobody_wants_are_left_out_and_the_others_stay_the_same(tmp_path, monkeypatch, codec):
    path = tmp_path / "film.mp4"
    options = {"x265-params": "log-level=none:pools=1"} if codec == "libx265" else {}
    flash_and_beep(path, fps=Fraction(50), b_frames=2, video_codec=codec, video_options=options)
    clock = probe(path, FPS, 16000).clock

    def shown() -> tuple[list[np.ndarray], DecodeCount]:
        count = DecodeCount()
        return [picture.rgb() for picture in decode(path, clock, [Span(0, len(clock))], count)], count

    spared, few = shown()
    monkeypatch.setattr(Film, "sparing", property(lambda film: False))
    all_of_them, every = shown()
    np.testing.assert_array_equal(spared, all_of_them)
    assert few.decoded < 0.9 * every.decoded and few.shown == every.shown and few.missing == every.missing == 0


@pytest.mark.parametrize("suffix", ["ts", "mkv", "mp4"])
def test_pictures_that_come_as_two_fields_are_shown_whole(tmp_path, suffix):
    path = tmp_path / f"fields.{suffix}"
    film_of_fields(path, 60)
    clock, count = probe(path, FPS, 16000).clock, DecodeCount()
    shown = [picture.luma((64, 32)) for picture in decode(path, clock, [Span(0, 30)], count)]
    assert (count.shown, count.missing) == (30, 0)
    for frame, luma in enumerate(shown):
        np.testing.assert_allclose(luma, (40 + 6 * frame - 16) * 255 / 219, atol=1)


def test_ticks_that_show_one_picture_share_what_is_computed_of_it(tmp_path: Path):
    path = tmp_path / "film.mp4"
    flash_and_beep(path, fps=Fraction(10))
    clock = probe(path, FPS, 16000).clock
    count = DecodeCount()
    pictures = list(decode(path, clock, [Span(0, len(clock))], count))
    assert (count.decoded, len(pictures)) == (40, 100)
    assert pictures[2].luma((8, 8)) is pictures[3].luma((8, 8))  # 80 and 120 ms are both nearest to 100 ms


def test_a_damaged_stretch_shows_the_picture_before_and_is_counted(tmp_path: Path):
    path = tmp_path / "film.mkv"
    flash_and_beep(path, gop=10, video_codec="mpeg4")
    clock = probe(path, FPS, 16000).clock
    with av.open(str(path)) as film:
        packets = [packet for packet in film.demux(video=0) if packet.size]
        hurt = [packet for packet in packets if 1.0 <= (packet.pts or 0) * packet.time_base < 1.2]
        content = path.read_bytes()
        for packet in hurt:
            content = content.replace(bytes(packet), bytes(len(bytes(packet))))
    path.write_bytes(content)
    count = DecodeCount()
    pictures = list(decode(path, clock, [Span(0, len(clock))], count))
    assert len(pictures) == len(clock)
    assert count.missing == len(hurt) == 5
    assert np.array_equal(pictures[27].rgb(), pictures[24].rgb())


def test_an_abandoned_decode_lets_go_of_the_file(tmp_path: Path):
    path = tmp_path / "film.mp4"
    flash_and_beep(path, duration_s=Fraction(1), events_s=())
    clock = probe(path, FPS, 16000).clock
    pictures = decode(path, clock, [Span(0, len(clock))])
    next(pictures)
    opened = Path("/proc/self/fd")
    held = [link for link in opened.iterdir() if link.exists() and link.resolve() == path] if opened.exists() else None
    cast(Generator[Picture, None, None], pictures).close()
    left = [link for link in opened.iterdir() if link.exists() and link.resolve() == path] if opened.exists() else None
    assert held is None or (len(held) == 1 and not left)


def test_times_and_pictures_are_those_of_ffmpeg(film: tuple[Path, Clock, np.ndarray]):
    path, clock, whole = film
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-i", path, "-fps_mode", "passthrough", "-copyts", "-vf", "showinfo"]
    done = subprocess.run([*command, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"], check=True, capture_output=True)
    times = [float(at) for at in re.findall(rb"showinfo.* pts_time: *(\S+)", done.stderr)]
    theirs = np.frombuffer(done.stdout, np.uint8).reshape(len(times), *whole.shape[1:])
    if path.suffix == ".avi":  # it stores no times of pictures, and FFmpeg makes up others than players do
        assert np.array_equal(theirs, whole)
        return
    ours = (clock.pts - clock.pts[0]) * float(clock.time_base)
    nearest = [int(np.argmin(np.abs(np.array(times) - times[0] - at))) for at in ours]
    assert np.abs(np.array(times)[nearest] - times[0] - ours).max() < 1e-4
    assert np.array_equal(theirs[nearest], whole)


@pytest.mark.real
def test_real_films_decode_alike_in_every_way(shared_data: Path):
    for name in ("a_talking_head/grid_bbaf2n.mpg", "a3_face_not_speaking/pyfeat_face_noface.mov"):
        path = shared_data / name
        clock = probe(path, FPS, 16000).clock
        whole = {p.frame: p.luma((72, 90)) for p in decode(path, clock, [Span(0, len(clock))])}
        some = {p.frame: p.luma((72, 90)) for p in decode(path, clock, [Span(20, 30), Span(55, 60)])}
        assert all(np.array_equal(some[k], whole[k]) for k in some)
        pictures = list(decode(path, clock, [Span(50, 53)]))
        assert np.array_equal(frames(path, clock, Span(50, 53)), np.stack([p.rgb() for p in pictures]))
