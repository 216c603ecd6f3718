"""Drawn people of whom everything is known, and what becomes of their films when they are packed."""

import shutil
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from phonoscope import Store
from phonoscope.core.series import Series
from phonoscope.store.receipts import Receipt
from phonoscope.store.recording import StoredRecording
from phonoscope.testing.known import MUTE, PAIR, known_store, save_asd
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


@pytest.fixture(scope="session")
def two_films(films, tmp_path_factory) -> Path:
    """A store: 30 frames of two people with scores and MFCC, 15 frames of one without sound; not to be written to."""
    root = tmp_path_factory.mktemp("stocked")
    stored = known_store(films / "a pair.mp4", PAIR, root / "films")
    known_store(films / "mute.mp4", MUTE, root / "films")
    save_asd(stored, {it.id: np.where(np.arange(len(it)) < 15, 3.0, -3.0) for it in stored.load("tracks")})
    rows = np.arange(120, dtype=np.float64)[:, None] + np.arange(13) / 16
    receipt = Receipt(key="mfcc-1", step="mfcc", version=1, inputs={"audio": stored.receipts["audio"].key})
    stored.save("mfcc", Series(rows, Fraction(100), Fraction(1, 200)), receipt)
    return root / "films"


@pytest.fixture
def store(two_films, tmp_path) -> Store:
    """A copy of that store which may be written to."""
    shutil.copytree(two_films, tmp_path / "films")
    return Store(tmp_path / "films")
