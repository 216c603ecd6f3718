"""What `tiny` learns from: windows of movement and MFCC with exact truth, mounted from few clips seen in many ways.

Real faces are those of GRID, drawn ones are puppets. Each is shown faster and slower, mirrored, moved, turned, lit,
blurred and heard in many rooms; then its movement is measured as `tiny` does it, which is all that the windows need.
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
from phonoscope.models.backends.tiny import SOUND_MEAN, movement
from phonoscope.testing.puppet import Head, Scene, Seat, Shot, Speech, View

FRAMES = 64  # of a window
SIDE = 112  # px, of faces
WITHOUT_PAUSE = 110  # frames of real speech without a pause: what GRID's three seconds hold, to and fro
QUIET_DB = 20  # a voice alone is heard in frames so far below its RMS and above


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """One person seen and heard in one way; of a mere voice, or a room, nothing moves."""

    person: str
    moved: np.ndarray  # (T, 5) float32, as `movement` measures it
    mfcc: np.ndarray  # (4T, 13) float32
    heard: np.ndarray  # (T,) bool: the voice is
    talks: np.ndarray  # (T,) bool: the mouth says what is heard

    def __len__(self) -> int:
        return len(self.heard)


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """One example."""

    moved: np.ndarray  # (64, 5) float32
    mfcc: np.ndarray  # (256, 13) float32
    speaks: np.ndarray  # (64,) bool
    heard: np.ndarray  # (64,) bool: somebody is
    talks: np.ndarray  # (64,) bool: the mouth does, whoever is heard


def puppet(seed: int, frames: int = 100) -> Clip:
    """A drawn head as the pipeline would cut it out: two of three talk on, of the others some pause and some listen."""
    rng = np.random.default_rng([seed, 0x72])
    tall, side, seconds = rng.uniform(60, 150), 224, frames / 25
    turns: tuple[tuple[float, float], ...] = ((0.0, seconds),)
    if seed % 8 == 0:
        turns = ()
    elif seed % 3 == 0:
        pause = rng.uniform(0.3, 1.2)
        middle = rng.uniform(1.0, seconds - 1.0 - pause)
        turns = ((0.1, middle), (middle + pause, seconds - 0.1))
    says = Speech(int(rng.integers(1000)), turns, int(rng.integers(1000))) if turns else None
    drift, zoom = rng.uniform(-10, 10, 2), rng.uniform(0.95, 1.1)
    camera = View(side / 2, side / 2), View(side / 2 + drift[0], side / 2 + drift[1], zoom)
    shot = Shot(frames, (Seat(0, side / 2, side / 2, tall, rng.uniform(-20, 20)),), seed, camera=camera)
    scene = Scene(heads=(Head(seed, says),), shots=(shot,), width=side, height=side)
    truth = scene.truth
    crop = central(crop_track(truth.tracks().tracks[0], "asd"), SIDE)
    grey = (cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in scene.frames())
    faces = np.stack([warp(plane, crop.matrix[at], (SIDE, SIDE), 110) for at, plane in enumerate(grey)])
    voice = scene.audio()
    voice = voice * np.float32(LEVEL / max(float(voice.std()), 1e-3))
    return Clip(f"puppet {seed}", f"puppet {seed}", faces, voice, truth.heads[0].speaking)


def seen_often(clips: Sequence[Clip], times: int, without_pause: float, rng: np.random.Generator) -> list[Seen]:
    """Each clip `times` over, each time otherwise.

    Args:
        without_pause: share of them in which the voice never rests. GRID's sentences are so short that their pauses
            alone would tell what goes together.
    """
    made = []
    for clip in clips:
        for _ in range(times):
            told = shown = _paced(clip, rng)
            kind = rng.random()
            if kind < 0.15:
                shown = _listening(told, rng)
            elif kind < 0.15 + without_pause:
                told = shown = _to_and_fro(told)
            moved = movement(looked_at(shown.faces, rng))
            sound = rows(in_a_room(told.voice, rng), len(shown.faces))
            made.append(Seen(clip.person, moved, sound, told.heard, shown.heard))
    return made


def voices(paths: Sequence[str], times: int, rng: np.random.Generator) -> list[Seen]:
    """Speech of people who are not seen, `times` over; what is shorter than a window is left out."""
    import soundfile

    made = []
    for path in paths:
        sound, rate = soundfile.read(DATA / path, dtype="float32")
        frames = len(sound) // PER_FRAME
        if rate != 16000:
            raise ValueError(f"{path}: a voice must be at 16 kHz, got {rate}")
        if frames <= FRAMES:
            continue
        sound = sound[: frames * PER_FRAME] * np.float32(LEVEL / sound.std())
        heard = (sound.reshape(frames, -1) ** 2).mean(1) > LEVEL**2 * 10 ** (-QUIET_DB / 10)
        unseen = np.zeros((frames, 5), np.float32), heard, np.zeros(frames, bool)
        made += [Seen(path, unseen[0], rows(in_a_room(sound, rng), frames), *unseen[1:]) for _ in range(times)]
    return made


def rooms(many: int, rng: np.random.Generator) -> list[Seen]:
    """Rooms in which nobody speaks, from almost still to loud ones."""
    made, none = [], np.zeros(FRAMES, bool)
    for number in range(many):
        level = np.exp(rng.uniform(np.log(1e-5), np.log(0.01)))
        sound = rng.normal(0, level, FRAMES * PER_FRAME).astype(np.float32)
        made.append(Seen(f"room {number}", np.zeros((FRAMES, 5), np.float32), rows(sound, FRAMES), none, none))
    return made


def rows(sound: np.ndarray, frames: int) -> np.ndarray:
    """MFCC (4T, 13) float32 by the recipe psf; silence follows the sound."""
    heard = sound[: frames * PER_FRAME]
    made = mfcc(np.pad(heard, (0, frames * PER_FRAME + 240 - len(heard))), 16000, "psf", Fraction(25))
    return made.values[: 4 * frames].astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Sampler:
    """Draws windows: half of their frames have the face's own voice, the others one that is not theirs.

    Mostly that is their own at another time, half of the window or more away, or a quarter to half a second; else
    somebody else's or none. In four of ten windows one follows the other, so that a change must be noticed.
    """

    real: Sequence[Seen]
    drawn: Sequence[Seen]
    spoken: Sequence[Seen]
    still: Sequence[Seen]  # rooms
    real_share: float = 0.85

    def draw(self, rng: np.random.Generator) -> Window:
        """One window; the same generator draws the same."""
        among = self.real if rng.random() < self.real_share else self.drawn
        one = among[int(rng.integers(len(among)))]
        start = int(rng.integers(len(one) - FRAMES + 1))
        own, other = _part(one, start), self._other(one, start, among, rng)
        is_own = _turns(rng)
        sound = np.where(np.repeat(is_own, 4)[:, None], own.mfcc, other.mfcc)
        heard = np.where(is_own, own.heard, other.heard)
        speaks = is_own & own.heard & own.talks
        if rng.random() < 0.55:
            room = self.still[int(rng.integers(len(self.still)))]
            rest = np.ones(FRAMES, bool) if rng.random() < 0.36 else _some(rng)
            quieter = min(0.0, float(sound[:, 0].max()) - SOUND_MEAN[0] - float(room.mfcc[:, 0].mean()))
            quiet = room.mfcc + np.array([quieter] + [0.0] * 12, np.float32)
            sound = np.where(np.repeat(rest, 4)[:, None], quiet, sound)
            heard, speaks = heard & ~rest, speaks & ~rest
        sound[:, 0] += rng.uniform(-3, 2)  # louder or softer
        return Window(own.moved, sound.astype(np.float32), speaks, heard, own.talks)

    def _other(self, one: Seen, start: int, among: Sequence[Seen], rng: np.random.Generator) -> Seen:
        """Sound that is not what this face says now."""
        kind = rng.random()
        if kind < 0.8:
            least, most = (FRAMES // 2, max(len(one) - FRAMES // 2, FRAMES // 2 + 1)) if kind < 0.7 else (6, 16)
            late = int(rng.integers(least, most)) * (1 if rng.random() < 0.5 else -1)
            moved = replace(one, mfcc=np.roll(one.mfcc, 4 * late, 0), heard=np.roll(one.heard, late))
            return _part(moved, start)
        if kind < 0.88:
            others = [each for each in among if each.person != one.person]
        else:
            others = list(self.spoken if kind < 0.94 else self.still)
        other = others[int(rng.integers(len(others)))]
        return _part(other, int(rng.integers(len(other) - FRAMES + 1)))


def _part(seen: Seen, start: int) -> Seen:
    part = slice(start, start + FRAMES)
    sound = seen.mfcc[4 * start : 4 * (start + FRAMES)]
    return Seen(seen.person, seen.moved[part], sound, seen.heard[part], seen.talks[part])


def _turns(rng: np.random.Generator) -> np.ndarray:
    """Where the own voice is heard, (64,) bool: throughout, nowhere, before a change or after it."""
    kind, change = rng.random(), int(rng.integers(12, FRAMES - 12))
    if kind < 0.6:
        return np.full(FRAMES, kind < 0.3)
    return (np.arange(FRAMES) < change) == (kind < 0.8)


def _some(rng: np.random.Generator) -> np.ndarray:
    """A stretch of a window, (64,) bool: its begin, its end or, half of the time, any."""
    start, stop = sorted(rng.integers(0, FRAMES, 2).tolist())
    if rng.random() < 0.5:
        start, stop = (0, stop) if rng.random() < 0.5 else (start, FRAMES)
    return (np.arange(FRAMES) >= start) & (np.arange(FRAMES) < stop)


def in_a_room(sound: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Sound (N,) through another microphone: its tone, and noise of a room."""
    tone = rng.uniform(-0.5, 0.5)
    noise = rng.normal(0, 1, len(sound))
    if rng.random() < 0.5:
        noise = np.convolve(noise, np.ones(8) / 8**0.5, "same")
    level = np.exp(rng.uniform(np.log(ROOM), np.log(0.008)))
    return (sound + tone * np.concatenate([[0], sound[:-1]]) + level * noise).astype(np.float32)


def looked_at(faces: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Faces (T, 112, 112) uint8 through another camera: mirrored, moved, turned, lit, blurred, with grain."""
    flip = -1 if rng.random() < 0.5 else 1
    scale, angle = np.exp(rng.uniform(-0.18, 0.2)), np.deg2rad(rng.uniform(-14, 14))
    wide, shift = np.exp(rng.uniform(-0.2, 0.12)), rng.uniform(-6, 6, 2)
    sway = _wander(rng, len(faces), 2) * rng.choice([0.3, 1.0, 3.0])
    swell = 1 + 0.02 * _wander(rng, len(faces), 1)[:, 0] * rng.choice([0.2, 1.0])
    turned = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * [wide * flip, 1]
    middle, seen = np.full(2, SIDE / 2), np.empty(faces.shape, np.uint8)
    for at, face in enumerate(faces):
        linear = scale * swell[at] * turned
        matrix = np.column_stack([linear, middle + shift + sway[at] - linear @ middle])
        seen[at] = cv2.warpAffine(face, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return _stuttering(_lit(seen, rng), rng)


def _lit(seen: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    gamma, gain = np.exp(rng.uniform(-0.4, 0.4)), rng.uniform(0.55, 1.1)
    table = np.clip(255 * gain * (np.arange(256) / 255) ** gamma + rng.uniform(0, 40), 0, 255).astype(np.float32)
    ramp = 1 + rng.uniform(-0.35, 0.35, 2) @ (np.mgrid[:SIDE, :SIDE].reshape(2, -1) / SIDE - 0.5)
    lit = table[seen] * ramp.reshape(SIDE, SIDE).astype(np.float32)
    if (blur := rng.uniform(-1.2, 2.0)) > 0.4:
        lit = np.stack([cv2.GaussianBlur(face, (0, 0), blur) for face in lit])
    lit += rng.standard_normal(lit.shape, np.float32) * rng.choice([0.0, 0.6, 1.6])
    return np.clip(lit, 0, 255).astype(np.uint8)


def _stuttering(faces: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """At times every fifth to eleventh picture is the last one again, as in film of fewer pictures a second."""
    if rng.random() < 0.15:
        every = int(rng.integers(5, 12))
        faces[every::every] = faces[every - 1 : -1 : every][: len(faces[every::every])]
    return faces


def _wander(rng: np.random.Generator, frames: int, many: int) -> np.ndarray:
    """Smooth movement (T, many), about 1 px."""
    bell = np.hanning(25)
    steps = rng.normal(0, 1, (many, frames + 24))
    return np.stack([np.convolve(step, bell / (bell**2).sum() ** 0.5, "valid") for step in steps], 1)


def _paced(clip: Clip, rng: np.random.Generator) -> Clip:
    """A clip a little faster or slower, pictures and voice alike; a window long at least."""
    pace = rng.uniform(0.87, min(1.17, (len(clip.faces) - 1) / FRAMES))
    frames = int(len(clip.faces) / pace)
    place = np.minimum(np.arange(frames) * pace, len(clip.faces) - 1)
    before = np.minimum(place.astype(int), len(clip.faces) - 2)
    share = (place - before).astype(np.float32)[:, None, None]
    faces = (clip.faces[before] * (1 - share) + clip.faces[before + 1] * share).astype(np.uint8)
    voice = np.interp(np.arange(frames * PER_FRAME) * pace, np.arange(len(clip.voice)), clip.voice)
    heard = clip.heard[np.round(place).astype(int)]
    return replace(clip, faces=faces, voice=voice.astype(np.float32), heard=heard)


def _listening(clip: Clip, rng: np.random.Generator) -> Clip:
    """The same person as they listen: the longest pause of theirs to and fro."""
    quiet = np.flatnonzero(~clip.heard)
    longest = max(np.split(quiet, np.flatnonzero(np.diff(quiet) > 1) + 1), key=len)
    if len(longest) < 4:
        return clip
    turning = np.repeat(np.concatenate([longest, longest[::-1]]), rng.integers(1, 3))
    return replace(clip, faces=clip.faces[np.resize(turning, len(clip.faces))], heard=np.zeros(len(clip.faces), bool))


def _to_and_fro(clip: Clip) -> Clip:
    """What is said between the first word and the last, forwards, backwards and so on; lips and voice stay together."""
    said = np.flatnonzero(clip.heard)
    part = slice(int(said[0]) + 1, int(said[-1]))
    faces, voice = clip.faces[part], clip.voice[part.start * PER_FRAME : part.stop * PER_FRAME]
    times = range(-(-WITHOUT_PAUSE // len(faces)))
    both = [(faces, voice) if time % 2 == 0 else (faces[::-1], voice[::-1]) for time in times]
    return replace(
        clip,
        faces=np.concatenate([seen for seen, _ in both])[:WITHOUT_PAUSE],
        voice=np.concatenate([heard for _, heard in both])[: WITHOUT_PAUSE * PER_FRAME],
        heard=np.ones(WITHOUT_PAUSE, bool),
    )
