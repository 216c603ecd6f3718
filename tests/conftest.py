"""Where the real clips and the published weights lie, for those tests that need them."""

from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("steady", deadline=None)  # a busy machine is no bug
settings.load_profile("steady")

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real clips beside the project; tests that need it skip where it is absent."""
    if not (SHARED / "data").is_dir():
        pytest.skip("no data: the real clips do not lie in ../shared/data")
    return SHARED / "data"


@pytest.fixture(scope="session")
def shared_weights() -> Path:
    """The mirror of published weights beside the project; tests that need it skip where it is absent."""
    if not (SHARED / "weights").is_dir():
        pytest.skip("no data: the published weights do not lie in ../shared/weights")
    return SHARED / "weights"
