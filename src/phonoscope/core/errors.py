"""What can go wrong, in words that say what to do."""


class PhonoscopeError(Exception):
    """Something that the user can mend; its message is one line and is shown without a traceback."""


class UsageError(PhonoscopeError):
    """The request makes no sense as it stands."""


class MissingWeights(PhonoscopeError):
    """A model's weights could not be had from the cache, the mirror folder or any of their sources."""


class RecordingFailed(PhonoscopeError):
    """This recording cannot be worked on; the others go on."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(readable(message))
        self.reason = reason  # "unreadable", "no-video", "truncated", "missing", "unsupported-scheme", "disk-full", …

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        return type(self), (self.reason, str(self))


def readable(text: str) -> str:
    """The same text, but what no UTF-8 can hold, as bytes of a file's name may be, as \\udce9."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
