"""Collected clips: who is in them, in which set, and what speaks against training on them."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from phonoscope.cli.main import main
from phonoscope.core.clips import Listed
from phonoscope.core.errors import UsageError
from phonoscope.core.faces import Track, Tracks
from phonoscope.core.series import Series
from phonoscope.corpora.listing import films_of
from phonoscope.corpora.vlogs import listing, survey
from phonoscope.corpora.vlogs_check import misplaced, unfit
from phonoscope.job import prepare
from phonoscope.store.folder import Store
from phonoscope.store.ledger import read_failures
from phonoscope.store.receipts import Receipt
from phonoscope.testing.film import flash_and_beep
from phonoscope.testing.known import save_tracks


def touch(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def test_every_clip_is_listed_with_its_set_and_speaker(tmp_path):
    names = ("training/ana/monday talk.mp4", "training/ben/1.MKV", "dev set/zoë/a.b.webm")
    touch(tmp_path, *names, "training/ana/.hidden.mp4", "README.md", "training/notes.txt", ".git/x/y.mp4")
    found = listing(tmp_path)
    assert [(path, listed.path) for path, listed in found] == [(tmp_path / name, name) for name in sorted(names)]
    assert [(listed.split, listed.speaker) for _, listed in found] == [
        ("dev set", "zoë"),
        ("training", "ana"),
        ("training", "ben"),
    ]
    assert {listed.corpus for _, listed in found} == {"vlogs"}


def test_a_store_that_lies_among_the_sets_is_no_set(tmp_path):
    touch(tmp_path, "test/ana/a.mp4", "films/store.json", "films/recordings/a-0/crops/0.mp4")
    assert [listed.path for _, listed in listing(tmp_path)] == ["test/ana/a.mp4"]


def test_what_is_no_film_by_its_name_is_passed_over_and_said(tmp_path, caplog):
    touch(tmp_path, "test/ana/a.mp4", "test/ana/a.txt", "test/ana/b.txt")
    assert len(listing(tmp_path)) == 1
    assert "no films by their names: 2 files, the first 'test/ana/a.txt'" in caplog.text


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["a.mp4"], r"should lie as \{set\}/\{speaker\}/\{clip\}, as in training/ana/mon.*, but there is 'a.mp4'$"),
        (["training/a.mp4", "training/b.mp4"], r"there is 'training/a.mp4', and 1 more$"),
        (["training/ana/day 1/a.mp4", "training/ana/b.mp4"], "there is 'training/ana/day 1/a.mp4'$"),
        (["training/ana/readme.txt"], "no clip in"),
        ([], "no clip in"),
    ],
)
def test_clips_at_another_depth_are_named_in_one_line(tmp_path, names, said):
    with pytest.raises(UsageError, match=said) as error:
        listing(touch(tmp_path, *names))
    assert "\n" not in str(error.value)


def test_a_speaker_in_two_sets_is_warned_of_or_refused(tmp_path, caplog):
    touch(tmp_path, "training/ana/a.mp4", "test/ana/b.mp4", "test/ben/c.mp4")
    assert len(listing(tmp_path)) == 3
    assert "speaker 'ana' sits in 2 sets (test, training)" in caplog.text and "ben" not in caplog.text
    with pytest.raises(UsageError, match="'ana' sits in 2 sets"):
        listing(tmp_path, strict=True)


def test_a_corpus_must_be_known_and_lie_in_a_folder(tmp_path):
    with pytest.raises(UsageError, match="no corpus 'vlog'; did you mean 'vlogs'"):
        films_of("vlog", [str(tmp_path)])
    with pytest.raises(UsageError, match="no folder given"):
        films_of("vlogs", [])
    with pytest.raises(UsageError, match="there is no folder"):
        films_of("vlogs", [str(tmp_path / "nowhere")])


def clip(path: Path, seconds: float = 1.6, **how) -> Path:
    """A film like no other: its size is that of its path's number."""
    path.parent.mkdir(parents=True, exist_ok=True)
    wide = 64 + 2 * (sum(map(ord, path.name)) % 50)
    flash_and_beep(path, duration_s=Fraction(str(seconds)), events_s=[Fraction(1, 5)], size=(48, wide), **how)
    return path


@pytest.fixture
def vlogs(tmp_path) -> Path:
    root = tmp_path / "videos"
    for name in ("training/ana/a.mp4", "training/ana/b.mp4", "test/ben/c.mp4"):
        clip(root / name)
    return root


def listed_in(store: Path) -> dict[str, Listed | None]:
    there = Store(store)
    return {Path(there[id].recording.source).name: there[id].listed for id in there}


@pytest.mark.parametrize("jobs", [1, 2])
def test_prepare_keeps_who_is_in_a_clip(vlogs, tmp_path, jobs):
    made = list(prepare([vlogs], tmp_path / "s", (), corpus="vlogs").carry_out(jobs))
    assert [outcome.failure for outcome in made] == [None] * 3
    assert listed_in(tmp_path / "s") == {
        "a.mp4": Listed("vlogs", "training/ana/a.mp4", "ana", "training"),
        "b.mp4": Listed("vlogs", "training/ana/b.mp4", "ana", "training"),
        "c.mp4": Listed("vlogs", "test/ben/c.mp4", "ben", "test"),
    }


def test_who_is_in_a_clip_survives_a_retry_that_does_not_name_the_corpus(vlogs, tmp_path):
    store, broken = tmp_path / "s", vlogs / "training/ana/b.mp4"
    film = broken.read_bytes()
    broken.write_bytes(b"half of it")
    assert [bool(it.failure) for it in prepare([vlogs], store, (), corpus="vlogs").carry_out()] == [False, False, True]
    retry = ["ingest", "--retry-failed", "--to", str(store)]
    assert main(retry) == 1  # and failing again forgets nothing
    broken.write_bytes(film)
    assert main(retry) == 0 and read_failures(store) == []
    assert listed_in(store)["b.mp4"] == Listed("vlogs", "training/ana/b.mp4", "ana", "training")


def test_a_clip_that_moves_to_another_set_is_listed_anew(vlogs, tmp_path):
    list(prepare([vlogs], tmp_path / "s", (), corpus="vlogs").carry_out())
    (vlogs / "test/ana").mkdir()
    (vlogs / "training/ana/b.mp4").rename(vlogs / "test/ana/b.mp4")
    again = list(prepare([vlogs], tmp_path / "s", (), corpus="vlogs").carry_out())
    assert [outcome.made for outcome in again] == [()] * 3
    assert listed_in(tmp_path / "s")["b.mp4"] == Listed("vlogs", "test/ana/b.mp4", "ana", "test")


def test_films_taken_in_before_are_listed_as_well(vlogs, tmp_path):
    list(prepare([vlogs], tmp_path / "s", ()).carry_out())
    assert set(listed_in(tmp_path / "s").values()) == {None}
    list(prepare([vlogs], tmp_path / "s", (), corpus="vlogs").carry_out())
    assert None not in listed_in(tmp_path / "s").values()


def test_of_two_files_that_are_one_film_the_first_counts(vlogs, tmp_path):
    (vlogs / "training/zed").mkdir()
    (vlogs / "training/zed/c.mp4").write_bytes((vlogs / "test/ben/c.mp4").read_bytes())
    for _ in range(2):
        list(prepare([vlogs], tmp_path / "s", (), corpus="vlogs").carry_out())
        assert listed_in(tmp_path / "s")["c.mp4"] == Listed("vlogs", "test/ben/c.mp4", "ben", "test")


def checked(root: Path, store: Path, crowd: dict[str, list[tuple[int, int]]], speech_s: dict[str, float]) -> list[str]:
    """The problems of clips of whom we say where faces are, as spans of frames, and for how long there is speech."""
    tree = survey(root)
    job = prepare([path for path, _ in tree.clips], store, ())
    outcomes = {outcome.source: outcome for outcome in job.carry_out()}
    there = Store(store)
    for path, _ in tree.clips:
        if (outcome := next(it for it in outcomes.values() if it.source.endswith(path.name))).failure:
            continue
        stored = there[outcome.recording]
        spans = crowd.get(path.name, [(0, stored.recording.num_frames)])
        save_tracks(stored, Tracks(tuple(_face(id, *span) for id, span in enumerate(spans))))
        if stored.recording.num_samples:
            rows = -(-stored.recording.num_samples // 160)
            voice = (np.arange(rows) < 100 * speech_s.get(path.name, 1.0)).astype(np.float32)
            receipt = Receipt(key="vad", step="vad", version=1)
            stored.save("vad", Series(voice, Fraction(100), Fraction(1, 200)), receipt)
    return [str(it) for it in (*misplaced(tree), *unfit(tree, outcomes, there))]


def _face(id: int, start: int, stop: int) -> Track:
    count = stop - start
    return Track(id, start, np.ones((count, 4), np.float32), np.ones(count, np.float32), np.ones(count, bool))


def test_clips_without_fault_give_no_problem(vlogs, tmp_path):
    assert checked(vlogs, tmp_path / "s", {}, {}) == []


def test_every_fault_is_one_line(vlogs, tmp_path):
    clip(vlogs / "training/ana/short.mp4", 0.96)
    clip(vlogs / "test/ana/mute.mp4", audio_codec="aac", audio_late_s=Fraction(3))
    (vlogs / "test/ben/broken.mp4").write_bytes(b"no film")
    (vlogs / "test/ben/twin.mp4").write_bytes((vlogs / "test/ben/c.mp4").read_bytes())
    touch(vlogs, "training/lost.mp4")
    (vlogs / "validation").mkdir()
    (vlogs / "test/nobody").mkdir()
    found = checked(
        vlogs, tmp_path / "s",
        {"a.mp4": [], "b.mp4": [(0, 30), (20, 40)], "c.mp4": [(0, 20), (20, 40)]}, {"twin.mp4": 0.4},
    )  # fmt: skip
    unreadable = [it for it in found if ": unreadable: " in it]
    assert len(unreadable) == 1 and unreadable[0].startswith("test/ben/broken.mp4: unreadable: broken.mp4")
    assert sorted(set(found) - set(unreadable)) == sorted([
        "ana: in-two-sets: this speaker sits in test, training: leave them in one",
        "test/ana/mute.mp4: no-sound: the film is silent",
        "test/ben/c.mp4: same-content: the same film as test/ben/twin.mp4",
        "test/ben/twin.mp4: no-speech: speech for 0.4 of 1.6 s",
        "test/nobody: empty: there is no clip in this folder",
        "training/ana/a.mp4: no-face: nobody is seen",
        "training/ana/b.mp4: several-faces: 2 faces at a time, more than one for 0.4 of 1.6 s",
        "training/ana/short.mp4: too-short: 0.96 s; at least 1 s are needed",
        "training/lost.mp4: astray: does not lie as {set}/{speaker}/{clip}",
        "validation: empty: there is no clip in this folder",
    ])  # fmt: skip
