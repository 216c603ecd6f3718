"""Praat's TextGrid in its long form: one tier of intervals, "visemes", from the first sample to the last.

Source: Praat's manual, "TextGrid file formats".
"""

from phonoscope.core.phones import Interval
from phonoscope.core.visemes import VISEMES, VisemeTrack
from phonoscope.corpora.alignments import textgrid as praat
from phonoscope.corpora.alignments.parts import Ask
from phonoscope.data.viseme_formats.cues import ITSELF, centiseconds, cues_of, no_file_of, track_from

WHAT = "textgrid"
TIER = "visemes"


def write(track: VisemeTrack) -> str:
    """The file of a track."""
    return praat.grid({TIER: tier_of(track)}, centiseconds(track)[-1] / 100)


def tier_of(track: VisemeTrack) -> list[Interval]:
    """The cues of a track, by their names."""
    return [Interval(start / 100, stop / 100, name) for start, stop, name in cues_of(track, ITSELF)]


def read(text: str) -> VisemeTrack:
    """The track of a file, long or short; other tiers are passed over, an empty text is silence.

    Raises:
        UsageError: it is none, has no such tier, or a text is no viseme.
    """
    try:
        parts = praat.read(text, Ask(name="", phones=TIER))[""]
        if unknown := [it.text for it in parts.phones if it.text not in (*VISEMES, "")]:
            raise ValueError(f"'{unknown[0]}' is no viseme; they are {', '.join(VISEMES)}")
        return track_from([(it.start_s, it.stop_s, it.text or "sil") for it in parts.phones], parts.duration_s)
    except ValueError as error:
        raise no_file_of(WHAT, str(error)) from None
