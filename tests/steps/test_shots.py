"""Cuts are PySceneDetect's, and the shots tile the film."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import arrays
from hypothesis.strategies import floats, integers, sampled_from
from scenedetect import AdaptiveDetector, ContentDetector, FrameTimecode, SceneManager, ThresholdDetector
from scenedetect.backends.pyav import VideoStreamAv
from scenedetect.detector import FlashFilter

from phonoscope.core.media import Recording
from phonoscope.core.time import Span
from phonoscope.flow.streams import Film, drive
from phonoscope.media.picture import Picture
from phonoscope.media.probe import probe
from phonoscope.media.video import decode
from phonoscope.steps.shots import ShotsParams, adaptive_cuts, content_cuts, fade_cuts, shots, shots_from
from phonoscope.testing.puppet import cuts_and_fades, one_head

P = ShotsParams()
changes = arrays(np.float64, integers(1, 150), elements=sampled_from([0.0, 1.0, 3.0, 14.0, 16.0, 27.0, 60.0]))


def recording_of(scene, frames):
    return Recording(
        id="x", source="", sha256="", fps=scene.fps, num_frames=frames, width=scene.width, height=scene.height,
        sample_rate=0, num_samples=0, av_start=Fraction(0),
    )  # fmt: skip


def find(scene, p=P):
    pictures = [Picture.from_rgb(rgb, k) for k, rgb in enumerate(scene.frames())]
    return drive(shots(Film(recording_of(scene, len(pictures))), p), pictures)


class Given(AdaptiveDetector):
    """PySceneDetect's own detectors, told how much each picture changes instead of being shown it."""

    def __init__(self, changes, **settings):
        super().__init__(**settings)
        self.changes = iter(changes)

    def _calculate_frame_score(self, timecode, frame_img):
        return float(next(self.changes))


@given(changes, sampled_from([0, 5, 15]))
def test_content_rule_is_pyscenedetect_s(change, min_len):
    p = ShotsParams(min_len=min_len)
    filter_ = FlashFilter(FlashFilter.Mode.MERGE, min_len)
    theirs = [
        c.frame_num for k, v in enumerate(change) for c in filter_.filter(FrameTimecode(k, 25.0), bool(v >= p.content))
    ]
    assert content_cuts(change, p) == theirs


@given(changes, sampled_from([0, 5, 15]))
def test_adaptive_rule_is_pyscenedetect_s(change, min_len):
    theirs = Given(change, min_scene_len=min_len)
    cuts = [c.frame_num for k in range(len(change)) for c in theirs.process_frame(FrameTimecode(k, 25.0), None)]
    assert adaptive_cuts(change, ShotsParams(min_len=min_len)) == cuts


@given(arrays(np.float64, integers(1, 120), elements=sampled_from([0.0, 5.0, 13.0, 80.0])), sampled_from([0, 15]))
def test_fades_are_pyscenedetect_s(level, min_len):
    theirs = ThresholdDetector(min_scene_len=min_len)
    images = [np.full((1, 1, 3), v, np.uint8) for v in level]
    cuts = [c.frame_num for k, image in enumerate(images) for c in theirs.process_frame(FrameTimecode(k, 25.0), image)]
    assert fade_cuts(level, ShotsParams(min_len=min_len)) == cuts


@given(changes, floats(0, 40), sampled_from(["content", "adaptive", "both"]))
def test_shots_tile_the_film(change, level, rule):
    found = shots_from(change, np.full(len(change), level), Fraction(25), ShotsParams(rule=rule)).spans
    assert found[0].start == 0 and found[-1].stop == len(change)
    assert all(a.stop == b.start for a, b in pairwise(found))


def test_the_cuts_of_a_drawn_film_are_found_at_their_frames():
    scene = cuts_and_fades()
    truth = [span.start for span in scene.truth.shots.spans]
    found = [span.start for span in find(scene).spans]
    assert len(found) == len(truth)
    hard = [a for a in truth[1:] if min(scene.truth.brightness[a - 1 : a + 1]) > 0.9]
    assert len(hard) >= 2 and set(hard) <= set(found)
    assert max(abs(a - b) for a, b in zip(found, truth, strict=True)) <= 12  # a fade has no exact frame


def test_a_film_without_a_cut_is_one_shot():
    assert find(one_head(2.0)).spans == (Span(0, 50),)


def theirs_on_film(path, detector):
    manager, video = SceneManager(), VideoStreamAv(str(path))
    manager.add_detector(detector)
    manager.detect_scenes(video)
    return [scene[0].seconds for scene in manager.get_scene_list(start_in_scene=True)][1:]


def ours_on_film(path):
    found = probe(path, Fraction(25), 16000)
    about = Recording(
        id="x", source="", sha256="", fps=found.fps, num_frames=found.num_frames, width=found.width,
        height=found.height, sample_rate=0, num_samples=0, av_start=Fraction(0),
    )  # fmt: skip
    return [s.start / 25 for s in drive(shots(Film(about), P), decode(path, found.clock, [about.span])).spans][1:]


@pytest.mark.real
@pytest.mark.parametrize("folder", ["a_talking_head", "a3_face_not_speaking", "b_multi_face"])
def test_on_real_film_the_cuts_are_those_of_pyscenedetect(shared_data, folder):
    for path in sorted((shared_data / folder).iterdir()):
        if "latentsync" in path.name:
            continue  # 1080 x 1920 HEVC: no cuts either, but half a minute of decoding
        theirs, ours = theirs_on_film(path, ContentDetector(threshold=27.0)), ours_on_film(path)
        assert len(theirs) == len(ours), path.name
        assert all(abs(a - b) <= 0.04 for a, b in zip(theirs, ours, strict=True)), path.name


def test_a_cut_just_before_the_end_cuts_nothing_off():
    changes = np.array([0.0] * 40 + [8.0] * 9 + [33.0])  # hue is noise where a fade ends
    levels = np.concatenate([np.full(40, 120.0), np.linspace(110, 5, 10)])
    assert shots_from(changes, levels, Fraction(25), P).spans == (Span(0, 50),)


def test_a_film_that_cuts_to_black_and_back_is_cut_there_and_not_in_between():
    changes, levels = np.zeros(80), np.full(80, 120.0)
    changes[[20, 50]], levels[20:50] = 90.0, 0.0
    assert [s.start for s in shots_from(changes, levels, Fraction(25), P).spans] == [0, 20, 50]


def test_a_cut_between_two_dark_pictures_is_a_cut():
    changes = np.zeros(80)
    changes[40] = 35.0
    assert [s.start for s in shots_from(changes, np.full(80, 8.0), Fraction(25), P).spans] == [0, 40]
