"""Fetching again: what lies there is used, what a list wants is what a corpus finds, and a full disk ends it all."""

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from phonoscope.core.errors import PhonoscopeError
from phonoscope.corpora import hdtf
from phonoscope.corpora.fetched import came, listing
from phonoscope.corpora.wanted import Piece, Wanted, joined
from phonoscope.data.fetch import keep
from phonoscope.data.fetch.job import Told, fetch
from phonoscope.data.fetch.params import FetchParams
from phonoscope.job import prepare
from phonoscope.store.folder import Store

A, LATE = Piece(name="a", start_s=0, stop_s=1), Piece(name="late", start_s=3, stop_s=60)


def told(films: list[Wanted], folder: Path, p: FetchParams) -> list[Told]:
    return list(fetch(films, folder, p))


def films_in(folder: Path) -> list[str]:
    return sorted(it.name for it in folder.glob("*.mp4"))


def listed(folder: Path) -> list[str]:
    return [path.name for path, _ in listing(folder)]


def test_a_film_that_is_shorter_than_its_list_says_is_not_asked_for_again(
    web: Any, folder: Path, quick: FetchParams
) -> None:
    film = [Wanted(url=web("ok"), name="ok", pieces=(A, LATE))]
    (first,) = told(film, folder, quick)
    web.asked.clear()
    (again,) = told(film, folder, quick)
    assert (again.state, again.type, again.message) == ("failed", "damaged", first.message) and not web.asked
    assert films_in(folder) == ["a.mp4", "ok.mp4"] and listed(folder) == ["a.mp4"]
    (anew,) = told(film, folder, replace(quick, retry="type == 'damaged'"))
    assert anew.state == "failed" and web.asked  # who asks for it has it fetched anew


def test_a_film_that_was_kept_for_a_piece_goes_when_all_its_pieces_are_there(
    web: Any, folder: Path, quick: FetchParams
) -> None:
    told([Wanted(url=web("ok"), name="ok", pieces=(A, LATE))], folder, quick)
    web.asked.clear()
    (mended,) = told([Wanted(url=web("ok"), name="ok", pieces=(A, replace(LATE, stop_s=4)))], folder, quick)
    assert mended.state == "fetched" and not web.asked
    assert films_in(folder) == listed(folder) == ["a.mp4", "late.mp4"] == sorted(mended.files)


def test_pieces_of_a_film_that_lies_there_are_cut_and_it_stays(web: Any, folder: Path, quick: FetchParams) -> None:
    told([Wanted(url=web("ok"), name="ok")], folder, quick)
    web.asked.clear()
    told([Wanted(url=web("ok"), name="ok", pieces=(A,))], folder, quick)
    assert not web.asked and films_in(folder) == listed(folder) == ["a.mp4", "ok.mp4"]


def test_a_film_kept_beside_its_pieces_is_no_film_of_the_corpus(web: Any, folder: Path, quick: FetchParams) -> None:
    film = [Wanted(url=web("ok"), name="ok", pieces=(A,))]
    told(film, folder, quick)
    told(film, folder, replace(quick, whole=True))
    assert films_in(folder) == ["a.mp4", "ok.mp4"] and listed(folder) == ["a.mp4"]
    assert told(film, folder, replace(quick, whole=True))[0].state == "kept"


def test_a_list_that_wants_a_film_and_a_piece_of_it_gets_both(web: Any, folder: Path, quick: FetchParams) -> None:
    rows = [Wanted(url=web("ok"), name="talk"), Wanted(url=web("ok"), name="film", pieces=(A,))]
    for films, state in ((joined(rows), "fetched"), (joined(rows[::-1]), "kept")):
        assert films == [Wanted(url=web("ok"), name="talk", pieces=(A,), whole=True)]
        assert [it.state for it in told(films, folder, quick)] == [state]
    assert films_in(folder) == listed(folder) == ["a.mp4", "talk.mp4"]
    assert [it.aside for it in came(folder)[web("ok")].files] == [False, False]


def test_each_piece_has_its_own_speaker_and_set(web: Any, folder: Path, quick: FetchParams) -> None:
    rows = [("a", "ana", "train"), ("b", "ben", "test")]
    pieces = tuple(Piece(name=it, start_s=0, stop_s=1, speaker=who, split=split) for it, who, split in rows)
    films = [Wanted(url=web("ok"), name="ok", pieces=(it,), speaker=it.speaker, split=it.split) for it in pieces]
    told(joined(films), folder, quick)
    assert [(it.path, it.speaker, it.split) for _, it in listing(folder)] == [(f"{a}.mp4", b, c) for a, b, c in rows]


def test_pieces_that_overlap_are_the_same_as_each_alone(web: Any, folder: Path, quick: FetchParams) -> None:
    spans = {"a": (0.4, 2.0), "b": (1.0, 3.2), "c": (1.0, 1.52), "d": (2.0, 4.0)}
    pieces = tuple(Piece(name=name, start_s=a, stop_s=b) for name, (a, b) in spans.items())
    told([Wanted(url=web("ok"), name="ok", pieces=pieces)], folder, quick)
    for piece in pieces:
        alone = folder.with_name(piece.name)
        told([Wanted(url=web("ok"), name="ok", pieces=(piece,))], alone, quick)
        assert (alone / f"{piece.name}.mp4").read_bytes() == (folder / f"{piece.name}.mp4").read_bytes()


def test_a_full_disk_does_not_wait_for_hosts_that_are_left_in_peace(
    web: Any, folder: Path, quick: FetchParams, monkeypatch: pytest.MonkeyPatch
) -> None:
    resting = threading.Event()
    other = web.url.replace("127.0.0.1", "localhost")
    blocked = [Wanted(url=f"{other}/429/{n}.mp4", name=f"b{n}") for n in range(2)]

    def full(*args: Any, **more: Any) -> None:
        assert resting.wait(20)
        raise OSError(28, "No space left on device")

    p = replace(quick, manners=replace(quick.manners, pause_s=3600.0))
    monkeypatch.setattr(keep, "_told", full)
    with pytest.raises(PhonoscopeError, match=r"cannot be written to: .*No space left"):
        for it in fetch([*blocked, Wanted(url=web("ok"), name="ok")], folder, p):
            assert (it.name, it.type) == ("b0", "rate-limited")
            resting.set()  # its host is now left alone for an hour
    names = {it.name for it in threading.enumerate()}
    assert not any("_work" in it for it in names)


def test_hosts_do_not_wait_for_each_other(web: Any, folder: Path, quick: FetchParams) -> None:
    other = web.url.replace("127.0.0.1", "localhost")
    films = [Wanted(url=f"{other}/ok/{n}.mp4", name=f"there{n}") for n in range(2)]
    asleep = threading.Event()
    p = replace(quick, manners=replace(quick.manners, per_minute=1, burst=1))

    def sleep(seconds: float) -> None:
        asleep.set()
        assert done.wait(20)  # until the other host's film has come
        raise PhonoscopeError("enough")

    done = threading.Event()
    with pytest.raises(PhonoscopeError, match="enough"):
        for it in fetch([*films, Wanted(url=web("ok"), name="here")], folder, p, sleep=sleep):
            if it.name == "here":
                assert asleep.wait(20)
                done.set()


def test_a_list_of_hdtf_becomes_recordings_with_its_spans_and_windows(
    web: Any, folder: Path, quick: FetchParams, tmp_path: Path
) -> None:
    for name, line in {
        "video_url": f"Radio1 {web('ok')}",
        "annotion_time": "Radio1.mp4 00:00-00:01 00:02-00:04",
        "resolution": "Radio1.mp4 64",
        "crop_wh": "Radio1_0.mp4 20 60 4 60",
    }.items():
        (tmp_path / f"RD_{name}.txt").write_text(line + "\n")
    assert [it.state for it in told(hdtf.wanted(tmp_path), folder, replace(quick, crop=True))] == ["fetched"]
    assert all(it.failure is None for it in prepare([folder], tmp_path / "store", (), corpus="fetched").carry_out())
    store = Store(tmp_path / "store")
    made = [store[id].recording for id in sorted(store)]
    assert [(it.id[:8], it.num_frames, it.width, it.height) for it in made] == [
        ("radio1-0", 25, 60, 60), ("radio1-1", 50, 96, 64),
    ]  # fmt: skip
    assert {it.rights.origin for it in made} == {web("ok")}
