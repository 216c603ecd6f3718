"""Why a film could not be fetched, as a type that one can ask for."""

import errno
import re
from typing import Literal

from phonoscope.core.errors import PhonoscopeError, readable

Kind = Literal[
    "gone", "private", "geo-blocked", "bot-check", "rate-limited", "network", "disk", "damaged", "unsupported"
]
SETTLED = ("gone", "private", "geo-blocked", "unsupported")  # not tried again unless asked for
BLOCKS = ("bot-check", "rate-limited")  # the host wants us to stop, so we do

# What sites say, as yt-dlp hands it on; the first that fits. The words are those of YouTube, Vimeo and plain servers.
SAID: tuple[tuple[Kind, str], ...] = (
    ("bot-check", r"confirm you.?re not a bot|captcha|unusual traffic|anti-bot challenge"),
    ("rate-limited", r"HTTP Error 429|too many requests|rate.?limit|try again later"),
    ("geo-blocked", r"HTTP Error 451|in your (country|location|region)|geo.?(restrict|block)"),
    ("network", r"HTTP Error 5\d\d"),
    ("private", r"HTTP Error 40[13]|private|sign in|log ?in|password|members.only|confirm your age|age.restricted"),
    ("gone", r"HTTP Error (404|410)|unavailable|removed|terminated|does not exist|no longer|not found|deleted"),
    (
        "unsupported",
        r"unsupported url|no video formats|requested format is not available|drm|no suitable extractor|ffmpeg",
    ),
)


class FetchFailed(PhonoscopeError):
    """A film could not be fetched; the others go on."""

    def __init__(self, kind: Kind, message: str) -> None:
        super().__init__(readable(" ".join(message.split())))
        self.kind: Kind = kind


def failed(error: BaseException) -> FetchFailed:
    """What an error of yt-dlp's, of the system's or of a codec's comes to."""
    if isinstance(error, FetchFailed):
        return error
    inner = _innermost(error)
    said = re.sub(r"\x1b\[[0-9;]*m", "", str(error)).removeprefix("ERROR: ").split("; please report this issue")[0]
    if isinstance(inner, OSError) and inner.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES):
        return FetchFailed("disk", said)
    kinds: list[Kind] = [kind for kind, words in SAID if re.search(words, said, re.IGNORECASE)]
    return FetchFailed(kinds[0] if kinds else "network", said)


def _innermost(error: BaseException) -> BaseException:
    """What an error comes from, through all that was wrapped around it."""
    seen = {id(error)}
    while True:
        wrapped = getattr(error, "exc_info", None)
        under = error.__cause__ or error.__context__ or getattr(error, "cause", None) or (wrapped and wrapped[1])
        if not isinstance(under, BaseException) or id(under) in seen:
            return error
        seen.add(id(under))
        error = under
