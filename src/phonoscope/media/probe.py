"""What a film is: its clock, its sound, its size, and whatever is odd about it."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from phonoscope.core.errors import RecordingFailed
from phonoscope.core.media import Clock
from phonoscope.core.time import sample_at
from phonoscope.media import notes
from phonoscope.media.clock import clock_of, longest_run, own_clock, own_rate
from phonoscope.media.scan import scan
from phonoscope.media.source import open_film
from phonoscope.media.timeline import Timeline
from phonoscope.media.upright import upright_of


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """All that is measured of a film before anything is done with it."""

    fps: Fraction  # of the clock
    num_frames: int
    width: int  # px, upright
    height: int  # px, upright
    clock: Clock
    sample_rate: int  # Hz; 0 if there is no sound
    num_samples: int
    av_start: Fraction  # s by which sound starts after picture in the source
    timeline: Timeline
    notes: tuple[str, ...] = ()


def probe(path: Path, fps: Fraction | None, sample_rate: int) -> Probe:
    """A film's clock at `fps` and its sound at `sample_rate` Hz, measured in one pass over the file.

    Without `fps` the clock keeps the film's own rate: that which its headers tell, if each picture has a tick of its
    own then; of a film whose rate varies, the usual rate nearest to most of its steps.

    Pictures are not decoded, but for the first few; unless their packets' times cannot be trusted.

    Raises:
        RecordingFailed: "missing", "unreadable" or "no-video".
        ValueError: a rate is not positive.
    """
    if (fps is not None and fps <= 0) or sample_rate <= 0:
        raise ValueError(f"a clock has positive rates, got {fps} frames and {sample_rate} samples a second")
    with open_film(path) as film:
        seen, heard = scan(path, film)
        if seen.first is None or not seen.pts:
            raise RecordingFailed("no-video", f"{path.name} has a video stream, but no picture of it can be decoded")
        stamps, hole_s = longest_run(seen.stamps)
        native = fps is None
        fps = own_rate(stamps, (film.video.average_rate, film.video.guessed_rate)) if fps is None else fps
        clock = own_clock(stamps, fps) if native else clock_of(stamps, fps)
        upright = upright_of(seen.first)
        width, height = upright.size(*film.size_beside(seen.first))
        start = stamps.start if seen.starts_at is None else seen.starts_at * seen.time_base
        timeline = heard.timeline(start) if heard else Timeline()
        odd = (
            *notes.of_streams(film),
            *notes.of_frame(seen.first, upright, film.size_beside(seen.first)),
            *notes.of_clock(seen, stamps, hole_s, film.trusted),
            *(notes.of_rate(stamps, fps) if native else ()),
            *notes.of_sound(timeline, Fraction(len(clock)) / fps),
        )
    has_sound = timeline.sounds_within(Fraction(len(clock)) / fps)
    return Probe(
        fps=fps,
        num_frames=len(clock),
        width=width,
        height=height,
        clock=clock,
        sample_rate=sample_rate if has_sound else 0,
        num_samples=sample_at(len(clock), fps, sample_rate) if has_sound else 0,
        av_start=timeline.segments[0].start if timeline.segments else Fraction(0),
        timeline=timeline,
        notes=odd,
    )
