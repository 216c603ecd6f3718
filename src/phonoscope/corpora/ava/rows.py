"""All rows of a table of AVA-ActiveSpeaker, as arrays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np

LABELS = ("NOT_SPEAKING", "SPEAKING_AUDIBLE", "SPEAKING_NOT_AUDIBLE")  # their places are AVA's label_id
NOT_SPEAKING, SPEAKING_AUDIBLE, SPEAKING_NOT_AUDIBLE = range(3)
BOX = ("entity_box_x1", "entity_box_y1", "entity_box_x2", "entity_box_y2")
NUMBERS = ("frame_timestamp", *BOX)
LABEL = "label"
OFFICIAL = ("video_id", *NUMBERS, LABEL, "entity_id")  # the columns of AVA's files, which have no header
ORIG = (*OFFICIAL, "label_id", "instance_id")
TICKS = 1_000_000  # a second: times that agree when rounded to six decimals are the same


@dataclass(frozen=True, eq=False)
class Runs:
    """Rows of one face that stand together, an item a run: where they begin, how many they are, whose they are."""

    start: np.ndarray  # (R,) int64, the first row
    length: np.ndarray  # (R,) int64
    face: np.ndarray  # (R,) int64, a number for video and entity, which sorts as their names do

    def by_face(self) -> np.ndarray:
        """All rows, (N,) int64: whole runs, by face."""
        order = np.argsort(self.face)
        start, length = self.start[order], self.length[order]
        return np.repeat(start - np.cumsum(length) + length, length) + np.arange(length.sum())


@dataclass(frozen=True, eq=False)
class AvaRows:
    """Faces with their labels, a row a face and frame, in the order of the file.

    Names are kept once each; rows hold their numbers. Only SPEAKING_AUDIBLE counts as speaking: who is seen to speak
    but not heard does not.
    """

    videos: tuple[str, ...]
    entities: tuple[str, ...]  # AVA's word for one face, followed through one shot
    video: np.ndarray  # (N,) int32, into `videos`
    entity: np.ndarray  # (N,) int32, into `entities`
    time_s: np.ndarray  # (N,) float64, s, from the start of the video
    box: np.ndarray  # (N, 4) float64 xyxy, as parts of the picture's width and height
    label: np.ndarray  # (N,) int8: 0 NOT_SPEAKING, 1 SPEAKING_AUDIBLE, 2 SPEAKING_NOT_AUDIBLE
    score: np.ndarray | None = None  # (N,) float64, NaN where there is none; None: the table has no scores
    instance: np.ndarray | None = None  # (N,) int32: how often the entity's label has changed; None: not told

    def __len__(self) -> int:
        return len(self.time_s)

    @property
    def speaking(self) -> np.ndarray:
        """Which rows are positive, (N,) bool."""
        return self.label == SPEAKING_AUDIBLE

    @cached_property
    def tick(self) -> np.ndarray:
        """The times in whole microseconds, (N,) int64: 902.0 and 902.00 are one time, and compare exactly."""
        return np.rint(self.time_s * TICKS).astype(np.int64)

    @cached_property
    def goes_on(self) -> np.ndarray:
        """Which rows, but for the first, are of the same video and entity as the row before them, (N - 1,) bool."""
        return (self.video[1:] == self.video[:-1]) & (self.entity[1:] == self.entity[:-1])

    @cached_property
    def runs(self) -> Runs:
        """The rows parted wherever the face is another than that of the row before."""
        start = np.flatnonzero(np.concatenate([[len(self) > 0], ~self.goes_on]))
        return Runs(start, np.diff(start, append=len(self)), self._faces(start))

    @cached_property
    def in_runs(self) -> bool:
        """Whether the rows of each face stand together and by time, as they do in most files."""
        return self.num_faces == len(self.runs.face) and bool(np.all(~self.goes_on | (self.tick[1:] > self.tick[:-1])))

    @cached_property
    def num_faces(self) -> int:
        """How many entities have rows, those of each video for themselves."""
        return len(np.unique(self.runs.face))

    @cached_property
    def order(self) -> np.ndarray:
        """The rows by video, entity and time, (N,) int64; names sort as text."""
        if self.in_runs:
            return self.runs.by_face()
        return np.lexsort((self.tick, self._faces(slice(None))))

    def _faces(self, rows: np.ndarray | slice) -> np.ndarray:
        """A number for the video and entity of some rows, int64, which sorts as their names do."""
        video, entity = _ranks(self.videos)[self.video[rows]], _ranks(self.entities)[self.entity[rows]]
        return video * len(self.entities) + entity

    def take(self, rows: np.ndarray) -> "AvaRows":
        """Some of the rows, in another order if you like; by their numbers or by (N,) bool."""

        def some(values: np.ndarray | None) -> np.ndarray | None:
            return None if values is None else values[rows]

        picked = {name: some(getattr(self, name)) for name in ("video", "entity", "time_s", "box", "label")}
        return replace(self, **picked, score=some(self.score), instance=some(self.instance))

    def tracks(self) -> list[np.ndarray]:
        """The rows of each entity of each video, by time: their numbers, an array an entity; names sort as text."""
        order = self.order
        video, entity = self.video[order], self.entity[order]
        edges = np.flatnonzero((np.diff(video) != 0) | (np.diff(entity) != 0)) + 1
        return [order[a:b] for a, b in pairwise([0, *edges.tolist(), len(order)])] if len(order) else []

    def label_runs(self) -> np.ndarray:
        """How often the label of each row's entity has changed up to it, (N,) int32: the counter of an instance_id."""
        counter = np.zeros(len(self), np.int32)
        for track in self.tracks():
            counter[track[1:]] = np.cumsum(np.diff(self.label[track]) != 0)
        return counter

    def scored(self, score: np.ndarray) -> "AvaRows":
        """The same rows as AVA wants predictions: every one SPEAKING_AUDIBLE, with how sure one is of it, (N,)."""
        label = np.full(len(self), SPEAKING_AUDIBLE, np.int8)
        return replace(self, label=label, score=np.asarray(score, np.float64), instance=None)


def join(parts: Sequence[AvaRows]) -> AvaRows:
    """The rows of several tables as one table; scores and instances if all of them have any."""
    if len(parts) == 1:
        return parts[0]
    videos = tuple(dict.fromkeys(name for part in parts for name in part.videos))
    entities = tuple(dict.fromkeys(name for part in parts for name in part.entities))

    def codes(words: tuple[str, ...], all_: Mapping[str, int], values: np.ndarray) -> np.ndarray:
        return np.array([all_[word] for word in words], np.int32)[values] if words else values

    def rest(name: str) -> np.ndarray | None:
        every = [getattr(part, name) for part in parts]
        return None if any(it is None for it in every) else np.concatenate(every)

    number = {name: i for i, name in enumerate(videos)}, {name: i for i, name in enumerate(entities)}
    return AvaRows(
        videos=videos,
        entities=entities,
        video=np.concatenate([codes(part.videos, number[0], part.video) for part in parts]),
        entity=np.concatenate([codes(part.entities, number[1], part.entity) for part in parts]),
        time_s=np.concatenate([part.time_s for part in parts]),
        box=np.concatenate([part.box for part in parts]),
        label=np.concatenate([part.label for part in parts]),
        score=rest("score"),
        instance=rest("instance"),
    )


def _ranks(names: tuple[str, ...]) -> np.ndarray:
    """The place of each name among them all when sorted, (len(names),) int64."""
    places = np.empty(len(names), np.int64)
    places[sorted(range(len(names)), key=names.__getitem__)] = np.arange(len(names))
    return places
