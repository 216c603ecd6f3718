"""What `status` tells is what lies there, however many recordings there are."""

from fractions import Fraction
from pathlib import Path

import pytest

from phonoscope.cli.status import survey
from phonoscope.store.folder import Store
from phonoscope.store.receipts import read_receipts, write_receipts
from phonoscope.testing.film import flash_and_beep
from phonoscope.testing.quick import quick_job


@pytest.fixture(scope="module")
def films(tmp_path_factory) -> list[Path]:
    folder = tmp_path_factory.mktemp("films")
    paths = [folder / f"film {k}.mp4" for k in range(3)]
    for k, path in enumerate(paths):
        flash_and_beep(path, duration_s=Fraction(1), events_s=[Fraction(k + 1, 5)])
    return paths


def test_status_tells_of_each_recording_what_it_has_and_what_is_stale(films, tmp_path):
    list(quick_job(films, tmp_path).carry_out())
    store = Store(tmp_path)
    whole, part, old = (store[id] for id in store)
    next((part.folder / "thumbs").iterdir()).unlink()
    (part.folder / "audio.flac").unlink()
    receipts = read_receipts(old.folder)
    receipts.pop("shots")
    write_receipts(old.folder, receipts)
    found = survey(store)
    for stored, said in zip((whole, part, old), found["recordings"], strict=True):
        assert said["id"] == stored.folder.name
        assert said["artifacts"] == sorted(stored.fresh) and said["stale"] == sorted(stored.stale)
    assert not {"thumbs", "audio"} & {*found["recordings"][1]["artifacts"]} and "tracks" in found["stale"]
    assert found["artifacts"]["recording"] == 3 and found["artifacts"]["audio"] == 2
    assert found["hours"] == round(3 / 3600, 4)


def test_status_of_a_store_in_a_bucket_fetches_no_recording(films, tmp_path, monkeypatch):
    uri = f"memory://{tmp_path.name}/films"
    monkeypatch.setenv("PHONOSCOPE_HOME", str(tmp_path / "here"))
    list(quick_job(films, uri).carry_out())
    near = survey(Store(uri))
    monkeypatch.setenv("PHONOSCOPE_HOME", str(tmp_path / "there"))
    store = Store(uri)
    assert survey(store) == near and len(near["recordings"]) == 3 and near["artifacts"]["tracks"] == 3
    assert not [*(store.root / "recordings").rglob("*")]
