"""The layout of diarisation: who speaks when, as RTTM, a line a turn.

Source: NIST, "The 2009 (RT-09) rich transcription meeting recognition evaluation plan", appendix A.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from phonoscope.core.checks import within
from phonoscope.core.time import Span
from phonoscope.data.pack.clips import TrackClip
from phonoscope.data.pack.folder import PackFolder
from phonoscope.data.pack.formats import write_lines
from phonoscope.data.pack.layout import Packed
from phonoscope.data.pack.material import Material
from phonoscope.data.pack.speaking import bridged, runs, scores_of, smoothed
from phonoscope.data.pack.whole import name_of, one_file, pack_whole
from phonoscope.store.recording import StoredRecording

NAME, VERSION = "rttm", 1
ALL = "all.rttm"
EACH = "rttm/%s.rttm"


@dataclass(frozen=True, slots=True, kw_only=True)
class RttmParams:
    """What counts as a turn."""

    threshold: float = 0.0  # log-odds of speaking, above which somebody speaks
    smoothing: int = 5  # frames over which log-odds are averaged; 1: they are taken as they are
    fill_gap_s: float = 0.2  # s; shorter holes in a turn are filled
    min_duration_s: float = 0.2  # s; shorter turns are left out, once holes are filled

    def __post_init__(self) -> None:
        within("rttm.smoothing", self.smoothing, 1)
        within("rttm.fill_gap_s", self.fill_gap_s, 0)
        within("rttm.min_duration_s", self.min_duration_s, 0)


def rttm(stored: StoredRecording, clips: Sequence[TrackClip], folder: PackFolder, p: RttmParams) -> Iterator[Packed]:
    """The turns of one recording, by time; speakers are the corpus's entities, or else `{recording}:{track}`.

    Raises:
        UsageError: the recording has sound but no scores, or scores that are stale.
    """
    material = Material(stored)
    write = one_file(EACH % name_of(material), lambda path: write_lines(path, lines_of(material, clips, p)))
    yield from pack_whole(material, clips, folder, (NAME, VERSION), ("asd", "labels"), p, write)


def join_turns(folder: PackFolder) -> None:
    """`all.rttm`: the turns of all recordings that lie in the folder, by name."""
    folder.join(ALL)


def turns_of(scores: np.ndarray, first: int, fps: Fraction, p: RttmParams) -> list[Span]:
    """The spans of a clip that begins at frame `first` in which somebody speaks, from log-odds (T,)."""
    above = smoothed(scores, p.smoothing) > p.threshold
    spans = bridged(runs(above, first), int(Fraction(str(p.fill_gap_s)) * fps))
    return [span for span in spans if len(span) >= Fraction(str(p.min_duration_s)) * fps]


def lines_of(material: Material, clips: Sequence[TrackClip], p: RttmParams) -> list[str]:
    """The lines of a recording: SPEAKER, file, channel, onset and duration in seconds, speaker; <NA> for the rest."""
    asd, fps, video = material.stored.load("asd"), material.recording.fps, _word(name_of(material))
    turns = [
        (span, speaker)
        for clip in clips
        for speaker in [speaker_of(material, clip)]
        for span in turns_of(scores_of(asd, clip), clip.span.start, fps, p)
    ]
    return [
        f"SPEAKER {video} 1 {float(span.start / fps):.6f} {float(len(span) / fps):.6f} <NA> <NA> {who} <NA> <NA>\n"
        for span, who in sorted(turns)
    ]


def speaker_of(material: Material, clip: TrackClip) -> str:
    """The entity that a corpus says a track is, or `{recording}:{track}`; no blanks, which part the columns."""
    if material.labels is not None and len(named := material.labels.of(clip.track.id, "entity")):
        return _word(str(named[0]))
    return _word(f"{name_of(material)}:{clip.track.id}")


def _word(name: str) -> str:
    return "_".join(name.split())
