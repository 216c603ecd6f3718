"""What is so in a drawn film, frame by frame."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from phonoscope.core.faces import Faces, Shots, Track, Tracks
from phonoscope.testing.puppet import anatomy, camera, motion
from phonoscope.testing.puppet.looks import look

if TYPE_CHECKING:
    from phonoscope.testing.puppet.scene import Scene, Seat, Shot
    from phonoscope.testing.puppet.speech import Utterance


@dataclass(frozen=True, slots=True, eq=False)
class HeadTruth:
    """One head through the whole film, a row a frame; NaN where it is not in the shot."""

    visible: np.ndarray  # (T,) bool: in the shot, the middle of its box in the picture, and not faded to near black
    box: np.ndarray  # (T, 4) float32 xyxy px: cheek to cheek, hairline to chin
    landmarks: np.ndarray  # (T, 68, 2) float32 px, iBUG order
    talking: np.ndarray  # (T,) bool: its lips say a phrase, heard or not, seen or not
    speaking: np.ndarray  # (T,) bool: talking, and what it says is in the sound
    open: np.ndarray  # (T,) float32: how far the mouth is open, 0…1

    @property
    def points(self) -> np.ndarray:
        """A detector's five, (T, 5, 2) px: right eye, left eye, nose, right and left mouth corner of the person."""
        eyes = [self.landmarks[:, first : first + 6].mean(1) for first in (36, 42)]
        return np.stack([*eyes, self.landmarks[:, 30], self.landmarks[:, 48], self.landmarks[:, 54]], 1)


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """Everything that is so."""

    shots: Shots
    brightness: np.ndarray  # (T,) float32: 1, or less in a fade
    heads: tuple[HeadTruth, ...]

    def faces(self) -> Faces:
        """What a perfect detector would find."""
        rows = [(frame, head) for frame in range(len(self.brightness)) for head in self.heads if head.visible[frame]]
        box = [head.box[frame] for frame, head in rows]
        points = [head.points[frame] for frame, head in rows]
        return Faces(
            np.array([frame for frame, _ in rows], np.int32),
            np.array(box, np.float32).reshape(-1, 4),
            np.ones(len(rows), np.float32),
            np.array(points, np.float32).reshape(-1, 5, 2),
        )

    def tracks(self) -> Tracks:
        """What a perfect tracker would follow: each head through each run of visible frames of each shot."""
        return Tracks(tuple(track for track, _ in self._runs()))

    def speakers(self) -> dict[int, int]:
        """Whose head each of `tracks()` follows: track id -> number of the head."""
        return {track.id: head for track, head in self._runs()}

    def _runs(self) -> list[tuple[Track, int]]:
        found = [
            (int(run[0]), number, head.box[run[0] : run[-1] + 1])
            for number, head in enumerate(self.heads)
            for span in self.shots.spans
            for run in _stretches(np.flatnonzero(head.visible[span.start : span.stop]) + span.start)
        ]
        found.sort(key=lambda run: run[:2])
        return [
            (Track(id, start, box, np.ones(len(box), np.float32), np.ones(len(box), bool)), number)
            for id, (start, number, box) in enumerate(found)
        ]


def _stretches(frames: np.ndarray) -> list[np.ndarray]:
    """Increasing frame numbers cut where one is missing; none from none."""
    return np.split(frames, np.flatnonzero(np.diff(frames) > 1) + 1) if len(frames) else []


def truth_of(scene: "Scene") -> Truth:
    """The truth about a scene."""
    brightness = np.concatenate([camera.brightness(shot) for shot in scene.shots]).astype(np.float32)
    heads = tuple(_head_truth(scene, number, brightness) for number in range(len(scene.heads)))
    return Truth(Shots(scene.spans, scene.fps), brightness, heads)


def _head_truth(scene: "Scene", number: int, brightness: np.ndarray) -> HeadTruth:
    said, times = scene.utterance(number), scene.times_s()
    box = np.full((scene.num_frames, 4), np.nan, np.float32)
    landmarks = np.full((scene.num_frames, 68, 2), np.nan, np.float32)
    for span, shot in zip(scene.spans, scene.shots, strict=True):
        for seat in shot.seats:
            if seat.head == number:
                part = slice(span.start, span.stop)
                box[part], landmarks[part] = place(scene, shot, seat, said, times[part])
    centre = (box[:, :2] + box[:, 2:]) / 2
    with np.errstate(invalid="ignore"):
        inside = ((centre > 0) & (centre < (scene.width, scene.height))).all(1)
    talking = said.talks(times) if said else np.zeros(scene.num_frames, bool)
    heard = scene.heads[number].says in scene.heard
    return HeadTruth(
        inside & (brightness > 0.3),
        box,
        landmarks,
        talking,
        talking & heard,
        (said.lips(times)[0] if said else np.zeros(scene.num_frames)).astype(np.float32),
    )


def place(
    scene: "Scene", shot: "Shot", seat: "Seat", said: "Utterance | None", times_s: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Boxes (T, 4) and landmarks (T, 68, 2) of a seated head in the frames of its shot, px."""
    person = look(scene.heads[seat.head].seed)
    pose = motion.pose(scene.heads[seat.head].seed, said, times_s, seat.yaw_deg)
    matrix = camera.chain(camera.views(scene, shot), camera.seat_matrix(seat, person), anatomy.sway(pose))
    landmarks = camera.move(matrix, anatomy.warp(anatomy.face_points(person, pose), pose))
    border = np.tile(anatomy.box_points(person), (len(pose), 1, 1))
    border = camera.move(matrix, anatomy.warp(border, pose))
    return np.concatenate([border.min(1), border.max(1)], 1), landmarks
