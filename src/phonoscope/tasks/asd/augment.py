"""Varying what a network learns from: the faces of a clip, and what is heard beside its voice.

Source: TalkNet's and Light-ASD's loaders (MIT), whose powers overflow 16 bits and whose other clip comes from the same
batch; here powers are of floats, and the other clip is any of the data set.
"""

import cv2
import numpy as np

from phonoscope.tasks.asd.params import AugmentParams

WAYS = ("leave", "mirror", "enlarge", "turn")


def vary_faces(faces: np.ndarray, rng: np.random.Generator, p: AugmentParams) -> np.ndarray:
    """The faces of a clip (T, H, W) uint8, all left, mirrored, enlarged or turned in the same way."""
    height, width = faces.shape[1:]
    way = WAYS[rng.integers(len(WAYS))]
    part, angle_deg = rng.uniform(p.crop_least, 1), rng.uniform(-p.rotate_deg, p.rotate_deg)
    tall, wide = int(height * part), int(width * part)
    y, x = int(rng.integers(height - tall + 1)), int(rng.integers(width - wide + 1))
    if way == "mirror":
        return np.ascontiguousarray(faces[:, :, ::-1])
    if way == "enlarge":
        cut = faces[:, y : y + tall, x : x + wide]
        return np.stack([cv2.resize(face, (width, height)) for face in cut]) if len(faces) else faces
    if way == "turn":
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle_deg, 1)
        return np.stack([cv2.warpAffine(face, turn, (width, height)) for face in faces]) if len(faces) else faces
    return faces


def overlay(audio: np.ndarray, other: np.ndarray, snr_db: float) -> np.ndarray:
    """`audio` (N,) float with `other` (M,) under it, `snr_db` softer, repeated or cut to N; float32, may exceed 1.

    Where either is silent there is no such ratio, and `audio` stays as it is.
    """
    if not len(audio) or not len(other):
        return audio.astype(np.float32)
    noise = other[np.arange(len(audio)) % len(other)].astype(np.float64)
    clean = audio.astype(np.float64)
    clean_power, noise_power = np.mean(clean**2), np.mean(noise**2)
    if not clean_power or not noise_power:
        return audio.astype(np.float32)
    gain = np.sqrt(clean_power / noise_power * 10 ** (-snr_db / 10))
    return (clean + gain * noise).astype(np.float32)
