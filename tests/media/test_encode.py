"""What is written reads back in sync, by us and by FFmpeg, and is the same every time."""

import hashlib
import re
import subprocess
from fractions import Fraction
from pathlib import Path

import cv2
import imageio_ffmpeg
import numpy as np
import pytest
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace

from phonoscope.core.time import Span
from phonoscope.media.audio import read_audio
from phonoscope.media.encode import FilmWriter, jpeg, png, write_film
from phonoscope.media.probe import probe
from phonoscope.media.video import decode
from phonoscope.testing.film import beep_track, is_white, number_in, numbered, onsets_s

RATE = 16000
WHITE = (10, 11, 30, 31)


def pictures(count: int = 50) -> list[np.ndarray]:
    return [numbered((224, 224), k, k in WHITE) for k in range(count)]


def onset_in(path: Path) -> list[float]:
    """When FFmpeg hears beeps, s on the film's own timestamps."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", path, "-af", "aresample=async=1:first_pts=0"]
    raw = subprocess.run([*command, "-f", "f32le", "-ar", "48000", "-ac", "1", "-"], check=True, capture_output=True)
    return onsets_s(np.frombuffer(raw.stdout, np.float32), 48000)


def whites_in(path: Path) -> list[float]:
    """When FFmpeg shows flashes, s on the film's own timestamps."""
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(),
        "-i",
        path,
        "-vf",
        "showinfo",
        "-f",
        "rawvideo",
        "-pix_fmt",
        "gray",
        "-",
    ]
    done = subprocess.run(command, check=True, capture_output=True)
    times = [float(at) for at in re.findall(rb"showinfo.* pts_time: *(\S+)", done.stderr)]
    greys = np.frombuffer(done.stdout, np.uint8).reshape(len(times), 224, 224)
    white = [is_white(grey) for grey in greys]
    return [times[k] for k in range(1, len(white)) if white[k] and not white[k - 1]]


@pytest.mark.parametrize("fps", [Fraction(25), Fraction(30000, 1001)])
@pytest.mark.parametrize("rate", [16000, 44100])
def test_what_is_written_reads_back_in_sync(tmp_path: Path, fps: Fraction, rate: int):
    path = tmp_path / "crop.mp4"
    events = [10 / fps, 30 / fps]
    write_film(path, pictures(), fps, beep_track(events, float(50 / fps), rate), rate)
    found = probe(path, fps, rate)
    assert (found.num_frames, found.width, found.height, found.notes) == (50, 224, 224, ())
    read = [p.luma((224, 224)) for p in decode(path, found.clock, [Span(0, 50)])]
    assert [number_in(grey) for grey in read] == list(range(50))
    assert [k for k, grey in enumerate(read) if is_white(grey)] == list(WHITE)
    sound = np.concatenate(list(read_audio(path, found.timeline, found.num_samples, rate)))
    assert onsets_s(sound, rate) == pytest.approx([float(e) for e in events], abs=0.001)
    assert onset_in(path) == pytest.approx([float(e) for e in events], abs=0.001)
    assert whites_in(path) == pytest.approx([float(e) for e in events], abs=0.001)


def test_the_same_arrays_give_the_same_bytes(tmp_path: Path):
    digests = set()
    for name in ("a.mp4", "b.mp4"):
        write_film(tmp_path / name, pictures(), Fraction(25), beep_track([Fraction(1)], 2.0, RATE), RATE)
        digests.add(hashlib.sha256((tmp_path / name).read_bytes()).hexdigest())
    assert len(digests) == 1


def test_colours_come_back_whatever_matrix_they_are_stored_with(tmp_path: Path):
    rgb = np.zeros((64, 64, 3), np.uint8)
    rgb[:32], rgb[32:] = (200, 30, 30), (30, 30, 200)
    for name, matrix in (("sd.mp4", Colorspace.ITU601), ("hd.mp4", Colorspace.ITU709)):
        frame = VideoFrame.from_ndarray(rgb, "rgb24").reformat(format="yuv420p", dst_colorspace=matrix)
        write_film(tmp_path / name, [frame], Fraction(25), crf=1)
        clock = probe(tmp_path / name, Fraction(25), RATE).clock
        (picture,) = decode(tmp_path / name, clock, [Span(0, 1)])
        assert np.abs(picture.rgb()[4:28, 4:28].astype(int) - (200, 30, 30)).max() <= 8
        assert np.abs(picture.rgb()[36:60, 4:28].astype(int) - (30, 30, 200)).max() <= 8


def test_the_index_comes_before_the_pictures(tmp_path: Path):
    path = tmp_path / "film.mp4"
    write_film(path, pictures(10), Fraction(25))
    content = path.read_bytes()
    assert 0 < content.index(b"moov") < content.index(b"mdat")


def test_a_film_that_fails_leaves_nothing_behind(tmp_path: Path):
    def broken():
        yield from pictures(3)
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        write_film(tmp_path / "film.mp4", broken(), Fraction(25))
    assert list(tmp_path.iterdir()) == []


def test_frames_come_one_by_one_and_may_be_video_frames(tmp_path: Path):
    path = tmp_path / "film.mp4"
    with FilmWriter(path, (224, 224), Fraction(25), RATE) as film:
        for number, picture in enumerate(pictures(25)):
            frame = VideoFrame.from_ndarray(picture, "rgb24").reformat(format="yuv420p")
            film.picture(frame if number % 2 else picture)
            film.sound(np.zeros(640, np.float32))
            assert not path.exists()
    found = probe(path, Fraction(25), RATE)
    assert (found.num_frames, found.num_samples, found.notes) == (25, RATE, ())
    assert [number_in(p.luma((224, 224))) for p in decode(path, found.clock, [Span(0, 25)])] == list(range(25))


def test_impossible_films_are_refused(tmp_path: Path):
    path = tmp_path / "film.mp4"
    with pytest.raises(ValueError, match="even sides"):
        write_film(path, [np.zeros((15, 16, 3), np.uint8)], Fraction(25))
    with pytest.raises(ValueError, match="at least one frame"):
        write_film(path, [], Fraction(25))
    with pytest.raises(ValueError, match="sample_rate"):
        write_film(path, pictures(1), Fraction(25), np.zeros(10, np.float32))
    with pytest.raises(ValueError, match="at least one frame"), FilmWriter(path, (16, 16), Fraction(25), RATE):
        pass
    with pytest.raises(ValueError, match="the frame is"):
        write_film(path, [*pictures(1), np.zeros((16, 16, 3), np.uint8)], Fraction(25))
    assert list(tmp_path.iterdir()) == []


def read_still(content: bytes) -> np.ndarray:
    """What OpenCV makes of a picture file, (H, W, 3) uint8 RGB."""
    image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return image[..., ::-1]


def test_stills_read_back():
    rgb = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 256, (61, 83, 3), np.uint8), (0, 0), 3)
    assert np.array_equal(read_still(png(rgb)), rgb)
    seen = read_still(jpeg(rgb, 95))
    assert np.abs(seen.astype(int) - rgb).mean() < 3
    assert len(jpeg(rgb, 30)) < len(jpeg(rgb, 95))
    assert jpeg(rgb) == jpeg(rgb) and png(rgb) == png(rgb)
    with pytest.raises(ValueError, match="1 to 100"):
        jpeg(rgb, 0)
