"""Windows of film that somebody has labelled, frame by frame, as AVA is: nothing is drawn, labels are read off."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np

from phonoscope.core.faces import Track, TrackTable
from phonoscope.corpora.ava import LABELS, TICKS
from phonoscope.data.windows.samples import LABELLED, ClipSource, SpeakerClip, WindowSample, centres, side_of

LabelRule = Literal["last", "all"]


def labelled_windows(
    clips: Sequence[SpeakerClip], source: ClipSource, window: int = 25, stride: int = 25, rule: LabelRule = "last"
) -> tuple[WindowSample, ...]:
    """Windows of labelled clips, a window each `stride` frames, with the sound that belongs to them.

    Every start at which a window fits counts, the last one too. "last": the label of a window is that of its last
    frame, as in seed 001; "all": windows whose frames do not agree are left out, as no label of seed 002's would fit.
    Windows in which nobody has said are left out. `frame_labels` gives what was said of each frame.
    """
    side, samples = side_of(window), []
    for clip in clips:
        said = source.labels(clip)
        for center in centres(clip.num_frames, window)[::stride]:
            of = said[center - side : center + side + 1]
            if (of[-1] if rule == "last" else of.min()) >= 0 and (rule == "last" or of.min() == of.max()):
                samples.append(WindowSample(clip, clip, int(of[-1]), LABELLED, center, center, window))
    return tuple(samples)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotationWindow:
    """A few annotations of one face, a tenth of a second apart; what it is labelled with is said of the last."""

    track: int
    entity: str
    label: str  # of the last annotation, as AVA calls it
    time_s: float  # of the last annotation
    frame: int  # of the last annotation
    size_px: float  # of the last annotation: longer side of the face
    times_s: tuple[float, ...]
    frames: tuple[int, ...]


def annotation_windows(
    labels: TrackTable,
    tracks: Sequence[Track],
    clock: Fraction,
    fps: int = 10,
    size: int = 5,
    stride: int = 4,
) -> Iterator[AnnotationWindow]:
    """Seed 001's windows: each face at 10 annotations a second, five in a row, a window every fourth.

    A face that lasts no longer than a window (0.5 s) is left out. At every tenth of a second from its first annotation
    on stands the nearest one, of two equally near the earlier. Unlike upstream, the first annotation of a face counts,
    and so does the last start at which a window fits.

    Args:
        labels: a row an annotation: "label" int8 as AVA's label_id; "entity" and "time_s" where they are known.
        tracks: where the faces are; a gap of more than 0.1 s starts a new track.
        clock: frames a second of the recording.
        fps: annotations a second.
        size: annotations of a window.
        stride: annotations from one window to the next.
    """
    for track in tracks:
        mine = np.flatnonzero(labels.track == track.id)
        mine = mine[np.argsort(labels.frame[mine], kind="stable")]
        frame = labels.frame[mine]
        told = labels.columns.get("time_s")
        time_s = frame / float(clock) if told is None else told[mine]
        for rows in _windows(np.rint(time_s * TICKS).astype(np.int64), fps, size, stride):
            last = rows[-1]
            box = track.box[frame[last] - track.start]
            entity = labels.columns.get("entity")
            yield AnnotationWindow(
                track=track.id,
                entity=str(track.id) if entity is None else str(entity[mine[last]]),
                label=LABELS[int(labels.columns["label"][mine[last]])],
                time_s=float(time_s[last]),
                frame=int(frame[last]),
                size_px=float(max(box[2] - box[0], box[3] - box[1])),
                times_s=tuple(time_s[rows].tolist()),
                frames=tuple(frame[rows].tolist()),
            )


def _windows(tick: np.ndarray, fps: int, size: int, stride: int) -> list[np.ndarray]:
    """Windows of one face as rows (size,) of its annotations, whose times are (N,) µs, rising."""
    if len(tick) == 0 or (tick[-1] - tick[0]) * fps <= size * TICKS:
        return []
    wanted = tick[0] + np.arange(int((tick[-1] - tick[0]) * fps // TICKS) + 1) * TICKS // fps
    after = np.searchsorted(tick, wanted).clip(1, len(tick) - 1)
    nearest = np.where(wanted - tick[after - 1] <= tick[after] - wanted, after - 1, after)
    return [nearest[first : first + size] for first in range(0, len(nearest) - size + 1, stride)]
