"""Voices of a film of any length, by a separator that is shown one stretch of it at a time.

Stretches begin at multiples of half a stretch, counted from the film's begin, and each is faded into the next over the
half that they share. So what comes out does not depend on how the sound is fed, and no more than a stretch is held.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from phonoscope.models.protocols import VoiceSeparator

PER_FRAME = 640  # samples: 16 kHz under 25 frames a second
HELD = 50  # frames after a face was last seen, and before it is first seen, in which its voice is still its own
FADE = 640  # samples over which a voice comes and goes at the ends of that


@dataclass(frozen=True, slots=True, eq=False)
class FaceLips:
    """What is seen of one face's lips in a film."""

    start: int  # frame of row 0
    rows: np.ndarray  # (T, width) float32, NaN where the face is not seen; may be mapped from disk

    def on(self, first: int, stop: int) -> np.ndarray:
        """Rows (stop - first, width) of these frames of the film; NaN before the first row and after the last."""
        made = np.full((stop - first, self.rows.shape[1]), np.nan, np.float32)
        begin, end = max(first, self.start), min(stop, self.start + len(self.rows))
        if begin < end:
            made[begin - first : end - first] = self.rows[begin - self.start : end - self.start]
        return made


class Voices:
    """The voices of some faces in a sound that is heard bit by bit.

    Of each stretch the separator is shown those faces that are seen in it at all. A face that is not has no part in it:
    where no stretch shows it, and more than `HELD` frames away from where it is seen, its voice is silence.
    """

    def __init__(self, separator: VoiceSeparator, faces: Sequence[FaceLips]) -> None:
        """Nothing is heard yet.

        Raises:
            ValueError: the separator's stretch is shorter than two frames.
        """
        if separator.stretch < 2:
            raise ValueError(f"{separator.card.name} must be shown two frames at least, not {separator.stretch}")
        self._separator, self._faces = separator, tuple(faces)
        self._held = [_held(face) for face in faces]
        self._half = separator.stretch // 2 * PER_FRAME  # samples
        self._waiting = np.zeros(0, np.float32)  # sound from `_at` on
        self._at = 0  # sample at which the next stretch begins, a multiple of half of one
        self._last: np.ndarray | None = None  # (S, half): what the stretch before has made of the half that is next

    def hear(self, audio: np.ndarray) -> np.ndarray:
        """What is certain after more of the sound, (n,) float32 at 16 kHz: voices (S, m) float32, m may be 0."""
        self._waiting = np.concatenate([self._waiting, np.asarray(audio, np.float32)])
        made = [np.zeros((len(self._faces), 0), np.float32)]
        while len(self._waiting) >= 2 * self._half:
            made.append(self._next())
        return np.concatenate(made, 1)

    def end(self) -> np.ndarray:
        """The voices that are left, (S, m) float32, now that the sound is over: as much as was heard, in all."""
        left = len(self._waiting)
        made = [np.zeros((len(self._faces), 0), np.float32)]
        if left > self._half or (left and self._last is None):
            made.append(self._next())
        if self._last is not None:
            made.append(self._told(self._at, self._last))
        return np.concatenate(made, 1)[:, :left]

    def _next(self) -> np.ndarray:
        """The next half (S, half), for good, by the stretch that begins with it and the one before."""
        half, at, before = self._half, self._at, self._last
        voices = self._stretch(self._waiting[: 2 * half])
        self._waiting, self._at, self._last = self._waiting[half:], at + half, voices[:, half:]
        now = voices[:, :half]
        if before is not None:
            rise = (np.sin((np.arange(half) + 0.5) / half * np.pi / 2) ** 2).astype(np.float32)
            now = before + rise * (now - before)
        return self._told(at, now)

    def _stretch(self, sound: np.ndarray) -> np.ndarray:
        """Voices (S, 2 · half) of the stretch that begins at `_at`; silence follows sound that is shorter."""
        made = np.zeros((len(self._faces), 2 * self._half), np.float32)
        first = self._at // PER_FRAME
        rows = [face.on(first, first + 2 * self._half // PER_FRAME) for face in self._faces]
        seen = [at for at, there in enumerate(rows) if np.isfinite(there).all(1).any()]
        if not seen or not sound.any():
            return made
        heard = np.pad(sound, (0, made.shape[1] - len(sound)))
        voices = self._separator(heard, np.stack([rows[at] for at in seen]))
        if voices.shape != (len(seen), len(heard)) or not np.isfinite(voices).all():
            wanted = (len(seen), len(heard))
            raise ValueError(f"{self._separator.card.name} must give {wanted} finite numbers, got {voices.shape}")
        made[seen] = voices
        return made

    def _told(self, at: int, voices: np.ndarray) -> np.ndarray:
        """Voices (S, N) from sample `at` on, each silent where its face is too long gone."""
        sample = at + np.arange(voices.shape[1])
        made = np.empty_like(voices)
        for k, spans in enumerate(self._held):
            there = np.zeros(len(sample))
            for first, stop in spans[(spans[:, 0] < at + len(sample) + FADE) & (spans[:, 1] > at - FADE)].tolist():
                inside = np.minimum(sample - first, stop - 1 - sample) / FADE + 1
                there = np.maximum(there, np.clip(inside, 0, 1))
            made[k] = voices[k] * there
        return made


def _held(face: FaceLips) -> np.ndarray:
    """From which samples to which a face has a voice, (K, 2) int64, sorted and separate; none if it is never seen."""
    seen = np.flatnonzero(np.isfinite(face.rows).all(1))
    runs = np.split(seen, np.flatnonzero(np.diff(seen) > 2 * HELD) + 1) if len(seen) else []
    frames = [(face.start + int(run[0]) - HELD, face.start + int(run[-1]) + 1 + HELD) for run in runs]
    return np.array(frames, np.int64).reshape(-1, 2) * PER_FRAME


def check_shown(audio: np.ndarray, rows: np.ndarray, width: int, what: str = "lips") -> None:
    """Nothing, if a separator can be given this sound and these rows of faces.

    Raises:
        ValueError: it is no finite (N,) float32, or they are no (S, T, width).
    """
    if audio.ndim != 1 or audio.dtype != np.float32 or not np.isfinite(audio).all():
        raise ValueError(f"expected audio (N,) float32 of finite numbers, got {audio.shape} {audio.dtype}")
    if rows.ndim != 3 or rows.shape[2] != width:
        raise ValueError(f"expected {what} (S, T, {width}), got {rows.shape}")
