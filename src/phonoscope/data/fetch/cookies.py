"""The cookies that sites are sent: out of a file, or out of a browser, read once, and never written back."""

import io
from pathlib import Path
from typing import Any

from phonoscope.core.errors import UsageError, readable
from phonoscope.data.fetch.quiet import Quiet


def cookies_of(file: str, browser: str) -> str:
    """Cookies in Netscape's format; nothing of neither.

    Args:
        file: a file of that format.
        browser: `firefox`, `chrome` and so on, or one with a profile of it, by name or folder: `firefox:work`.

    Raises:
        UsageError: there is no such file or browser, or no cookies can be read from it.
    """
    if not file and not browser:
        return ""
    import yt_dlp
    import yt_dlp.cookies

    theirs: Any = yt_dlp.cookies
    name, _, profile = browser.partition(":")
    if browser and name not in theirs.SUPPORTED_BROWSERS:
        raise UsageError(
            f"--cookies-from '{name}' is no browser; there are {', '.join(sorted(theirs.SUPPORTED_BROWSERS))}"
        )
    try:
        told = io.StringIO(Path(file).expanduser().read_text(encoding="utf-8")) if file else None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the cookies '{file}' cannot be read: {error}") from None
    settings: Any = {"quiet": True, "noprogress": True, "logger": Quiet()}
    try:
        with yt_dlp.YoutubeDL(settings) as site:
            jar = theirs.load_cookies(told, (name, profile or None) if browser else None, site)
    except theirs.CookieLoadError as error:
        why = readable(" ".join(str(error.__context__ or error).split()))
        raise UsageError(f"no cookies can be read from '{file or browser}': {why}") from None
    jar.save(made := io.StringIO())
    return made.getvalue()
