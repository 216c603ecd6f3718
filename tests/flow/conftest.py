"""A few short films, and the store that comes of them if nobody disturbs the work."""

from fractions import Fraction
from pathlib import Path

import pytest

from phonoscope.testing.film import flash_and_beep
from phonoscope.testing.quick import fingerprint, quick_job

NUM_FILMS = 3


@pytest.fixture(scope="module")
def films(tmp_path_factory) -> list[Path]:
    folder = tmp_path_factory.mktemp("films")
    paths = [folder / f"film {k}.mp4" for k in range(NUM_FILMS)]
    for k, path in enumerate(paths):
        flash_and_beep(path, duration_s=Fraction(1), events_s=[Fraction(k + 1, 5)])
    return paths


@pytest.fixture(scope="module")
def undisturbed(films, tmp_path_factory) -> dict[str, str]:
    """The fingerprint of the store that is made of them."""
    root = tmp_path_factory.mktemp("undisturbed") / "store"
    assert not [o.failure for o in quick_job(films, root).carry_out() if o.failure]
    return fingerprint(root)
