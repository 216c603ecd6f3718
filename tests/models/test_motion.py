"""The speaking scorer without weights: what it must do on drawn faces, and how well it does on real ones."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from phonoscope.core.faces import Track, Tracks
from phonoscope.core.media import Clock, Recording
from phonoscope.core.series import Series
from phonoscope.core.time import Span
from phonoscope.flow.streams import Film, drive
from phonoscope.media.audio import read_audio
from phonoscope.media.probe import probe
from phonoscope.media.video import decode
from phonoscope.models.backends.motion import Motion, clues, mouth_movement
from phonoscope.models.backends.yunet import YuNet
from phonoscope.models.registry import load
from phonoscope.steps.asd import AsdParams, asd

few = settings(max_examples=8, deadline=None)
PER_FRAME = 640  # samples at 25 frames a second


def talk(frames: int, seed: int = 0) -> np.ndarray:
    """How far a mouth is open, (frames,) in [0, 1]: syllables about four a second, each of its own strength."""
    rng = np.random.default_rng(seed)
    opening, at = np.zeros(frames), 0
    while at < frames:
        length = int(rng.integers(4, 9))
        syllable = rng.uniform(0, 1) ** 2 * np.sin(np.pi * np.arange(length) / length)
        opening[at : at + length] = syllable[: frames - at]
        at += length
    return opening


def draw(opening: np.ndarray, sway_px: float = 0.0, grain: float = 0.7, seed: int = 0) -> np.ndarray:
    """Faces (T, 112, 112) uint8: skin with a nose, and a mouth that opens; the whole head sways by `sway_px`."""
    rng = np.random.default_rng(seed)
    row, column = np.mgrid[:112, :112] + 0.5
    faces = np.empty((len(opening), 112, 112), np.uint8)
    for at, wide in enumerate(opening):
        x, y = column - sway_px * np.sin(at / 3), row - sway_px * np.cos(at / 4)
        skin = 150 + 25 * np.cos(x / 9) * np.sin(y / 11)
        mouth = ((x - 56) / 20) ** 2 + ((y - 62) / (3 + 10 * wide)) ** 2
        face = skin - 50 * np.exp(-mouth) + rng.normal(0, grain, skin.shape)
        faces[at] = np.clip(face, 0, 255)
    return faces


def speak(opening: np.ndarray, seed: int = 0, level: float = 0.3) -> np.ndarray:
    """The sound of that mouth, (N,) float32: noise as loud as it is open, over a quiet room."""
    rng = np.random.default_rng(seed)
    loud = np.repeat(opening, PER_FRAME) * level
    return (rng.normal(0, 1, len(loud)) * (loud + 2e-4)).astype(np.float32)


def silence(frames: int) -> np.ndarray:
    return np.random.default_rng(1).normal(0, 2e-4, frames * PER_FRAME).astype(np.float32)


@few
@given(frames=st.integers(1, 260), piece=st.integers(20, 150), seed=st.integers(0, 99))
def test_pieces_with_context_score_as_the_whole_does(frames, piece, seed):
    motion, faces = Motion(), draw(talk(frames, seed), 1.0)
    audio = speak(talk(frames, seed + 1), seed)
    whole, context = motion(faces, audio), motion.context
    for start in range(0, frames, piece):
        first, last = max(0, start - context), min(frames, start + piece + context)
        part = motion(faces[first:last], audio[first * PER_FRAME : last * PER_FRAME])[start - first :][:piece]
        np.testing.assert_allclose(part[: frames - start], whole[start : start + piece], atol=1e-5)


@few
@given(frames=st.integers(0, 40), samples=st.integers(0, 40 * PER_FRAME))
def test_any_lengths_give_one_finite_score_a_frame(frames, samples):
    made = Motion()(draw(talk(frames)), np.full(samples, 0.1, np.float32))
    assert made.shape == (frames,)
    assert made.dtype == np.float32
    assert np.isfinite(made).all()


def test_the_face_that_moves_with_the_voice_beats_one_that_moves_otherwise():
    gains = []
    for seed in range(5):
        audio = speak(talk(150, seed))
        mine, others = (Motion()(draw(talk(150, of)), audio) for of in (seed, seed + 1000))
        gains.append(mine.mean() - others.mean())
    assert min(gains) > 0
    assert np.mean(gains) > 1


@pytest.mark.parametrize("sway_px", [0.0, 1.5])
def test_the_face_that_speaks_is_above_zero_and_a_still_one_below(sway_px):
    opening = talk(250)
    audio = speak(opening)
    assert np.median(Motion()(draw(opening, sway_px), audio)) > 0
    assert np.median(Motion()(draw(np.zeros(250), sway_px), audio)) < 0


def test_nobody_speaks_in_silence():
    assert (Motion()(draw(talk(100)), silence(100)) < 0).all()


def test_silence_after_speech_is_below_zero():
    opening = np.concatenate([talk(100), np.zeros(60)])
    scores = Motion()(draw(opening), speak(opening))
    assert (scores[115:] < 0).all()


@few
@given(gain_db=st.floats(-15, 6))
def test_loudness_of_the_recording_hardly_matters(gain_db):
    opening = talk(120)
    audio, faces = speak(opening), draw(opening)
    louder = (audio * 10 ** (gain_db / 20)).astype(np.float32)
    np.testing.assert_allclose(Motion()(faces, louder), Motion()(faces, audio), atol=0.5)


def test_movement_of_the_head_is_not_taken_for_the_mouths():
    still, swaying, talking = draw(np.zeros(80)), draw(np.zeros(80), sway_px=2.0), draw(talk(80), sway_px=2.0)
    at_rest, sways, talks = (np.exp(np.median(mouth_movement(faces)[0])) for faces in (still, swaying, talking))
    assert sways / at_rest < 1.2
    assert talks / at_rest > 1.4


def test_a_frame_shown_twice_changes_little():
    opening = talk(120)
    faces, audio = draw(opening), speak(opening)
    stuttering = faces.copy()
    stuttering[10::12] = faces[9::12]
    together = clues(faces, audio)[2], clues(stuttering, audio)[2]
    assert np.abs(together[0] - together[1]).mean() < 0.15


@pytest.mark.parametrize(
    ("faces", "audio", "said"),
    [
        (np.zeros((4, 96, 96), np.uint8), np.zeros(9, np.float32), r"faces \(T, 112, 112\) uint8, got \(4, 96, 96\)"),
        (np.zeros((4, 112, 112), np.float32), np.zeros(9, np.float32), "uint8, got .* float32"),
        (np.zeros((4, 112, 112), np.uint8), np.zeros((2, 9), np.float32), r"audio \(N,\) float, got \(2, 9\)"),
        (np.zeros((4, 112, 112), np.uint8), np.zeros(9, np.int16), "got .* int16"),
    ],
)
def test_wrong_arrays_are_refused_in_words(faces, audio, said):
    with pytest.raises(ValueError, match=said):
        Motion()(faces, audio)


def test_there_is_nothing_to_load():
    motion = load("motion")
    assert isinstance(motion, Motion)
    assert motion.card.sources == ()
    assert motion.card.sha256 == ""


@dataclass(frozen=True, slots=True)
class TalkingHead:
    """A real clip of one person: the film, the track of the face, and the sound."""

    path: Path
    recording: Recording
    clock: Clock
    track: Track
    sound: np.ndarray  # (N,) float32 at 16 kHz

    def scores(self, sound: np.ndarray) -> np.ndarray:
        """Log-odds that this face says `sound`, by the step, from decoded pictures."""
        film, audio = Film(self.recording), Series(sound[: self.recording.num_samples], Fraction(16000))
        looker = asd(film, Tracks((self.track,)), audio, self.recording, None, Motion(), AsdParams())
        return drive(looker, decode(self.path, self.clock, film.whole)).columns["score"]

    def loud(self) -> np.ndarray:
        """Where this person is heard, (T,) bool: within 25 dB of the loudest frames."""
        power = (self.sound.reshape(-1, PER_FRAME) ** 2).mean(1)
        return power > np.percentile(power, 95) * 10**-2.5


def watch(path: Path, detector: YuNet, frames: int) -> TalkingHead:
    """The first `frames` of a clip."""
    found = probe(path, Fraction(25), 16000)
    span = Span(0, frames)
    seen = []
    for picture in decode(path, found.clock, [span]):
        if picture.frame % 4 == 0:
            scale = min(1.0, 448 / max(found.width, found.height))
            boxes, _, _ = detector(picture.bgr((round(found.height * scale), round(found.width * scale))))
            seen.append((picture.frame, boxes[0] / scale))
    at = [frame for frame, _ in seen]
    box = np.stack([np.interp(np.arange(frames), at, edge) for edge in np.stack([b for _, b in seen]).T], 1)
    track = Track(0, 0, box.astype(np.float32), np.ones(frames, np.float32), np.ones(frames, bool))
    samples = frames * PER_FRAME
    recording = Recording(
        path.stem, "", "", Fraction(25), frames, found.width, found.height, 16000, samples, Fraction(0)
    )
    sound = np.concatenate(list(read_audio(path, found.timeline, found.num_samples, 16000)))[:samples]
    return TalkingHead(path, recording, found.clock, track, sound * (0.05 / sound.std()))


@pytest.mark.real
def test_of_real_faces_that_all_talk_the_one_that_is_heard_scores_best(shared_data, shared_weights):
    names = ("voxceleb2_00473.mp4", "retalking_face5.mp4", "may_5s.mp4")
    detector = YuNet(shared_weights / "yunet_n.onnx", min_score=0.6)
    heads = [watch(shared_data / "a_talking_head" / name, detector, 120) for name in names]
    labels, scores = [], []
    for voice in heads:
        for face in heads:
            scores.append(face.scores(voice.sound))
            labels.append(voice.loud() if face is voice else np.zeros(120, bool))
    truth = np.concatenate(labels)
    found = average_precision_score(truth, np.concatenate(scores))
    assert found > truth.mean() + 0.15
