"""What yt-dlp says, in our log where somebody wants it."""

import logging

LOG = logging.getLogger("phonoscope")


class Quiet:
    """A logger of yt-dlp's."""

    def debug(self, said: str) -> None:
        """Chatter."""
        LOG.debug("yt-dlp: %s", said)

    info = warning = error = debug  # errors come to us as exceptions, too
