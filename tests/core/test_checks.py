from pathlib import Path

import pytest

from phonoscope.core.checks import folder_here
from phonoscope.core.errors import UsageError


@pytest.mark.parametrize("given", ["films", "/films", "a:b", "a:b/c"])
def test_folders_of_this_machine_are_taken(given: str) -> None:
    assert folder_here("--to", given) == folder_here("--to", Path(given)) == Path(given)


@pytest.mark.parametrize("given", ["s3://bucket/films", Path("s3://bucket/films")])
def test_a_bucket_is_no_folder_and_is_named_as_it_was_given(given: Path | str) -> None:
    with pytest.raises(UsageError, match=r"--to wants a folder on this machine, got 's3://bucket/films'"):
        folder_here("--to", given)
