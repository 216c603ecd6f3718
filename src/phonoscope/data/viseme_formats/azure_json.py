"""Azure's viseme events: from when, in ticks of 100 ns, which of SAPI's 22 visemes is shown.

Source: Microsoft, "Get facial position with viseme"; the events' names are those of the JavaScript SDK
(SpeechSynthesisVisemeEventArgs). Events have no end: a last one, of silence, stands at the end of the sound.
"""

import json

import msgspec

from phonoscope.core.viseme_maps import FROM_AZURE, TO_AZURE
from phonoscope.core.visemes import VisemeTrack
from phonoscope.data.viseme_formats.cues import centiseconds, cues_of, decoded, no_file_of, track_from

WHAT = "azure-json"
TICKS = 10_000_000  # a second


class _Event(msgspec.Struct, rename="camel"):
    audio_offset: int  # ticks
    viseme_id: int


def write(track: VisemeTrack) -> str:
    """The events of a track, one a line, and one of silence at its end."""
    end = centiseconds(track)[-1]
    marks = [(start, viseme) for start, _, viseme in cues_of(track, TO_AZURE)] + [(end, TO_AZURE["sil"])]
    events = [json.dumps({"audioOffset": start * TICKS // 100, "visemeId": viseme}) for start, viseme in marks]
    return "[\n" + ",\n".join("  " + event for event in events) + "\n]\n"


def read(text: str) -> VisemeTrack:
    """The track of events; it is at rest before the first, and ends with the last.

    Raises:
        UsageError: they are none, an id is none of the 22, or times do not rise.
    """
    events = decoded(text, list[_Event], WHAT)
    if unknown := [event.viseme_id for event in events if event.viseme_id not in FROM_AZURE]:
        raise no_file_of(WHAT, f"{unknown[0]} is no viseme id; they are 0 to {max(FROM_AZURE)}")
    names = [FROM_AZURE[event.viseme_id] for event in events]
    try:
        times = [float(event.audio_offset) / TICKS for event in events]
        return track_from(list(zip(times, times[1:], names, strict=False)), times[-1] if times else 0)
    except (ValueError, OverflowError) as error:
        raise no_file_of(WHAT, str(error)) from None
