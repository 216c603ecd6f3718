"""The film with boxes: all its frames and its sound, green where a face speaks, red where not, else unchanged."""

import subprocess
from fractions import Fraction

import imageio_ffmpeg
import numpy as np
import pytest

from phonoscope.core.time import Span
from phonoscope.data.pack import OverlayParams, pack
from phonoscope.media.audio import read_audio
from phonoscope.media.probe import probe
from phonoscope.media.video import decode
from phonoscope.testing.known import save_asd
from phonoscope.testing.packs import stamps

SPEAKS = range(10, 20)


@pytest.fixture
def scored(pair):
    """The first face speaks in frames 10 to 19, the second never."""
    scores = {track.id: np.full(len(track), -4.0) for track in pair.load("tracks")}
    scores[0][SPEAKS.start : SPEAKS.stop] = 4
    save_asd(pair, scores)
    return pair


def packed(stored, to, **settings):
    (told,) = pack(stored.folder.parents[1], to, "overlay", params=OverlayParams(**settings)).carry_out()
    assert told.failure is None, told.failure
    return to / f"{stored.recording.id}.mp4"


def edge_colours(stored, film, id: int) -> list[str]:
    """Of every frame, the colour of the left edge of a track's box."""
    found, track = probe(film, Fraction(25), 16000), stored.load("tracks")[id]
    colours = []
    for picture in decode(film, found.clock, [Span(0, found.num_frames)]):
        if not track.span.start <= picture.frame < track.span.stop:
            colours.append("none")
            continue
        x0, y0, _, y1 = track.box[picture.frame - track.start]
        strip = picture.rgb()[round(y0) + 20 : round(y1) - 5, round(x0) : round(x0) + 3].astype(float)
        red, green, _ = np.median(strip.reshape(-1, 3), axis=0)
        colours.append("green" if green > red + 40 else "red" if red > green + 40 else "none")
    return colours


def test_who_speaks_is_green_and_who_does_not_is_red(scored, tmp_path):
    film = packed(scored, tmp_path / "out", smoothing=1)
    first = edge_colours(scored, film, 0)
    assert first == ["green" if k in SPEAKS else "red" for k in range(30)]
    assert edge_colours(scored, film, 1) == ["none"] * 5 + ["red"] * 25


def test_the_threshold_is_the_one_asked_for(scored, tmp_path):
    film = packed(scored, tmp_path / "out", smoothing=1, threshold=5)
    assert set(edge_colours(scored, film, 0)) == {"red"}


def test_it_is_the_whole_film_with_its_sound(scored, tmp_path):
    film = packed(scored, tmp_path / "out")
    run = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "info", "-i", str(film), "-f", "null", "-"]
    said = subprocess.run(run, capture_output=True, text=True, check=True).stderr
    assert "h264" in said and "aac" in said and "25 fps" in said and "Duration: 00:00:01.20, start: 0.000000" in said
    assert f"{scored.recording.width}x{scored.recording.height}" in said
    found = probe(film, Fraction(25), 16000)
    sound = np.concatenate(list(read_audio(film, found.timeline, found.num_samples, 16000)))
    assert np.corrcoef(sound, scored.audio())[0, 1] > 0.95


def test_away_from_the_boxes_nothing_is_drawn(scored, tmp_path):
    film = packed(scored, tmp_path / "out")
    found = probe(film, Fraction(25), 16000)
    (picture,) = decode(film, found.clock, [Span(12, 13)])
    before, after = scored.frames(Span(12, 13))[0].astype(int), picture.rgb().astype(int)
    away = np.ones(before.shape[:2], bool)
    for track in scored.load("tracks"):
        x0, y0, x1, y1 = track.box[12 - track.start].round().astype(int)
        away[max(0, y0 - 30) : y1 + 6, max(0, x0 - 6) : x1 + 80] = False
    assert away.mean() > 0.3 and np.abs(before - after)[away].mean() < 4


def test_the_second_time_nothing_is_written(scored, tmp_path):
    packed(scored, tmp_path / "out")
    before = stamps(tmp_path / "out")
    packed(scored, tmp_path / "out")
    assert stamps(tmp_path / "out") == before
