"""Praat's TextGrid in its long form: one tier of intervals, "visemes", from the first sample to the last.

Source: Praat's manual, "TextGrid file formats".
"""

from phonoscope.core.visemes import VISEMES, VisemeTrack
from phonoscope.corpora.alignments import textgrid as praat
from phonoscope.corpora.alignments.parts import Ask
from phonoscope.data.viseme_formats.cues import ITSELF, centiseconds, cues_of, no_file_of, seconds, track_from

WHAT = "textgrid"
TIER = "visemes"


def write(track: VisemeTrack) -> str:
    """The file of a track."""
    end, cues = seconds(centiseconds(track)[-1]), cues_of(track, ITSELF)
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "xmin = 0 ", f"xmax = {end} "]
    lines += ["tiers? <exists> ", "size = 1 ", "item []: ", "    item [1]:", '        class = "IntervalTier" ']
    lines += [f'        name = "{TIER}" ', "        xmin = 0 ", f"        xmax = {end} "]
    lines += [f"        intervals: size = {len(cues)} "]
    for number, (start, stop, name) in enumerate(cues, 1):
        lines += [f"        intervals [{number}]:", f"            xmin = {seconds(start)} "]
        lines += [f"            xmax = {seconds(stop)} ", f'            text = "{name}" ']
    return "\n".join(lines) + "\n"


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
