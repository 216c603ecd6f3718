"""Faces: what a detector finds, in every n-th frame and on both sides of every sudden change."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from phonoscope.core.change import change, small_hsv, small_size
from phonoscope.core.checks import within
from phonoscope.core.faces import Faces
from phonoscope.core.media import Picture
from phonoscope.flow.step import Apart, step
from phonoscope.flow.streams import Film, Look
from phonoscope.models.protocols import FaceDetector


@dataclass(frozen=True, slots=True, kw_only=True)
class FacesParams:
    """Where and how to look for faces."""

    model: str = "auto"  # yunet where its weights can be had, else blazeface
    every: int = 5  # frames from one detection to the next
    jump: float = 12.0  # mean change of hue, saturation and value at which both frames are looked at; cuts have 27
    size: int = 640  # px, longer side of the picture that the detector sees; larger finds smaller faces
    min_score: float = 0.6  # of 1; what the detector is less sure of is left out

    def __post_init__(self) -> None:
        within("faces.every", self.every, 1)
        within("faces.jump", self.jump, 0)
        within("faces.size", self.size, 32)
        within("faces.min_score", self.min_score, 0, 1)


@step(version=1, apart=Apart(around=1))
def faces(film: Film, detector: FaceDetector, p: FacesParams) -> Look[Faces]:
    """Every face found, in pixels of the upright source frame.

    Frames that are looked at: every `every`-th, the last, and both sides of each jump of the picture, so that
    every shot is seen from its first frame to its last.
    """
    recording = film.recording
    scale = min(1.0, p.size / max(recording.width, recording.height))
    size = (max(1, round(recording.height * scale)), max(1, round(recording.width * scale)))
    found: list[tuple[int, np.ndarray, np.ndarray, np.ndarray]] = []

    def detect(picture: Picture) -> None:
        if not found or found[-1][0] != picture.frame:
            found.append((picture.frame, *detector(picture.bgr(size))))

    before: tuple[Picture, np.ndarray] | None = None
    batch = yield film.whole
    while batch:
        for picture in batch:
            now = small_hsv(picture, small_size(recording), stride=2)
            if before is not None and change(before[1], now) >= p.jump:
                detect(before[0])
                detect(picture)
            elif picture.frame % p.every == 0 or picture.frame == recording.num_frames - 1:
                detect(picture)
            before = picture, now
        batch = yield None
    small_px = np.array([recording.width / size[1], recording.height / size[0]])
    return gather(found, small_px, p.min_score)


def gather(
    found: Iterable[tuple[int, np.ndarray, np.ndarray, np.ndarray]], scale: np.ndarray, min_score: float
) -> Faces:
    """Detections (frame, boxes, scores, points) in small pictures as faces in source pixels; `scale` (2,) px per px."""
    frames, boxes, scores, points = [np.empty(0, np.int32)], [np.empty((0, 4))], [np.empty(0)], [np.empty((0, 5, 2))]
    for frame, box, score, point in found:
        sure = score >= min_score
        frames.append(np.full(int(sure.sum()), frame, np.int32))
        boxes.append(box[sure] * np.tile(scale, 2))
        scores.append(score[sure])
        points.append(point[sure] * scale)
    as_float = (np.concatenate(parts).astype(np.float32) for parts in (boxes, scores, points))
    return Faces(np.concatenate(frames), *as_float)
