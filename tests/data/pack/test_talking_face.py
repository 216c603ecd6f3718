"""The talking-face layout: as many of everything as the clip has frames, the film's own pixels, nothing half."""

import errno
import os
import subprocess
from fractions import Fraction
from pathlib import Path

import av
import cv2
import imageio_ffmpeg
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile

from phonoscope import Store, prepare
from phonoscope.core.faces import Track, Tracks
from phonoscope.core.time import Span
from phonoscope.data.pack import pack
from phonoscope.job import params_from
from phonoscope.media import video
from phonoscope.testing.film import flash_and_beep, onsets_s
from phonoscope.testing.known import (
    LAYERS,
    MUTE,
    PAIR,
    WIDTH,
    known_angles,
    known_points,
    known_store,
    known_tracks,
    save_landmarks,
    save_pose,
    save_speech,
    save_tracks,
)
from phonoscope.testing.packs import AUDIOS, POSE, VIDEOS, packed, points_in, rows_of, tree


def test_every_artefact_of_a_clip_has_as_many_frames(made):
    stored, heads = made
    for track in known_tracks(PAIR):
        clip, frames = f"{stored.recording.id}_{track.id}", len(track)
        pictures = sorted(path.name for path in (heads / VIDEOS / "video_frames" / clip).iterdir())
        assert pictures == [f"{row:06d}.png" for row in range(1, frames + 1)]
        assert points_in(heads, clip).shape == (frames, 68, 2)
        lines = (heads / VIDEOS / "landmarks" / f"{clip}.txt").read_text().splitlines()
        assert [line.split()[0] for line in lines] == pictures
        angles = np.load(heads / POSE / f"{clip}.npy")
        assert angles.shape == (frames, 3) and angles.dtype == np.float64
        for mp4 in (heads / "cropped_faces" / f"{clip}.mp4", heads / VIDEOS / "videos_25fps" / f"{clip}.mp4"):
            assert (counted(mp4), rate_of(mp4)) == (frames, Fraction(25))
        sound = soundfile.info(heads / AUDIOS / "audios_16k" / f"{clip}.wav")
        assert (sound.frames, sound.samplerate, sound.channels) == (round(frames / 25 * 16000), 16000, 1)
        assert sound.subtype == "PCM_16"
        layers = np.load(heads / AUDIOS / "hubert_features" / f"{clip}.npy")
        assert layers.shape == (LAYERS, 2 * frames, WIDTH) and layers.dtype == np.float32
        assert rows_of(heads)[clip]["frames"] == str(frames)


def counted(mp4: Path) -> int:
    """How many pictures FFmpeg's own program finds."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", mp4, "-f", "framemd5", "-map", "0:v", "-"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return sum(not line.startswith("#") for line in said.splitlines())


def rate_of(mp4: Path) -> Fraction | None:
    with av.open(str(mp4)) as container:
        return container.streams.video[0].average_rate


def test_pictures_are_the_pixels_of_the_film(made):
    stored, heads = made
    whole = stored.frames()
    for track in known_tracks(PAIR):
        clip = f"{stored.recording.id}_{track.id}"
        x, y, side = (int(rows_of(heads)[clip][name]) for name in ("x", "y", "side"))
        for row in range(len(track)):
            path = heads / VIDEOS / "video_frames" / clip / f"{row + 1:06d}.png"
            picture = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
            np.testing.assert_array_equal(picture, whole[track.start + row, y : y + side, x : x + side])


def test_the_film_shows_what_the_pictures_show(made):
    stored, heads = made
    clip = f"{stored.recording.id}_1"
    with av.open(str(heads / "cropped_faces" / f"{clip}.mp4")) as container:
        shown = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    for row, picture in enumerate(shown, 1):
        there = cv2.imread(str(heads / VIDEOS / "video_frames" / clip / f"{row:06d}.png"))[..., ::-1]
        assert np.abs(picture.astype(int) - there).mean() < 3


def test_sound_is_the_store_s_bit_by_bit(made):
    stored, heads = made
    whole, _ = soundfile.read(stored.made("audio"), dtype="int16")
    for track in known_tracks(PAIR):
        clip = f"{stored.recording.id}_{track.id}"
        sound, _ = soundfile.read(heads / AUDIOS / "audios_16k" / f"{clip}.wav", dtype="int16")
        np.testing.assert_array_equal(sound, whole[track.span.samples(Fraction(25), 16000)])


def test_landmarks_are_written_as_upstream_does_in_pixels_of_the_crop(made):
    stored, heads = made
    for track in known_tracks(PAIR):
        clip = f"{stored.recording.id}_{track.id}"
        corner = [int(rows_of(heads)[clip][name]) for name in ("x", "y")]
        said = ""
        for row, face in enumerate(known_points(PAIR)[track.id].astype(np.float64) - corner, 1):
            said += f"{row:06d}.png " + "".join(f"{int(x)}_{int(y)} " for x, y in face) + "\n"
        assert (heads / VIDEOS / "landmarks" / f"{clip}.txt").read_text() == said


def test_sub_pixel_landmarks_keep_three_decimals(pair, tmp_path):
    packed(tmp_path / "films", tmp_path / "heads", sub_pixel=True)
    clip = f"{pair.recording.id}_1"
    corner = [int(rows_of(tmp_path / "heads")[clip][name]) for name in ("x", "y")]
    there = points_in(tmp_path / "heads", clip) + corner
    np.testing.assert_allclose(there, known_points(PAIR)[1], atol=0.00051)


def test_pose_and_speech_are_those_under_the_clip(made):
    stored, heads = made
    speech = stored.load("speech")
    for track in known_tracks(PAIR):
        clip = f"{stored.recording.id}_{track.id}"
        np.testing.assert_array_equal(np.load(heads / POSE / f"{clip}.npy"), known_angles(track))
        want = speech.on(track.span, Fraction(25), 2).transpose(1, 0, 2)
        np.testing.assert_array_equal(np.load(heads / AUDIOS / "hubert_features" / f"{clip}.npy"), want)


def test_nothing_else_lies_there(made):
    stored, heads = made
    id = stored.recording.id
    places = [
        "cropped_faces/{}.mp4",
        f"{AUDIOS}/audios_16k/{{}}.wav",
        f"{AUDIOS}/hubert_features/{{}}.npy",
        f"{VIDEOS}/landmarks/{{}}.txt",
        f"{POSE}/{{}}.npy",
        f"{VIDEOS}/videos_25fps/{{}}.mp4",
    ]
    files = {path for path in tree(heads) if not path.endswith(".png")}
    assert files == {
        "clips.csv",
        "pack.jsonl",
        *(place.format(f"{id}_{track}") for place in places for track in (0, 1)),
    }
    assert list(rows_of(heads)[f"{id}_1"].items())[:6] == [
        ("clip", f"{id}_1"), ("recording", id), ("track", "1"), ("start", "5"), ("frames", "25"), ("missing", "0"),
    ]  # fmt: skip


def test_the_film_is_one_file_under_two_names_or_a_copy(made, pair, tmp_path, monkeypatch):
    def unlinked(*_: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    (first, *_), heads = [path.name for path in (made[1] / "cropped_faces").iterdir()], made[1]
    assert (heads / "cropped_faces" / first).samefile(heads / VIDEOS / "videos_25fps" / first)
    monkeypatch.setattr(os, "link", unlinked)
    packed(tmp_path / "films", tmp_path / "heads")
    one, two = tmp_path / "heads/cropped_faces" / first, tmp_path / "heads" / VIDEOS / "videos_25fps" / first
    assert not one.samefile(two) and one.read_bytes() == two.read_bytes()


def test_a_recording_is_decoded_once(pair, tmp_path, monkeypatch):
    asked = []

    def decode(path, clock, spans, count):
        asked.append(list(spans))
        return original(path, clock, spans, count)

    original = video.decode
    monkeypatch.setattr(video, "decode", decode)
    packed(tmp_path / "films", tmp_path / "heads")
    assert asked == [[Span(0, 30)]]


@pytest.mark.parametrize("policy", ["repeat", "nan", "drop-clip"])
def test_frames_without_landmarks_are_dealt_with_as_asked_and_never_cut(pair, tmp_path, policy):
    points, tracks = known_points(PAIR), known_tracks(PAIR)
    points[0][[0, 1, 7, 8, 29]] = np.nan
    angles = {track.id: known_angles(track) for track in tracks}
    angles[0][9] = np.nan
    save_landmarks(pair, points, take=2)
    save_pose(pair, angles, take=2)
    heads, clip = tmp_path / "heads", f"{pair.recording.id}_0"
    told = packed(tmp_path / "films", heads, missing=policy)
    if policy == "drop-clip":
        assert told.left_out == {clip: "no landmarks or no pose in 6 of 30 frames"}
        assert {*rows_of(heads)} == {f"{pair.recording.id}_1"} and not any(clip in path for path in tree(heads))
        return
    assert told.made == (clip, f"{pair.recording.id}_1") and rows_of(heads)[clip]["missing"] == "6"
    there, turned = points_in(heads, clip), np.load(heads / POSE / f"{clip}.npy")
    assert len(there) == len(turned) == 30
    if policy == "nan":
        assert np.isnan(there).all((1, 2)).nonzero()[0].tolist() == [0, 1, 7, 8, 29]
        assert np.isnan(turned).all(1).nonzero()[0].tolist() == [9]
    else:
        for row, stand_in in {0: 2, 1: 2, 7: 6, 8: 6, 29: 28}.items():
            np.testing.assert_array_equal(there[row], there[stand_in])
        np.testing.assert_array_equal(turned[9], turned[8])


def test_a_clip_of_which_nothing_is_known_is_left_out_unless_nan_is_asked_for(pair, tmp_path):
    points = known_points(PAIR)
    points[1][:] = np.nan
    save_landmarks(pair, points, take=2)
    heads, clip = tmp_path / "heads", f"{pair.recording.id}_1"
    assert [*packed(tmp_path / "films", heads, missing="nan").left_out] == []
    assert clip in rows_of(heads) and "nan_nan" in (heads / VIDEOS / "landmarks" / f"{clip}.txt").read_text()
    assert [*packed(tmp_path / "films", heads).left_out] == [clip]
    assert clip not in rows_of(heads) and not any(clip in path for path in tree(heads) if "pack" not in path)


def test_a_silent_film_has_neither_sound_nor_speech(films, tmp_path):
    known_store(films / "mute.mp4", MUTE, tmp_path / "films")
    told = packed(tmp_path / "films", tmp_path / "heads")
    assert told.lacking == () and told.made == (told.recording,), "with one track, no track in the name"
    assert not (tmp_path / "heads" / AUDIOS).exists()
    with av.open(str(tmp_path / "heads" / "cropped_faces" / f"{told.recording}.mp4")) as container:
        assert not container.streams.audio and len([*container.decode(video=0)]) == 15


@pytest.mark.parametrize("card", ["openai/whisper-large-v2@0a1b2c", "my-hubert@wavlm:0a1b2c"])
def test_what_is_not_hubert_s_is_not_called_so(pair, tmp_path, card):
    packed(tmp_path / "films", tmp_path / "heads")
    save_speech(pair, take=2, card=card)
    packed(tmp_path / "films", tmp_path / "heads")
    assert len([*(tmp_path / "heads" / AUDIOS / "speech_features").iterdir()]) == 2
    assert not list((tmp_path / "heads" / AUDIOS / "hubert_features").iterdir())


def test_chosen_clips_are_packed_and_no_others(pair, tmp_path):
    rows = [
        {"recording": pair.recording.id, "track": 1, "start_frame": 5, "stop_frame": 30, "blur": 1.0},
        {"recording": pair.recording.id, "track": 0, "start_frame": 10, "stop_frame": 13, "blur": 1.0},
        {"recording": "gone-00000000", "track": 0, "start_frame": 0, "stop_frame": 9, "blur": 1.0},
        {"recording": "a-pair", "track": 0, "start_frame": 0, "stop_frame": 9, "blur": 1.0},
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "clips.parquet")
    told = [*pack(tmp_path / "films", tmp_path / "heads", clips=tmp_path / "clips.parquet").carry_out()]
    names = (f"{pair.recording.id}_1", f"{pair.recording.id}_0_10-13")
    assert told[0].made == names and {*rows_of(tmp_path / "heads")} == {*names}
    assert told[1].failure and "no 'gone-00000000'" in told[1].failure.message
    assert told[2].failure and f"did you mean '{pair.recording.id}'?" in told[2].failure.message
    angles = np.load(tmp_path / "heads" / POSE / f"{names[1]}.npy")
    np.testing.assert_array_equal(angles, known_angles(known_tracks(PAIR)[0])[10:13])
    assert soundfile.info(tmp_path / "heads" / AUDIOS / "audios_16k" / f"{names[1]}.wav").frames == 3 * 640


def one_track(box: tuple[float, float, float, float], start: int, frames: int) -> Tracks:
    """A face that does not move."""
    boxes = np.tile(np.array(box, np.float32), (frames, 1))
    return Tracks((Track(0, start, boxes, np.ones(frames, np.float32), np.ones(frames, bool)),))


@pytest.mark.parametrize("fps", [Fraction(25), Fraction(30000, 1001), None])
@pytest.mark.parametrize("turned_deg", [0, 90])
def test_flash_and_beep_stay_together(tmp_path, fps, turned_deg):
    flash_and_beep(
        tmp_path / "film.mp4", fps=fps, duration_s=Fraction(3), events_s=[Fraction(2)], rotation_deg=turned_deg,
        audio_late_s=Fraction(1, 5),
    )  # fmt: skip
    (outcome,) = prepare([tmp_path / "film.mp4"], tmp_path / "films", ()).carry_out()
    stored = Store(tmp_path / "films")[outcome.recording]
    save_tracks(stored, one_track((20, 4, 60, 30), 30, 40))
    told = packed(tmp_path / "films", tmp_path / "heads")
    heads = tmp_path / "heads"
    x, y, side = (int(rows_of(heads)[told.recording][it]) for it in ("x", "y", "side"))
    names = sorted((heads / VIDEOS / "video_frames" / told.recording).iterdir())
    pictures = np.stack([cv2.imread(str(name))[..., ::-1] for name in names])
    np.testing.assert_array_equal(pictures, stored.frames(Span(30, 70))[:, y : y + side, x : x + side])
    flash_s = int(np.argmax(pictures.mean((1, 2, 3)) > 128)) / 25
    sound, rate = soundfile.read(heads / AUDIOS / "audios_16k" / f"{told.recording}.wav")
    assert flash_s == pytest.approx(0.8, abs=0.041) and onsets_s(sound, rate)[0] == pytest.approx(flash_s, abs=0.041)
    with av.open(str(heads / "cropped_faces" / f"{told.recording}.mp4")) as container:
        shown = np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])
    assert len(shown) == 40 and np.abs(shown.astype(int) - pictures).mean() < 4


@pytest.mark.real
@pytest.mark.parametrize(
    "name",
    [
        "decord__video_180.mov",
        "ExoPlayer__bear-vp9-odd-dimensions.webm",
        "torchcodec__h264_10bits.mp4",
        "torchcodec__bt709_full_range.mp4",
    ],
)
def test_real_films_of_odd_kinds_keep_their_pixels(shared_data, tmp_path, name):
    (outcome,) = prepare([shared_data / "f_nasty_media" / name], tmp_path / "films", ()).carry_out()
    stored = Store(tmp_path / "films")[outcome.recording]
    width, height = stored.recording.width, stored.recording.height
    frames = min(5, stored.recording.num_frames)
    save_tracks(stored, one_track((0.5 * width, 0.4 * height, 1.1 * width, 0.9 * height), 0, frames))
    told, heads = packed(tmp_path / "films", tmp_path / "heads"), tmp_path / "heads"
    x, y, side = (int(rows_of(heads)[told.recording][it]) for it in ("x", "y", "side"))
    assert x + side <= width and y + side <= height
    names = sorted((heads / VIDEOS / "video_frames" / told.recording).iterdir())
    pictures = np.stack([cv2.imread(str(it))[..., ::-1] for it in names])
    whole = stored.frames(Span(0, frames))
    np.testing.assert_array_equal(pictures, whole[:, y : y + side, x : x + side])
    assert counted(heads / "cropped_faces" / f"{told.recording}.mp4") == frames


def test_another_clock_is_refused(films, tmp_path):
    slow = params_from({"clock": {"fps": "30000/1001"}})
    (outcome,) = prepare([films / "mute.mp4"], tmp_path / "films", (), slow).carry_out()
    save_tracks(Store(tmp_path / "films")[outcome.recording], known_tracks(MUTE))
    told = packed(tmp_path / "films", tmp_path / "heads")
    assert told.failure and "is 25 frames and 16000 samples a second" in told.failure.message
