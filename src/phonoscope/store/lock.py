"""One at a time: what processes that share a store, on one machine or many, must not do at once."""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold the lock file `path`: of all processes one gets past, the others wait their turn.

    The file is gone afterwards. A holder that is killed lets go at once; its file stays until the next one is through.
    A process must not take a lock that it holds already: it would wait for itself.

    Raises:
        OSError: the folder cannot be written to, or its file system knows no locks.
    """
    handle = _take(path)
    try:
        yield
    finally:
        path.unlink(
            missing_ok=True
        )  # while we hold it: whoever waits for this file sees that it is gone, and asks anew
        os.close(handle)


def held(path: Path) -> bool:
    """Whether anybody holds a lock file now."""
    try:
        handle = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def _take(path: Path) -> int:
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)  # not read-only: NFS locks only what may be written
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            if os.fstat(handle).st_nlink:
                return handle
        except OSError as error:
            if error.errno != errno.ESTALE:  # NFS says so of a file that another machine has removed
                os.close(handle)
                raise
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)
