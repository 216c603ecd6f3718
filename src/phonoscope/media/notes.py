"""What is odd about a film, in short sentences."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

import numpy as np
from av.video.frame import VideoFrame

from phonoscope.media.clock import Stamps, has_ticks, steady
from phonoscope.media.scan import Seen
from phonoscope.media.source import Film, usable_video
from phonoscope.media.timeline import Segment, Timeline
from phonoscope.media.upright import Upright

START_S = 0.05  # earlier or later starts are worth a word
END_S = 0.1  # sound comes in frames of up to 0.064 s, so that its end is seldom that of the picture
AUDIBLE_S = Fraction(1, 1000)  # shorter seams are roundings
FEW = 4  # more sentences of a kind are summed up
HDR = {16: "PQ", 18: "HLG"}  # transfer characteristics, ITU-T H.273


def of_streams(film: Film) -> Iterator[str]:
    """What the streams' headers tell."""
    pictures = sum(map(usable_video, film.container.streams.video))
    if pictures > 1:
        yield f"{pictures} video streams: the first is used"
    if (sounds := len(film.container.streams.audio)) > 1:
        yield f"{sounds} sound streams: the first is used"
    ratio = film.video.sample_aspect_ratio
    if ratio and ratio != 1:
        yield f"pixels are not square ({ratio.numerator}:{ratio.denominator}): left as they are stored"
    for why in film.broken:
        yield f"the file cannot be read to its end: {why}"
    if film.container.streams.audio and film.audio is None:
        yield "no decoder for the sound"


def of_frame(frame: VideoFrame, upright: Upright, size: tuple[int, int]) -> Iterator[str]:
    """What the first picture tells."""
    if upright.angle_deg:
        yield f"rotated by {upright.angle_deg}°"
    if upright.is_mirror:
        yield "mirrored"
    if frame.interlaced_frame:
        yield "interlaced: left as it is"
    if frame.color_trc in HDR:
        yield f"high dynamic range ({HDR[frame.color_trc]}): colours are not tone-mapped"
    if (frame.width, frame.height) != size:
        yield f"pictures of {frame.width} × {frame.height} px are scaled to {size[0]} × {size[1]}"


def of_clock(seen: Seen, stamps: Stamps, hole_s: Fraction, trusted: bool) -> Iterator[str]:
    """What the times of the pictures tell."""
    if not steady(stamps):
        steps = np.diff(stamps.pts) * float(stamps.time_base) * 1000
        yield f"variable frame rate: {steps.min():.0f} to {steps.max():.0f} ms from picture to picture"
    if seen.doubt and trusted:
        yield f"{seen.doubt}: times were taken from decoded pictures"
    if seen.lacking_s > Fraction(1, 2):
        yield f"truncated: the header promises {float(seen.lacking_s):.1f} s more than there are"
    if hole_s:
        yield f"timestamps jump by {float(hole_s):.0f} s: only the longest part without such a jump is used"
    if seen.jumps_back:
        yield "timestamps jump back: the film is used up to there"
    if seen.damaged:
        yield f"{seen.damaged} damaged video packets"


def of_rate(stamps: Stamps, fps: Fraction) -> Iterator[str]:
    """What there is to say of a clock that keeps the film's own rate."""
    if not has_ticks(stamps, fps):
        yield f"no rate of its own: kept at {fps} frames a second, the usual rate nearest to most steps"


def of_sound(timeline: Timeline, length_s: Fraction) -> Iterator[str]:
    """What the sound's timeline tells, beside pictures that last `length_s` seconds."""
    if not timeline.segments:
        yield "no sound"
        return
    if not timeline.sounds_within(length_s):
        yield "no sound while there are pictures: it lies wholly before or after them"
        return
    first, last = timeline.segments[0], timeline.segments[-1]
    if first.start > START_S:
        yield f"sound starts {float(first.start):.3f} s late: padded with silence"
    if first.start < -START_S:
        yield f"sound starts {float(-first.start):.3f} s before the picture: cut"
    if last.stop > length_s + END_S:
        yield f"sound is {float(last.stop - length_s):.3f} s longer than picture: cut"
    if last.stop < length_s - END_S:
        yield f"sound ends {float(length_s - last.stop):.3f} s before the picture: padded with silence"
    yield from _few([_drift(s) for s in timeline.segments if s.true_rate != s.rate], "stretches of drifting sound")
    seams = [(a.stop, b.start - a.stop) for a, b in pairwise(timeline.segments)]
    yield from _few([_gap(at, hole) for at, hole in seams if hole > AUDIBLE_S], "gaps in sound")
    yield from _few([_overlap(at, -hole) for at, hole in seams if hole < -AUDIBLE_S], "overlaps in sound")
    if timeline.damaged:
        yield f"{timeline.damaged} sound packets could not be decoded"


def _few(sentences: list[str], plural: str) -> list[str]:
    """The sentences, or the first and how many there are."""
    return sentences if len(sentences) <= FEW else [f"{len(sentences)} {plural}, the first: {sentences[0]}"]


def _gap(at_s: Fraction, hole_s: Fraction) -> str:
    return f"gap of {float(hole_s):.3f} s in sound at {float(at_s):.3f} s: filled with silence"


def _overlap(at_s: Fraction, overlap_s: Fraction) -> str:
    return f"sound overlaps itself by {float(overlap_s):.3f} s at {float(at_s):.3f} s: cut"


def _drift(segment: Segment) -> str:
    ms_per_min = (segment.rate / segment.true_rate - 1) * 60_000
    return f"sound drifts by {float(ms_per_min):+.1f} ms/min: corrected"
