"""A film's name is bytes; a URI holds them all, in ASCII, and gives them back."""

import os
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis.strategies import binary

from phonoscope.core.errors import RecordingFailed
from phonoscope.store.uri import as_uri, local_path

names = binary(min_size=1, max_size=40).filter(lambda name: not {0, ord("/")} & {*name} and name not in (b".", b".."))


@pytest.fixture(scope="module")
def desk(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("desk")


@pytest.mark.skipif(sys.platform == "darwin", reason="there names are UTF-8, and the system says so")
@given(names)
def test_a_name_of_any_bytes_comes_back(desk, name):
    path = desk / os.fsdecode(name)
    path.touch()
    uri = as_uri(str(path))
    assert uri.isascii() and local_path(uri) == path
    path.unlink()


@given(names)
def test_what_is_said_of_a_missing_film_can_be_written_down(name):
    with pytest.raises(RecordingFailed) as failed:
        local_path(as_uri(f"/nowhere/{os.fsdecode(name)}"))
    assert failed.value.reason == "missing" and msgspec.json.encode(str(failed.value))


def test_a_uri_is_that_of_pathlib(tmp_path):
    for name in ("a b'ü#%.mp4", "~film.mp4", "a;b?c", "[x]"):
        assert as_uri(str(tmp_path / name)) == (tmp_path / name).as_uri()


def test_uris_are_kept_but_for_what_is_no_ascii():
    assert as_uri("https://example.org/a%20b?c=1&d=;#e") == "https://example.org/a%20b?c=1&d=;#e"
    assert as_uri("file:///tmp/é.mp4") == as_uri("/tmp/é.mp4")


def test_a_tilde_in_a_found_name_is_just_a_letter(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("~nobody.mp4").touch()
    assert local_path(as_uri("~nobody.mp4")) == tmp_path / "~nobody.mp4"
