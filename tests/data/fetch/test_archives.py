import hashlib
import io
import tarfile
from pathlib import Path
from typing import Any

import pytest

from phonoscope.core.errors import UsageError
from phonoscope.data.fetch.archives import ARCHIVES, Archive, labels
from phonoscope.data.fetch.outcome import FetchFailed

NAME = "ava_activespeaker_train_v1.0.tar.bz2"


@pytest.fixture(scope="module")
def archive() -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:bz2") as file:
        for name in ("ava_v1.0/a-activespeaker.csv", "ava_v1.0/b-activespeaker.csv", "../../outside.csv", "ava/readme"):
            told = tarfile.TarInfo(name)
            told.size = len(name)
            file.addfile(told, io.BytesIO(name.encode()))
    return made.getvalue()


def known(content: bytes) -> dict[str, Archive]:
    return {NAME: Archive("training", hashlib.md5(content, usedforsecurity=False).hexdigest())}


def test_an_archive_on_the_disk_is_checked_and_unpacked(tmp_path: Path, archive: bytes) -> None:
    (tmp_path / NAME).write_bytes(archive)
    made = labels(tmp_path / "labels", (str(tmp_path / NAME),), known(archive))
    assert made == {"training": 3}
    tables = sorted(it.name for it in (tmp_path / "labels" / "training").iterdir())
    assert tables == ["a-activespeaker.csv", "b-activespeaker.csv", "outside.csv"]  # nothing lands outside
    assert (tmp_path / NAME).read_bytes() == archive


def test_an_archive_that_lies_where_it_is_unpacked_stays(tmp_path: Path, archive: bytes) -> None:
    (tmp_path / NAME).write_bytes(archive)
    labels(tmp_path, (str(tmp_path / NAME),), known(archive))
    assert (tmp_path / NAME).read_bytes() == archive


def test_another_archive_than_the_published_one_is_refused(tmp_path: Path, archive: bytes) -> None:
    (tmp_path / NAME).write_bytes(archive)
    with pytest.raises(UsageError, match="the published archive 0e6eb"):
        labels(tmp_path / "labels", (str(tmp_path / NAME),), ARCHIVES)
    with pytest.raises(UsageError, match="none of AVA's archives"):
        labels(tmp_path / "labels", ("labels.zip",))
    assert not (tmp_path / "labels" / "training").exists()


def test_a_download_goes_on_where_it_broke_off(web: Any, tmp_path: Path, archive: bytes) -> None:
    web.film = archive
    url = f"{web.url}/truncated/{NAME}"
    with pytest.raises(FetchFailed, match=r"broke off|IncompleteRead"):
        labels(tmp_path / "labels", (url,), known(archive))
    begun = (tmp_path / "labels" / f".{NAME}.part").stat().st_size
    assert 0 < begun < len(archive)
    seen: list[tuple[str, int, int]] = []
    assert labels(tmp_path / "labels", (f"{web.url}/ok/{NAME}",), known(archive), lambda *it: seen.append(it)) == {
        "training": 3
    }
    assert seen == [(NAME, len(archive), len(archive))]
    assert web.ranges == [f"bytes={begun}-"]
    assert labels(tmp_path / "labels", (f"{web.url}/404/{NAME}",), known(archive)) == {"training": 3}  # it is there
