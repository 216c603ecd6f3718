"""What several verbs are tried on."""

import shutil

import pytest

from phonoscope.store.folder import Store
from phonoscope.testing.talkers import VLOGS, talkers


@pytest.fixture(scope="session")
def taken(tmp_path_factory):
    return talkers(tmp_path_factory.mktemp("taken") / "films", VLOGS).root


@pytest.fixture
def films(taken, tmp_path, monkeypatch):
    """A copy of a store of two clips of each of seven people, in the folder where we are."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(taken, "films")
    return Store("films")
