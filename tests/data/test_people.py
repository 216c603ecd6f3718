"""People of a store: one person in two recordings is one, and two of one recording stay two."""

import shutil
from pathlib import Path

import pytest

from phonoscope import Store
from phonoscope.core.errors import UsageError
from phonoscope.data.people import people_of
from phonoscope.job import params_from, prepare
from phonoscope.models import registry

NEAR = 1e-4  # of the fake's mean colours: only the same film is so near


@pytest.fixture(scope="module")
def films(puppets, silent_puppet, tmp_path_factory) -> Path:
    """A store of a film of two, of the same film under another name, and of a film of somebody else."""
    at = tmp_path_factory.mktemp("people")
    again = Path(shutil.copy(puppets, at / "zwei.mp4"))
    params = params_from({"faces": {"model": "blazeface"}, "embeddings": {"model": "fake-embedder"}})
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(registry.OURS, "fake-embedder", "phonoscope.testing.fakes:FakeEmbedder")
        outcomes = list(prepare([puppets, silent_puppet, again], at / "films", ["people"], params).carry_out())
    assert [outcome.failure for outcome in outcomes] == [None] * 3
    return at / "films"


@pytest.fixture(autouse=True)
def fake(monkeypatch):
    monkeypatch.setitem(registry.OURS, "fake-embedder", "phonoscope.testing.fakes:FakeEmbedder")


def test_who_is_in_two_recordings_is_one_person_of_the_store(films):
    store = Store(films)
    silent, two, again = store
    assert people_of(store, NEAR) == {silent: {0: 0}, two: {0: 1, 1: 2}, again: {0: 1, 1: 2}}


def test_two_of_one_recording_stay_two_however_near(films):
    made = people_of(Store(films), 100)
    assert all(len({*people.values()}) == len(people) for people in made.values())
    assert {person for people in made.values() for person in people.values()} == {0, 1}


def test_without_people_one_line_says_what_to_run(puppets, tmp_path):
    list(prepare([puppets], tmp_path / "films", ["shots"]).carry_out())
    with pytest.raises(UsageError, match="has no 'embeddings'"):
        people_of(Store(tmp_path / "films"))


def test_no_recordings_have_no_people(tmp_path):
    assert people_of(Store.create(tmp_path / "films")) == {}
