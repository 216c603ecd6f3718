"""Drawn films: the same every time, and what is said to be so is what is drawn."""

from dataclasses import replace
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phonoscope.core.time import sample_at
from phonoscope.testing import puppet
from phonoscope.testing.puppet import Head, Scene, Seat, Shot, Speech, View
from phonoscope.testing.puppet.anatomy import Pose, face_points, unwarp, warp

READY = (
    puppet.one_head(2.0),
    puppet.two_heads_taking_turns(5.0, seed=3),
    puppet.three_heads_small(3.0, seed=5),
    puppet.cuts_and_fades(seed=1),
    puppet.demo(width=640, height=360),
)
STILL = Shot(4, (Seat(0, 320, 166, 150),), 2)


def gaps(landmarks: np.ndarray) -> np.ndarray:
    """How far the inner lips are apart, (T,) as a share of the face's height."""
    tall = landmarks[:, 8, 1] - landmarks[:, 27, 1]
    return (landmarks[:, 66, 1] - landmarks[:, 62, 1]) / tall


def test_the_same_scene_gives_the_same_bytes() -> None:
    scene = puppet.one_head(0.4, seed=4)
    first, second = (b"".join(frame.tobytes() for frame in scene.frames()) for _ in range(2))
    assert first == second
    assert scene.audio().tobytes() == scene.audio().tobytes()
    other = puppet.one_head(0.4, seed=5)
    assert first != b"".join(frame.tobytes() for frame in other.frames())
    assert scene.audio().tobytes() != other.audio().tobytes()


def test_frames_are_drawn_one_by_one_and_belong_to_their_taker() -> None:
    frames = puppet.one_head(3600.0, turns=()).frames()
    first = next(frames)
    kept = first.copy()
    assert (first.shape, first.dtype) == ((360, 640, 3), np.uint8)
    assert (next(frames) != first).any()
    assert (first == kept).all()


@pytest.mark.parametrize("scene", READY, ids=["one", "two", "three", "cuts", "demo"])
def test_shots_tile_the_film_and_truth_has_a_row_a_frame(scene: Scene) -> None:
    truth = scene.truth
    frames = [frame for span in truth.shots.spans for frame in range(span.start, span.stop)]
    assert frames == list(range(scene.num_frames))
    assert truth.shots.fps == scene.fps
    for head in truth.heads:
        rows = {
            len(values) for values in (head.visible, head.box, head.landmarks, head.points, head.talking, head.open)
        }
        assert rows == {scene.num_frames}
        assert not (head.speaking & ~head.talking).any()


@pytest.mark.parametrize("scene", READY, ids=["one", "two", "three", "cuts", "demo"])
def test_landmarks_lie_in_the_picture_and_about_the_box(scene: Scene) -> None:
    for head in scene.truth.heads:
        box, points = head.box[head.visible], head.landmarks[head.visible]
        assert len(box)
        assert (points > 0).all()
        assert (points < (scene.width, scene.height)).all()
        margin = 0.02 * (box[:, 3] - box[:, 1])[:, None, None]
        assert (points >= box[:, None, :2] - margin).all()
        assert (points <= box[:, None, 2:] + margin).all()
        assert np.allclose(points[:, :17].max(1)[:, 1], box[:, 3], atol=1e-3), "the chin is the foot of the box"
        five = head.points[head.visible]
        assert (five[:, 0, 0] < five[:, 1, 0]).all(), "the person's right eye is on the picture's left"
        assert (five[:, 3, 1] > five[:, 2, 1]).all()


def test_a_head_that_is_not_in_the_shot_has_no_place() -> None:
    scene = puppet.cuts_and_fades()
    empty = scene.spans[4]
    for head in scene.truth.heads:
        assert np.isnan(head.box[empty.start : empty.stop]).all()
        assert not head.visible[empty.start : empty.stop].any()
        assert (np.isnan(head.box).any(1) == np.isnan(head.landmarks).any((1, 2))).all()


@given(
    x=st.floats(-1.2, 1.2), y=st.floats(-1.2, 1.7), yaw=st.floats(-0.4, 0.4), pitch=st.floats(-0.3, 0.3),
    open_=st.floats(0, 1),
)  # fmt: skip
def test_warp_undoes_unwarp(x: float, y: float, yaw: float, pitch: float, open_: float) -> None:
    zero = np.zeros(1)
    pose = Pose(zero + open_, zero, zero, zero, zero, zero + yaw, zero + pitch, zero, np.zeros((1, 2)))
    turned = warp(np.array([[[x, y]]]), pose)
    back = unwarp(turned[..., 0], turned[..., 1], pose.open, pose.yaw, pose.pitch)
    assert np.allclose([back[0][0, 0], back[1][0, 0]], [x, y], atol=1e-6)


@given(seed=st.integers(0, 500), open_=st.floats(0, 1), wide=st.floats(-1, 1), blink=st.floats(0, 1))
def test_lips_and_lids_never_cross(seed: int, open_: float, wide: float, blink: float) -> None:
    zero = np.zeros(1)
    pose = Pose(zero + open_, zero + wide, zero + blink, zero, zero, zero, zero, zero, np.zeros((1, 2)))
    points = face_points(puppet.look(seed), pose)[0]
    above = [37, 38, 43, 44, 50, 51, 52, 61, 62, 63, 61, 62, 63, 57]
    below = [41, 40, 47, 46, 61, 62, 63, 67, 66, 65, 58, 57, 56, 8]
    assert (points[above, 1] <= points[below, 1] + 1e-9).all()


def test_a_moved_camera_moves_picture_and_truth_alike() -> None:
    head = (Head(6, Speech(6, ((0.0, 1.0),))),)
    still = Scene(heads=head, shots=(STILL,))
    aside = Scene(heads=head, shots=(replace(STILL, camera=(View(340, 186), View(340, 186))),))
    left, top, right, bottom = still.truth.heads[0].box[0].astype(int) + np.array((10, 0, -10, -60))  # no wall
    for a, b in zip(still.frames(), aside.frames(), strict=True):
        face, same = a[top:bottom, left:right], b[top - 6 : bottom - 6, left - 20 : right - 20]
        assert np.abs(face.astype(int) - same).max() <= 2
    assert np.allclose(still.truth.heads[0].landmarks, aside.truth.heads[0].landmarks + np.array((20, 6)), atol=1e-3)


def test_a_zoom_grows_truth_about_the_middle() -> None:
    head = (Head(6),)
    near = Scene(heads=head, shots=(replace(STILL, camera=(View(320, 180, 1.5), View(320, 180, 1.5))),))
    still = Scene(heads=head, shots=(STILL,))
    expected = (still.truth.heads[0].landmarks - (320, 180)) * 1.5 + (320, 180)
    assert np.allclose(near.truth.heads[0].landmarks, expected, atol=1e-3)


@pytest.mark.parametrize("seed", [0, 3, 9, 16])
def test_eyes_and_mouth_are_drawn_where_truth_has_them(seed: int) -> None:
    shot = Shot(30, (Seat(0, 330, 170, 160, 8.0),), seed, camera=(View(320, 180, 1.0), View(345, 170, 1.25)))
    scene = Scene(heads=(Head(seed, Speech(seed, ((0.0, 1.2),))),), shots=(shot,))
    truth = scene.truth.heads[0]
    mouths, cheeks = [], []
    for frame, points, gap in zip(scene.frames(), truth.landmarks, gaps(truth.landmarks), strict=True):
        light = frame.astype(float).sum(2)
        tall = points[8, 1] - points[27, 1]
        for eye in (points[36:42], points[42:48]):
            if eye[4:, 1].mean() - eye[1:3, 1].mean() > 0.04 * tall:  # not in a blink
                assert np.abs(darkest(light, eye) - eye.mean(0)).max() < 0.06 * tall
        if gap > 0.1:
            mouths.append(at(light, 0.35 * points[62] + 0.65 * points[66]))
            cheeks.append(at(light, 0.5 * points[2] + 0.5 * points[31]))
    assert len(mouths) > 3
    assert np.median(mouths) < 0.8 * np.median(cheeks)


def at(light: np.ndarray, point: np.ndarray) -> float:
    """How light the pixel under a point (x, y) is."""
    return float(light[int(point[1]), int(point[0])])


def darkest(light: np.ndarray, eye: np.ndarray) -> np.ndarray:
    """The middle of the darkest tenth of the pixels about an eye, (x, y) px."""
    (left, top), (right, bottom) = np.floor(eye.min(0)).astype(int), np.ceil(eye.max(0)).astype(int)
    part = light[top:bottom, left + 2 : right - 2]
    y, x = np.nonzero(part <= np.quantile(part, 0.1))
    return np.array([x.mean() + left + 2.5, y.mean() + top + 0.5])


def test_a_cut_is_where_truth_says() -> None:
    scene = puppet.cuts_and_fades()
    frames = list(scene.frames())
    small = np.array([frame[::8, ::8].astype(float) for frame in frames])
    change = np.abs(np.diff(small, axis=0)).mean((1, 2, 3))
    starts = [span.start for span in scene.spans[1:]]
    hard = [start for start in starts if start != scene.spans[3].start]
    assert sorted(np.argsort(change)[-len(hard) :] + 1) == hard
    truth = scene.truth
    for frame in np.flatnonzero(truth.brightness < 1):
        assert frames[frame].max() <= np.ceil(255 * truth.brightness[frame])
    assert (truth.brightness < 1).sum() == 20
    assert not truth.heads[1].visible[scene.spans[2].stop - 1]


def test_perfect_tracks_follow_heads_within_shots() -> None:
    scene = puppet.cuts_and_fades()
    truth, whose = scene.truth, scene.truth.speakers()
    assert (
        sum(len(track) for track in truth.tracks()) == len(truth.faces()) == sum(h.visible.sum() for h in truth.heads)
    )
    for track in truth.tracks():
        head = truth.heads[whose[track.id]]
        assert np.array_equal(track.box, head.box[track.start : track.start + len(track)])
        assert sum((track.span & span) is not None for span in scene.spans) == 1
    assert len(scene.truth.faces()) and (np.diff(truth.faces().frame) >= 0).all()
    assert len(puppet.empty_room().truth.faces()) == len(puppet.empty_room().truth.tracks()) == 0


@pytest.mark.parametrize("seats", [(Seat(0, 1, 1, 9), Seat(0, 2, 2, 9)), (Seat(1, 1, 1, 9),)])
def test_a_head_sits_once_and_must_exist(seats: tuple[Seat, ...]) -> None:
    with pytest.raises(ValueError, match="may sit once"):
        Scene(heads=(Head(0),), shots=(Shot(3, seats),))


def test_a_scene_without_frames_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Scene(heads=(), shots=())


def test_a_face_beyond_the_frame_is_drawn_as_far_as_it_is_seen() -> None:
    scene = Scene(heads=(Head(1), Head(2)), shots=(Shot(2, (Seat(0, 5, 10, 120), Seat(1, -900, 100, 80))),))
    assert len(list(scene.frames())) == 2
    assert scene.truth.heads[0].visible.all()
    assert not scene.truth.heads[1].visible.any()


@pytest.mark.parametrize("fps", [Fraction(25), Fraction(30000, 1001)])
def test_a_film_holds_every_picture_and_the_whole_sound(tmp_path: Path, fps: Fraction) -> None:
    scene = puppet.one_head(1.6, fps=fps, width=320, height=240, face_height=100)
    path = puppet.film(tmp_path / "one.mp4", scene, video_options={"bf": "2", "crf": "12"})
    with av.open(str(path)) as film:
        video = film.streams.video[0]
        assert (video.codec_context.name, video.average_rate) == ("h264", fps)
        pictures = [frame.to_ndarray(format="rgb24") for frame in film.decode(video)]
    with av.open(str(path)) as film:
        sound = np.concatenate([frame.to_ndarray()[0] for frame in film.decode(film.streams.audio[0])])
    drawn = list(scene.frames())
    assert len(pictures) == len(drawn) == scene.num_frames
    for seen, meant in islice(zip(pictures, drawn, strict=True), 0, None, 7):
        assert np.abs(seen.astype(int) - meant).mean() < 4
    heard = scene.audio()
    assert abs(len(sound) - len(heard)) <= 1024
    size = min(len(sound), len(heard))
    assert np.corrcoef(sound[:size], heard[:size])[0, 1] > 0.9, "the sound is in place to the sample"
    assert [file.name for file in tmp_path.iterdir()] == ["one.mp4"]


def test_a_silent_film_in_another_container(tmp_path: Path) -> None:
    scene = replace(puppet.empty_room(0.5), width=160, height=120)
    path = puppet.film(tmp_path / "room.mkv", scene, video_codec="ffv1", audio_codec=None, pixel_format="bgr0")
    with av.open(str(path)) as film:
        assert not film.streams.audio
        (first, *_) = (frame.to_ndarray(format="rgb24") for frame in film.decode(video=0))
    assert np.array_equal(first, next(scene.frames())), "a lossless film gives back what was drawn"


@given(
    frames=st.integers(1, 40), fps=st.sampled_from([Fraction(25), Fraction(24000, 1001), Fraction(30)]),
    rate=st.sampled_from([16000, 44100, 48000]),
)  # fmt: skip
@settings(max_examples=30)
def test_sound_is_exactly_as_long_as_the_picture(frames: int, fps: Fraction, rate: int) -> None:
    speech = Speech(1, ((0.1, 2.0),))
    scene = Scene(heads=(Head(1, speech),), shots=(Shot(frames),), fps=fps, sample_rate=rate)
    audio = scene.audio()
    assert len(audio) == sample_at(frames, fps, rate)
    assert audio.dtype == np.float32
