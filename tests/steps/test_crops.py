"""Crops, their films and their portraits show the face that was followed, with the sound of the same moment."""

import subprocess
from fractions import Fraction

import imageio_ffmpeg
import numpy as np
import pytest

from phonoscope.core.faces import Track, Tracks
from phonoscope.core.geometry import Crop, Crops
from phonoscope.core.media import Recording
from phonoscope.core.series import Series
from phonoscope.core.time import Span
from phonoscope.flow.streams import Film, PartFolder, drive
from phonoscope.media.audio import read_audio
from phonoscope.media.picture import Picture
from phonoscope.media.probe import probe
from phonoscope.media.video import decode
from phonoscope.steps.crop_video import CropVideoParams, crop_video
from phonoscope.steps.crops import CropsParams, crops
from phonoscope.steps.thumbs import ThumbsParams, portrait_frame, thumbs
from phonoscope.testing.film import flash_and_beep, is_white, onsets_s
from phonoscope.testing.puppet import two_heads_taking_turns


def recording_of(found) -> Recording:
    return Recording(
        id="x", source="", sha256="", fps=found.fps, num_frames=found.num_frames, width=found.width,
        height=found.height, sample_rate=found.sample_rate, num_samples=found.num_samples, av_start=found.av_start,
    )  # fmt: skip


def whole_picture(track: int, span: Span, size: tuple[int, int]) -> Crop:
    scale = 224 / size[1]
    matrix = np.tile(np.array([[scale, 0, 0], [0, scale, 0]]), (len(span), 1, 1))
    return Crop(track, span.start, matrix, (224, 224), "tight")


def test_the_policy_and_its_width_are_those_asked_for():
    box = np.tile(np.array([100, 100, 180, 200], np.float32), (30, 1))
    tracks = Tracks((Track(4, 9, box, np.ones(30, np.float32), np.ones(30, bool)),))
    (crop,) = crops(tracks, None, CropsParams(policy="fixed", expand=0.6, size=128)).crops
    assert (crop.track, crop.start, crop.size, crop.policy) == (4, 9, (128, 128), "fixed")
    assert 128 / crop.matrix[0, 0, 0] == pytest.approx(160)
    assert crops(Tracks(), None, CropsParams()).crops == ()


def test_aligned_crops_are_cut_by_the_landmarks_of_their_own_track(landmarks_of, drawn):
    points = {2: drawn[:20], 5: drawn[10:40]}
    tracks = Tracks(
        tuple(
            Track(id, 7, np.hstack([it.min(1), it.max(1)]).astype(np.float32), np.ones(len(it)), np.ones(len(it), bool))
            for id, it in points.items()
        )
    )
    assert CropsParams().without == {"landmarks"} and not CropsParams(policy="aligned").without
    made = crops(tracks, landmarks_of(points), CropsParams(policy="aligned", size=96)).crops
    assert [(it.track, it.policy, it.size) for it in made] == [(2, "aligned", (96, 96)), (5, "aligned", (96, 96))]
    for crop in made:
        seen = np.einsum("tij,tkj->tki", crop.matrix[:, :, :2], points[crop.track]) + crop.matrix[:, None, :, 2]
        np.testing.assert_allclose(seen.mean(axis=1), 48, atol=1e-3)
        eyes = seen[:, 45] - seen[:, 36]
        assert np.abs(np.degrees(np.arctan2(eyes[:, 1], eyes[:, 0]))).max() < 5  # level, though the head leans


@pytest.fixture(scope="module")
def flashes(tmp_path_factory):
    """Crop films, of the middle and of the end, of a film with flashes and beeps at 29.97 fps, its sound late."""
    folder = tmp_path_factory.mktemp("flash")
    film = folder / "flash.mp4"
    truth = flash_and_beep(film, fps=Fraction(30000, 1001), audio_late_s=Fraction(3, 25), b_frames=2)
    found = probe(film, Fraction(25), 16000)
    recording = recording_of(found)
    sound = np.concatenate(list(read_audio(film, found.timeline, found.num_samples, 16000)))
    spans = {0: Span(0, 60), 1: Span(20, found.num_frames)}
    cut = Crops(tuple(whole_picture(track, span, (64, 96)) for track, span in spans.items()))
    audio = Series(sound, Fraction(16000))
    out = PartFolder(folder / "crops")
    out.mkdir()
    step = crop_video(Film(recording), cut, audio, recording, out, CropVideoParams())
    drive(step, decode(film, found.clock, [recording.span]))
    return out, spans, truth


@pytest.mark.parametrize("track", [0, 1])
def test_in_a_crop_film_flash_and_beep_fall_together(flashes, track):
    out, spans, truth = flashes
    film, span = out / f"{track}.mp4", spans[track]
    found = probe(film, Fraction(25), 16000)
    assert (found.num_frames, found.width, found.height) == (len(span), 224, 224)
    white = [is_white(p.luma((64, 96))[:, :48]) for p in decode(film, found.clock, [recording_of(found).span])]
    starts = [k / 25 for k in range(1, len(white)) if white[k] and not white[k - 1]]
    beeps = onsets_s(np.concatenate(list(read_audio(film, found.timeline, found.num_samples, 16000))), 16000)
    wanted = [float(b - truth.pts_s[0]) - span.start / 25 for b in truth.beeps_s]
    wanted = [w for w in wanted if 0 < w < len(span) / 25]
    assert len(starts) == len(beeps) == len(wanted) > 0
    for start, beep, want in zip(starts, beeps, wanted, strict=True):
        assert abs(beep - start) <= 0.020 and abs(beep - want) <= 0.002


def test_ffmpeg_plays_a_crop_film_in_time(flashes):
    out, _, _ = flashes
    run = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "info", "-i", str(out / "0.mp4"), "-f", "null", "-"]
    said = subprocess.run(run, capture_output=True, text=True, check=True).stderr
    assert "h264" in said and "yuv420p" in said and "224x224" in said and "25 fps" in said and "aac" in said
    assert "start: 0.000000" in said


def test_each_track_has_its_film_only_as_long_as_it_lasts(flashes):
    out, _, _ = flashes
    assert sorted(p.name for p in out.iterdir()) == ["0.mp4", "1.mp4"]


def test_silent_film_makes_silent_crop_films(tmp_path):
    scene = two_heads_taking_turns(2.0)
    pictures = [Picture.from_rgb(rgb, k) for k, rgb in enumerate(scene.frames())][:12]
    recording = Recording(
        id="x", source="", sha256="", fps=scene.fps, num_frames=12, width=scene.width, height=scene.height,
        sample_rate=0, num_samples=0, av_start=Fraction(0),
    )  # fmt: skip
    cut = Crops((whole_picture(0, Span(0, 12), (360, 640)),))
    drive(crop_video(Film(recording), cut, None, recording, PartFolder(tmp_path), CropVideoParams(size=64)), pictures)
    found = probe(tmp_path / "0.mp4", Fraction(25), 16000)
    assert (found.num_frames, found.num_samples, found.width) == (12, 0, 64)


def test_a_portrait_is_taken_where_the_face_was_seen(tmp_path):
    observed = np.zeros(40, bool)
    observed[[0, 17, 39]] = True
    track = Track(0, 5, np.tile(np.array([100, 60, 200, 180], np.float32), (40, 1)), np.ones(40), observed)
    assert portrait_frame(track) == 22
    scene = two_heads_taking_turns(2.0)
    pictures = [Picture.from_rgb(rgb, k) for k, rgb in enumerate(scene.frames())]
    recording = Recording(
        id="x", source="", sha256="", fps=scene.fps, num_frames=50, width=scene.width, height=scene.height,
        sample_rate=0, num_samples=0, av_start=Fraction(0),
    )  # fmt: skip
    drive(thumbs(Film(recording), Tracks((track,)), PartFolder(tmp_path), ThumbsParams()), pictures)
    content = (tmp_path / "0.jpg").read_bytes()
    assert content[:3] == b"\xff\xd8\xff" and 1000 < len(content) < 20_000
