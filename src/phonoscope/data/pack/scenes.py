"""Scenes: shots with the clips in them, what is said in them, and their films."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from phonoscope.core.faces import Shots
from phonoscope.core.time import Span
from phonoscope.data.pack.clips import TrackClip
from phonoscope.data.pack.material import Material
from phonoscope.models.protocols import Word


@dataclass(frozen=True, slots=True)
class Scene:
    """A shot in which somebody is to be seen."""

    number: int  # of the shot
    span: Span
    clips: tuple[TrackClip, ...]


def scenes_of(shots: Shots, clips: Sequence[TrackClip]) -> list[Scene]:
    """The shots that have clips, in order; a clip that reaches over a cut belongs to the shot in which it begins."""
    mine: dict[int, list[TrackClip]] = {}
    starts = [span.start for span in shots.spans]
    for clip in clips:
        mine.setdefault(int(np.searchsorted(starts, clip.span.start, side="right")) - 1, []).append(clip)
    return [Scene(number, shots.spans[number], tuple(mine[number])) for number in sorted(mine)]


def words_between(words: Sequence[Word], scene: Scene, span: Span, fps: Fraction, margin_s: float) -> str:
    """What is said in a span of a scene, of words whose times count from the scene's start.

    The first word is the last one that lies within `margin_s` of the span's start, or, if none does, the first that
    begins later; the last one is the last that begins within the span.

    Source: AnnoTheia's rule, which says nothing of the case that no word is near the start.
    """
    start, stop = (float((edge - scene.span.start) / fps) for edge in (span.start, span.stop))
    near = [k for k, it in enumerate(words) if start + margin_s >= it.start_s and start - margin_s <= it.stop_s]
    first = near[-1] if near else next((k for k, it in enumerate(words) if it.start_s >= start), len(words))
    last = max((k for k, it in enumerate(words) if it.start_s <= stop), default=-1)
    return "".join(it.text for it in words[first : last + 1]).strip()


def scene_film(material: Material, span: Span, to: Path) -> None:
    """A film of a span with its sound.

    Raises:
        RecordingFailed: the film is no longer where it was, or cannot be decoded.
    """
    from phonoscope.media.encode import write_film
    from phonoscope.media.video import decode

    stored, recording = material.stored, material.recording
    size = (recording.height // 2 * 2, recording.width // 2 * 2)

    def pictures() -> Iterator:
        for picture in decode(stored.source, stored.clock, [span]):
            yield picture.crop_yuv(np.eye(2, 3), size, 0)

    audio = stored.audio(span) if material.flac else None
    write_film(to, pictures(), recording.fps, audio, recording.sample_rate)
