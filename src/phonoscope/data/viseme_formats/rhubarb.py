"""What Rhubarb's three formats share: shapes A to H and X, in hundredths of a second.

Source: Rhubarb Lip Sync 1.13 (MIT), README, "Output formats".
"""

from collections.abc import Iterable

from phonoscope.core.errors import UsageError
from phonoscope.core.viseme_maps import FROM_RHUBARB, TO_RHUBARB
from phonoscope.core.visemes import VisemeTrack
from phonoscope.data.viseme_formats.cues import cues_of, no_file_of, seconds, track_from

REST = "X"


def shapes_of(track: VisemeTrack) -> list[tuple[str, str, str]]:
    """Start, end and shape of each cue, times as Rhubarb writes them; of no sound, as there, a rest of no length."""
    cues = [(seconds(start), seconds(stop), shape) for start, stop, shape in cues_of(track, TO_RHUBARB)]
    return cues or [(seconds(0), seconds(0), REST)]


def track_of_shapes(what: str, cues: Iterable[tuple[float, float, str]], until_s: float) -> VisemeTrack:
    """The track of shapes from and to a time in seconds.

    Raises:
        UsageError: a shape is none of Rhubarb's, or times do not rise.
    """
    try:
        return track_from([(start, stop, FROM_RHUBARB[shape]) for start, stop, shape in cues], until_s)
    except KeyError as error:
        raise UsageError(f"{no_file_of(what, f'{error} is no shape')}; they are {', '.join(FROM_RHUBARB)}") from None
    except ValueError as error:
        raise no_file_of(what, str(error)) from None
