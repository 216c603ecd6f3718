"""Drawn people of whom everything is known, and what becomes of their films when they are packed."""

import shutil
from pathlib import Path

import pytest

from phonoscope import Store
from phonoscope.store.recording import StoredRecording
from phonoscope.testing.known import MUTE, PAIR, known_store
from phonoscope.testing.packs import packed
from phonoscope.testing.puppet import film


@pytest.fixture(scope="session")
def films(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    film(folder / "a pair.mp4", PAIR)
    film(folder / "mute.mp4", MUTE, audio_codec=None)
    return folder


@pytest.fixture(scope="session")
def made(films, tmp_path_factory) -> tuple[StoredRecording, Path]:
    """30 frames of two people, and what they are packed into; not to be written to."""
    root = tmp_path_factory.mktemp("made")
    stored = known_store(films / "a pair.mp4", PAIR, root / "films")
    assert packed(root / "films", root / "heads").failure is None
    return stored, root / "heads"


@pytest.fixture
def pair(made, tmp_path) -> StoredRecording:
    """A copy of that recording which may be written to."""
    stored, _ = made
    shutil.copytree(stored.folder.parents[1], tmp_path / "films")
    return Store(tmp_path / "films")[stored.recording.id]
