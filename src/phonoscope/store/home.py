"""Where this machine keeps what can be fetched again: weights, films and stores that lie elsewhere."""

import os
import sys
from pathlib import Path


def home() -> Path:
    """The folder of what can be fetched again: $PHONOSCOPE_HOME, or the platform's folder for caches."""
    if given := os.environ.get("PHONOSCOPE_HOME"):
        return Path(given).expanduser()
    if Path(given := os.environ.get("XDG_CACHE_HOME", "")).is_absolute():
        return Path(given) / "phonoscope"
    return Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "phonoscope"
