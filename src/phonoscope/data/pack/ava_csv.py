"""The layout of AVA's predictions: a csv with a row a face and frame, as AVA's evaluation reads them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from phonoscope.corpora.ava import SPEAKING_AUDIBLE, AvaRows, join, write_ava
from phonoscope.data.pack.clips import TrackClip
from phonoscope.data.pack.folder import PackFolder
from phonoscope.data.pack.layout import Packed
from phonoscope.data.pack.material import Material
from phonoscope.data.pack.speaking import probability, scores_of
from phonoscope.data.pack.whole import name_of, one_file, pack_whole
from phonoscope.store.recording import StoredRecording

NAME, VERSION = "ava-csv", 1
ALL = "predictions.csv"
EACH = "csv/%s-activespeaker.csv"  # as AVA's own archives call them
GIVEN = ("x0", "y0", "x1", "y1")


@dataclass(frozen=True, slots=True, kw_only=True)
class AvaCsvParams:
    """What stands in the column of scores; AVA's evaluation looks at their order only."""

    scores: Literal["log-odds", "probability"] = "log-odds"  # of speaking; probabilities of far ends may be equal


def ava_csv(
    stored: StoredRecording, clips: Sequence[TrackClip], folder: PackFolder, p: AvaCsvParams
) -> Iterator[Packed]:
    """A csv of predictions of one recording, without a header: AVA's eight columns and the score.

    Where a corpus has given labels, their rows with their very times, boxes and names; else every frame of every track,
    at its time on the clock, as `{video}:{track}`. The label is SPEAKING_AUDIBLE everywhere, as of predictions it must.

    Raises:
        UsageError: the recording has sound but no scores, or scores that are stale.
    """
    material = Material(stored)
    write = one_file(EACH % name_of(material), lambda path: write_ava(path, rows_of(material, clips, p)))
    yield from pack_whole(material, clips, folder, (NAME, VERSION), ("asd", "labels"), p, write)


def join_predictions(folder: PackFolder) -> None:
    """`predictions.csv`: the rows of all recordings that lie in the folder, by name."""
    folder.join(ALL)


def rows_of(material: Material, clips: Sequence[TrackClip], p: AvaCsvParams) -> AvaRows:
    """The predictions of a recording's clips."""
    asd = material.stored.load("asd")
    labels, video, parts = material.labels, name_of(material), []
    for clip in clips:
        score = scores_of(asd, clip)
        score = probability(score) if p.scores == "probability" else score
        if labels is None:
            part = _on_the_clock(material, clip, video, score)
        else:
            at = (labels.track == clip.track.id) & (labels.frame >= clip.span.start) & (labels.frame < clip.span.stop)
            columns = {name: values[at] for name, values in labels.columns.items()}
            boxes = np.stack([columns[name] for name in GIVEN], 1)
            score = score[labels.frame[at] - clip.span.start]
            part = _rows(video, columns["entity"], columns["time_s"], boxes, score)
        parts.append(part)
    return join([_rows(video, np.zeros(0, np.str_), np.zeros(0), np.zeros((0, 4)), np.zeros(0)), *parts])


def _on_the_clock(material: Material, clip: TrackClip, video: str, score: np.ndarray) -> AvaRows:
    """A clip's own boxes, as parts of the picture, at k / fps."""
    recording, span = material.recording, clip.span
    size = np.array([recording.width, recording.height] * 2, np.float64)
    time_s = np.array([float(frame / recording.fps) for frame in range(span.start, span.stop)])
    entity = np.full(len(span), f"{video}:{clip.track.id}")
    return _rows(video, entity, time_s, np.clip(clip.track.box / size, 0, 1), score)


def _rows(video: str, entity: np.ndarray, time_s: np.ndarray, box: np.ndarray, score: np.ndarray) -> AvaRows:
    entities, codes = np.unique(entity, return_inverse=True)
    return AvaRows(
        videos=(video,), entities=tuple(entities.tolist()), video=np.zeros(len(score), np.int32),
        entity=codes.astype(np.int32), time_s=np.asarray(time_s, np.float64), box=np.asarray(box, np.float64),
        label=np.full(len(score), SPEAKING_AUDIBLE, np.int8), score=np.asarray(score, np.float64),
    )  # fmt: skip
