"""What went wrong, as one line with a typed reason."""

import errno
import traceback

from phonoscope.core.errors import PhonoscopeError, RecordingFailed
from phonoscope.store.ledger import Failure


class StepFailed(Exception):
    """A step failed on a recording; the cause is chained."""

    def __init__(self, step: str) -> None:
        super().__init__(f"'{step}' failed")
        self.step = step


def failure_of(error: Exception, source: str, recording: str) -> Failure:
    """An error as one line with a typed reason; what we did not foresee keeps its traceback."""
    step, cause = "ingest", error
    if isinstance(error, StepFailed):
        step, cause = error.step, error.__cause__ or error
    message, detail = " ".join(str(cause).split()) or type(cause).__name__, ""
    if isinstance(cause, RecordingFailed):
        reason = cause.reason
    elif isinstance(cause, OSError) and cause.errno in _SYSTEM_REASONS:
        reason = _SYSTEM_REASONS[cause.errno]
    elif isinstance(cause, MemoryError):
        reason = "out-of-memory"
    else:
        reason = "error"
        if not isinstance(cause, PhonoscopeError):
            message = f"{type(cause).__name__}: {message}"
            detail = "".join(traceback.format_exception(cause))
    return Failure(source=source, recording=recording, step=step, reason=reason, message=message, detail=detail)


_SYSTEM_REASONS = {
    errno.ENOSPC: "disk-full",
    errno.EDQUOT: "disk-full",
    errno.EFBIG: "file-too-large",
    errno.EROFS: "read-only",
    errno.EACCES: "not-allowed",
}
