"""Manifests, read back by Lhotse itself."""

import numpy as np
import pytest

from phonoscope.core.time import Span
from phonoscope.data.pack import ClipsParams, pack
from phonoscope.testing.packs import tree


@pytest.fixture(scope="module")
def made(two_films, tmp_path_factory):
    to = tmp_path_factory.mktemp("made") / "lhotse"
    assert all(told.failure is None for told in pack(two_films, to, "lhotse", params=ClipsParams(size=64)).carry_out())
    return to


def test_lhotse_hears_exactly_the_clips(made, store):
    import lhotse

    recordings = lhotse.RecordingSet.from_file(made / "recordings.jsonl.gz").with_path_prefix(made)
    id = next(iter(store))
    assert [it.id for it in recordings] == [f"{id}_0", f"{id}_1"]
    for it, span in zip(recordings, (Span(0, 30), Span(5, 30)), strict=True):
        sound = it.load_audio()
        assert sound.shape == (1, it.num_samples) and it.num_samples == 640 * len(span)
        np.testing.assert_array_equal(sound[0], store[id].audio(span))


def test_lhotse_knows_who_speaks_when(made, store):
    import lhotse

    id = next(iter(store))
    said = lhotse.SupervisionSet.from_file(made / "supervisions.jsonl.gz")
    assert [(it.recording_id, it.start, it.duration, it.speaker) for it in said] == [
        (f"{id}_{track}", 0.0, 0.6, f"{id}:{track}") for track in (0, 1)
    ]
    recordings = lhotse.RecordingSet.from_file(made / "recordings.jsonl.gz")
    lhotse.validate_recordings_and_supervisions(recordings, said)


def test_lhotse_cuts_have_sound_and_speakers(made):
    import lhotse

    cuts = lhotse.CutSet.from_file(made / "cuts.jsonl.gz")
    lhotse.validate(cuts)
    for it in cuts:
        assert (made / it.custom["film"]).exists() and len(it.supervisions) == 1
    trimmed = [*cuts.trim_to_supervisions(keep_overlapping=False)]
    assert [it.num_samples for it in trimmed] == [9600, 9600]


def test_made_twice_the_bytes_are_the_same(two_films, tmp_path):
    for name in ("to", "again"):
        list(pack(two_films, tmp_path / name, "lhotse", params=ClipsParams(film=False)).carry_out())
    assert tree(tmp_path / "to") == tree(tmp_path / "again")
    assert (tmp_path / "to" / "cuts.jsonl.gz").read_bytes()[4:8] == bytes(4), "gzip says when"
