"""What `tiny` learns from: windows of faces and sound with exact truth, made anew for every step from few clips.

Real faces are those of GRID, drawn ones are puppets; voices that are laid over either are LibriSpeech's, too.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import cv2
import numpy as np

from bench.asd_scenes import DATA, LEVEL, PER_FRAME, ROOM, Clip
from phonoscope.core.geometry import central, crop_track
from phonoscope.core.mfcc import mfcc
from phonoscope.media.warp import warp
from phonoscope.testing.puppet import Head, Scene, Seat, Shot, Speech, View

FRAMES = 64  # of a window
SIDE, HALF = 112, 56  # px, of faces, and of those that the network sees


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """One example."""

    faces: np.ndarray  # (64, 56, 56) uint8, halved
    mfcc: np.ndarray  # (256, 13) float32
    speaks: np.ndarray  # (64,) bool
    heard: np.ndarray  # (64,) bool: somebody is
    talks: np.ndarray  # (64,) bool: the mouth does, whoever is heard


def puppet(seed: int, frames: int = 100) -> Clip:
    """A drawn head that talks in phrases, or listens (one in five), as the pipeline would cut it out."""
    rng = np.random.default_rng([seed, 0x71])
    tall, side, seconds = rng.uniform(60, 150), 224, frames / 25
    pause = rng.uniform(0.3, 1.2)
    middle = rng.uniform(1.0, seconds - 1.0 - pause)
    turns = () if seed % 5 == 0 else ((0.1, middle), (middle + pause, seconds - 0.1))
    says = Speech(seed, turns, int(rng.integers(1000))) if turns else None
    seat = Seat(0, side / 2, side / 2, tall, rng.uniform(-20, 20))
    drift = rng.uniform(-10, 10, 2)
    camera = View(side / 2, side / 2), View(side / 2 + drift[0], side / 2 + drift[1], rng.uniform(0.95, 1.1))
    scene = Scene(
        heads=(Head(seed, says),), shots=(Shot(frames, (seat,), seed, camera=camera),), width=side, height=side
    )
    truth = scene.truth
    track = truth.tracks().tracks[0]
    crop = central(crop_track(track, "asd"), SIDE)
    grey = (cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in scene.frames())
    faces = np.stack([warp(plane, crop.matrix[at], (SIDE, SIDE), 110) for at, plane in enumerate(grey)])
    voice = scene.audio()
    voice = voice * np.float32(LEVEL / max(float(voice.std()), 1e-3))
    return Clip(f"puppet {seed}", f"puppet {seed}", faces, voice, truth.heads[0].speaking)


def voices(paths: Sequence[str]) -> list[np.ndarray]:
    """Speech (N,) float32 at 16 kHz, of RMS 0.05; what is shorter than a window is left out."""
    import soundfile

    read = [soundfile.read(DATA / path, dtype="float32") for path in paths]
    if any(rate != 16000 for _, rate in read):
        raise ValueError("voices must be at 16 kHz")
    long = [sound for sound, _ in read if len(sound) >= (FRAMES + 1) * PER_FRAME]
    return [sound * np.float32(LEVEL / sound.std()) for sound in long]


def rows(sound: np.ndarray, frames: int) -> np.ndarray:
    """MFCC (4T, 13) float32 by the recipe psf; silence follows the sound."""
    made = mfcc(np.pad(sound[: frames * PER_FRAME], (0, 240)), 16000, "psf", Fraction(25))
    return made.values[: 4 * frames].astype(np.float32)


class Sampler:
    """Draws windows: half of all frames with the face's own voice, the others with what is no voice of theirs.

    That is the same voice at another time (half of the window or more away, or a fifth of a second to half a second),
    another's, or none. In four of ten windows one follows the other, so that a change must be noticed.
    """

    def __init__(self, real: Sequence[Clip], drawn: Sequence[Clip], spoken: Sequence[np.ndarray]) -> None:
        self._real, self._drawn, self._spoken = list(real), list(drawn), list(spoken)

    def draw(self, rng: np.random.Generator, real_share: float = 0.6) -> Window:
        """One window; the same generator draws the same."""
        among = self._real if self._real and rng.random() < real_share else self._drawn
        clip = _paced(among[rng.integers(len(among))], rng)
        if rng.random() < 0.12:
            clip = _still(clip, rng)
        start = int(rng.integers(len(clip.faces) - FRAMES + 1))
        part = slice(start, start + FRAMES)
        own, said = _piece(clip.voice, start), clip.heard[part]
        other, other_heard = self._other(clip, start, among, rng)
        is_own = _turns(rng)
        sound = np.where(np.repeat(is_own, PER_FRAME), own, other)
        heard = np.where(is_own, said, other_heard)
        sound = self._heard_in_a_room(sound, rng)
        return Window(looked_at(clip.faces[part], rng), rows(sound, FRAMES), is_own & said, heard, said)

    def _other(
        self, clip: Clip, start: int, among: Sequence[Clip], rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """A sound (40960,) that is not what this face says now, and where somebody is heard in it."""
        kind = rng.random()
        if kind < 0.45 and clip.heard.any():
            least, most = (FRAMES // 2, len(clip.faces) - FRAMES // 2) if kind < 0.3 else (6, 15)
            late = int(rng.integers(least, max(most, least + 1))) * (1 if rng.random() < 0.5 else -1)
            voice, heard = np.roll(clip.voice, late * PER_FRAME), np.roll(clip.heard, late)
            return _piece(voice, start), heard[start : start + FRAMES]
        if kind < 0.65:
            others = [each for each in among if each.person != clip.person and each.heard.any()]
            other = _paced(others[rng.integers(len(others))], rng)
            at = int(rng.integers(len(other.faces) - FRAMES + 1))
            return _piece(other.voice, at), other.heard[at : at + FRAMES]
        if kind < 0.9:
            voice = self._spoken[rng.integers(len(self._spoken))]
            sound = _piece(voice, int(rng.integers(len(voice) // PER_FRAME - FRAMES)))
            power = (sound.reshape(FRAMES, PER_FRAME) ** 2).mean(1)
            return sound, power > LEVEL**2 * 10**-2.0
        return np.zeros(FRAMES * PER_FRAME, np.float32), np.zeros(FRAMES, bool)

    def _heard_in_a_room(self, sound: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Sound through another microphone: tone, noise, at times a faint second voice, level."""
        tilt = rng.uniform(-0.5, 0.5)
        made = sound + tilt * np.concatenate([[0], sound[:-1]])
        noise = rng.normal(0, 1, len(made))
        if rng.random() < 0.5:
            noise = np.convolve(noise, np.ones(8) / 8**0.5, "same")
        made = made + noise * np.exp(rng.uniform(np.log(ROOM), np.log(0.012)))
        if rng.random() < 0.15:
            voice = self._spoken[rng.integers(len(self._spoken))]
            made = made + _piece(voice, int(rng.integers(len(voice) // PER_FRAME - FRAMES))) * rng.uniform(0.05, 0.35)
        return (made * 10 ** rng.uniform(-0.7, 0.5)).clip(-1, 1).astype(np.float32)


def looked_at(faces: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Faces (T, 112, 112) uint8 through another camera, (T, 56, 56): mirrored, moved, turned, lit, blurred, grainy."""
    frames = len(faces)
    flip = -1 if rng.random() < 0.5 else 1
    scale, angle = np.exp(rng.uniform(-0.18, 0.2)) / 2, np.deg2rad(rng.uniform(-14, 14))
    wide, shift = np.exp(rng.uniform(-0.2, 0.12)), rng.uniform(-3, 3, 2)
    sway = _wander(rng, frames, 2) * rng.choice([0.15, 0.5, 1.5])
    swell = 1 + 0.02 * _wander(rng, frames, 1)[:, 0] * rng.choice([0.2, 1.0])
    turned = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * [wide * flip, 1]
    seen = np.empty((frames, HALF, HALF), np.uint8)
    for at in range(frames):
        linear = scale * swell[at] * turned
        move = HALF / 2 - 0.5 + shift + sway[at] - linear @ np.full(2, SIDE / 2 - 0.5)
        matrix = np.column_stack([linear, move])
        seen[at] = cv2.warpAffine(
            faces[at], matrix, (HALF, HALF), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
    return _stuttering(_lit(seen, rng), rng)


def _lit(seen: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    gamma, gain = np.exp(rng.uniform(-0.4, 0.4)), rng.uniform(0.55, 1.1)
    table = np.clip(255 * gain * (np.arange(256) / 255) ** gamma + rng.uniform(0, 40), 0, 255).astype(np.float32)
    ramp = 1 + rng.uniform(-0.35, 0.35, 2) @ (np.mgrid[:HALF, :HALF].reshape(2, -1) / HALF - 0.5)
    lit = table[seen] * ramp.reshape(HALF, HALF).astype(np.float32)
    if (blur := rng.uniform(-0.6, 1.0)) > 0.25:
        lit = np.stack([cv2.GaussianBlur(face, (0, 0), blur) for face in lit])
    lit += rng.standard_normal(lit.shape, np.float32) * rng.uniform(0, 2.5)
    return np.clip(lit, 0, 255).astype(np.uint8)


def _stuttering(faces: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """At times every fifth to eleventh picture is the last one again, as in film of fewer pictures a second."""
    if rng.random() < 0.15:
        every = int(rng.integers(5, 12))
        faces[every::every] = faces[every - 1 : -1 : every][: len(faces[every::every])]
    return faces


def _wander(rng: np.random.Generator, frames: int, many: int) -> np.ndarray:
    """Smooth movement (T, many), about 1 px."""
    steps = rng.normal(0, 1, (frames + 24, many))
    bell = np.hanning(25)
    return np.stack([np.convolve(step, bell / (bell**2).sum() ** 0.5, "valid") for step in steps.T], 1)


def _turns(rng: np.random.Generator) -> np.ndarray:
    """Where the own voice is heard, (64,) bool: throughout, nowhere, before a change or after it."""
    kind, change = rng.random(), int(rng.integers(12, FRAMES - 12))
    if kind < 0.6:
        return np.full(FRAMES, kind < 0.3)
    return (np.arange(FRAMES) < change) == (kind < 0.8)


def _paced(clip: Clip, rng: np.random.Generator) -> Clip:
    """A clip a little faster or slower, pictures and voice alike."""
    pace = rng.uniform(0.87, min(1.17, (len(clip.faces) - 1) / FRAMES))
    frames = int(len(clip.faces) / pace)
    place = np.minimum(np.arange(frames) * pace, len(clip.faces) - 1)
    before = np.minimum(place.astype(int), len(clip.faces) - 2)
    share = (place - before).astype(np.float32)[:, None, None]
    faces = (clip.faces[before] * (1 - share) + clip.faces[before + 1] * share).astype(np.uint8)
    voice = np.interp(np.arange(frames * PER_FRAME) * pace, np.arange(len(clip.voice)), clip.voice)
    return replace(clip, faces=faces, voice=voice.astype(np.float32), heard=clip.heard[np.round(place).astype(int)])


def _still(clip: Clip, rng: np.random.Generator) -> Clip:
    """The same person as they listen: the longest pause of theirs to and fro."""
    quiet = np.flatnonzero(~clip.heard)
    runs = np.split(quiet, np.flatnonzero(np.diff(quiet) > 1) + 1)
    longest = max(runs, key=len)
    if len(longest) < 4:
        return clip
    to_and_fro = np.concatenate([longest, longest[::-1]])
    faces = clip.faces[np.resize(np.repeat(to_and_fro, rng.integers(1, 3)), len(clip.faces))]
    return replace(clip, faces=faces, heard=np.zeros(len(faces), bool))


def _piece(voice: np.ndarray, start: int) -> np.ndarray:
    made = voice[start * PER_FRAME : (start + FRAMES) * PER_FRAME]
    return np.pad(made, (0, FRAMES * PER_FRAME - len(made)))

