"""Files of weights that training begins with, or has left."""

from collections.abc import Callable
from pathlib import Path

from phonoscope.core.errors import UsageError
from phonoscope.models.registry import RUN_WEIGHTS


def weights_at(given: str, named: Callable[[str], Path] | None = None) -> Path:
    """The file of weights that is meant by a run's folder, or by a file.

    Args:
        named: gives the file that is meant by a name, where there are names.

    Raises:
        UsageError: there is none.
        MissingWeights: it could not be had.
    """
    path = Path(given).expanduser()
    if path.is_dir():
        if not (path / RUN_WEIGHTS).exists():
            raise UsageError(f"'{path}' has no {RUN_WEIGHTS}: it is no run that has come to the end of an epoch")
        return path / RUN_WEIGHTS
    if path.is_file():
        return path
    if named is None or path.suffix or len(path.parts) > 1:
        raise UsageError(f"there is no file of weights '{given}', and no folder of a run")
    return named(given)
