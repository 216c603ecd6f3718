import hashlib
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from phonoscope.core.errors import UsageError
from phonoscope.core.media import Rights
from phonoscope.corpora.fetched import came, rights
from phonoscope.corpora.wanted import Piece, Wanted
from phonoscope.data.fetch import site
from phonoscope.data.fetch.job import Told, fetch
from phonoscope.data.fetch.outcome import failed
from phonoscope.data.fetch.params import FetchParams
from phonoscope.data.fetch.polite import Manners
from phonoscope.data.fetch.site import SiteParams
from phonoscope.job import prepare
from phonoscope.store.folder import Store
from phonoscope.store.ledger import read_failures

pytest.importorskip("yt_dlp")
QUICK = FetchParams(site=SiteParams(timeout_s=0.5), manners=Manners(per_minute=6000, burst=50, pause_s=0.0))


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site, "_pause", lambda n: 0.0)


def got(web: Any, folder: Path, *behaviours: str, p: FetchParams = QUICK, **more: Any) -> dict[str, Told]:
    films = [Wanted(url=web(it), name=it, **more) for it in behaviours]
    return {it.name: it for it in fetch(films, folder, p)}


def test_a_film_comes_as_it_is_and_is_put_down(web: Any, folder: Path, film_bytes: bytes) -> None:
    assert got(web, folder, "ok")["ok"] == Told(name="ok", url=web("ok"), state="fetched", files=("ok.mp4",))
    assert (folder / "ok.mp4").read_bytes() == film_bytes
    (file,) = came(folder)[web("ok")].files
    assert (file.bytes, file.sha256) == (len(film_bytes), hashlib.sha256(film_bytes).hexdigest())


def test_what_came_is_not_asked_for_again(web: Any, folder: Path) -> None:
    got(web, folder, "ok")
    web.asked.clear()
    assert got(web, folder, "ok")["ok"].state == "kept"
    assert not web.asked
    (folder / "ok.mp4").write_bytes(b"cut off")
    assert got(web, folder, "ok")["ok"].state == "fetched"


@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [
        ("404", "gone"), ("410", "gone"), ("403", "private"), ("451", "geo-blocked"), ("429", "rate-limited"),
        ("503", "network"), ("truncated", "network"), ("lies", "network"), ("stall", "network"),
        ("page", "unsupported"), ("text", "damaged"), ("refused", "bot-check"),
    ],
)  # fmt: skip
def test_every_way_to_fail_has_a_type(web: Any, folder: Path, behaviour: str, kind: str) -> None:
    told = got(web, folder, behaviour)[behaviour]
    assert (told.state, told.type) == ("failed", kind)
    (failure,) = read_failures(folder)
    assert (failure.source, failure.step, failure.reason) == (web(behaviour), "fetch", kind)
    assert "\n" not in failure.message and not list(folder.glob("*.mp4"))


@pytest.mark.parametrize("behaviour", ["once-503", "breaks"])
def test_what_breaks_off_goes_on(web: Any, folder: Path, film_bytes: bytes, behaviour: str) -> None:
    assert got(web, folder, behaviour)[behaviour].state == "fetched"
    assert (folder / f"{behaviour}.mp4").read_bytes() == film_bytes
    assert bool(web.ranges) == (behaviour == "breaks")


def test_a_killed_run_goes_on_in_the_middle_of_a_file(web: Any, folder: Path, film_bytes: bytes) -> None:
    (folder.parent / "urls.txt").write_text(web("hang-once") + "\n")
    command = [sys.executable, "-m", "phonoscope.cli.main", "fetch", "list", str(folder.parent / "urls.txt")]
    running = subprocess.Popen([*command, "--to", str(folder)])
    assert web.hanging.wait(60)
    while not any(it.stat().st_size for it in folder.glob(".*.part")):
        assert running.poll() is None
    running.send_signal(signal.SIGKILL)
    running.wait()
    (begun,) = folder.glob(".*.part")
    size = begun.stat().st_size
    subprocess.run([*command, "--to", str(folder)], check=True)
    assert (folder / "film.mp4").read_bytes() == film_bytes
    assert web.ranges == [f"bytes={size}-"]


def test_a_host_that_wants_us_to_stop_is_left_in_peace(web: Any, folder: Path) -> None:
    films = [Wanted(url=web("429", f"film{n}"), name=f"film{n}") for n in range(9)]
    manners = Manners(per_minute=6000, burst=50, pause_s=0.001, patience=3)
    told = list(fetch(films, folder, FetchParams(site=QUICK.site, manners=manners)))
    assert [it.state for it in told] == ["failed"] * 3 + ["waiting"] * 6
    assert sum(web.asked.values()) == 3  # the list is not burnt through
    again = list(fetch(films[3:], folder, QUICK))
    assert again[0].state == "failed"  # another run asks again


def test_what_is_gone_is_left_alone_until_asked_for(web: Any, folder: Path) -> None:
    got(web, folder, "404", "503")
    web.asked.clear()
    again = got(web, folder, "404", "503")
    assert (again["404"].state, again["404"].type, again["503"].state) == ("left", "gone", "failed")
    assert set(web.asked) == {"/503/film.mp4"}
    web.asked.clear()
    told = got(web, folder, "404", "503", "ok", p=FetchParams(site=QUICK.site, retry="type == 'gone'"))
    assert (told["404"].state, told["503"].state, told["ok"].state) == ("failed", "waiting", "waiting")
    assert set(web.asked) == {"/404/film.mp4"}


def test_a_file_that_is_not_the_promised_one_is_thrown_away(web: Any, folder: Path, film_bytes: bytes) -> None:
    right = hashlib.md5(film_bytes, usedforsecurity=False).hexdigest()
    assert got(web, folder, "ok", md5=right)["ok"].state == "fetched"
    told = got(web, folder, "other", md5="0" * 32)["other"]
    assert (told.type, (folder / "other.mp4").exists()) == ("damaged", False)


def test_pieces_are_cut_to_the_frame_and_the_whole_goes(web: Any, folder: Path) -> None:
    pieces = (Piece(name="a", start_s=0.4, stop_s=1.4), Piece(name="b", start_s=1.0, stop_s=2.0))
    told = got(web, folder, "ok", pieces=pieces)["ok"]
    assert (told.state, told.files) == ("fetched", ("a.mp4", "b.mp4"))
    for name, first in (("a", 10), ("b", 25)):
        with av.open(str(folder / f"{name}.mp4")) as film:
            greys = [frame.to_ndarray(format="gray").mean() for frame in film.decode(video=0)]
            assert film.streams.audio
        np.testing.assert_allclose(greys, 2 * np.arange(first, first + 25), atol=2.5)
    assert not (folder / "ok.mp4").exists()
    assert got(web, folder, "ok", pieces=pieces)["ok"].state == "kept"


def test_a_piece_of_another_span_is_cut_anew(web: Any, folder: Path) -> None:
    got(web, folder, "ok", pieces=(Piece(name="a", start_s=0.4, stop_s=1.4),))
    assert got(web, folder, "ok", pieces=(Piece(name="a", start_s=0.4, stop_s=2.4),))["ok"].state == "fetched"
    with av.open(str(folder / "a.mp4")) as film:
        assert sum(1 for _ in film.decode(video=0)) == 50


def test_a_piece_beyond_the_end_is_told_and_the_others_come(web: Any, folder: Path) -> None:
    pieces = (Piece(name="a", start_s=0, stop_s=1), Piece(name="b", start_s=3, stop_s=60))
    told = got(web, folder, "ok", pieces=pieces)["ok"]
    assert told.type == "damaged" and "'b' goes to 60 s, but the film ends at 4.00 s" in told.message
    assert set(told.files) == {"a.mp4", "ok.mp4"}  # the whole stays, for whoever wants to look


def test_pieces_show_the_window_that_a_list_tells(web: Any, folder: Path) -> None:
    piece = Piece(name="a", start_s=0, stop_s=1, crop=(20, 10, 80, 50), crop_height=64)
    got(web, folder, "ok", pieces=(piece,), p=FetchParams(site=QUICK.site, crop=True))
    with av.open(str(folder / "a.mp4")) as film:
        assert (film.streams.video[0].width, film.streams.video[0].height) == (60, 40)


def test_prepare_keeps_whose_a_fetched_film_is(web: Any, folder: Path, tmp_path: Path) -> None:
    got(web, folder, "ok", licence="CC-BY-4.0", speaker="ana", split="validation")
    assert all(it.failure is None for it in prepare([folder], tmp_path / "store", (), corpus="fetched").carry_out())
    store = Store(tmp_path / "store")
    (stored,) = (store[id] for id in store)
    assert stored.recording.rights == Rights(licence="CC-BY-4.0", origin=web("ok"))
    assert stored.listed and (stored.listed.speaker, stored.listed.split) == ("ana", "validation")


def test_an_archive_is_read_and_added_to(web: Any, folder: Path) -> None:
    archive = folder.parent / "archive.txt"
    p = FetchParams(site=SiteParams(archive=str(archive)), manners=QUICK.manners)
    assert got(web, folder, "ok", p=p)["ok"].state == "fetched"
    assert archive.read_text() == "generic film\n"
    assert got(web, folder.with_name("other"), "ok", p=p)["ok"].state == "kept"


def test_a_film_whose_pieces_failed_is_not_in_the_archive(web: Any, folder: Path) -> None:
    archive = folder.parent / "archive.txt"
    p = FetchParams(site=SiteParams(archive=str(archive)), manners=QUICK.manners)
    assert got(web, folder, "ok", p=p, pieces=(Piece(name="b", start_s=3, stop_s=60),))["ok"].state == "failed"
    assert not archive.exists()


def test_a_name_that_another_film_has_here_is_refused(web: Any, folder: Path, film_bytes: bytes) -> None:
    got(web, folder, "ok", pieces=(Piece(name="0", start_s=0, stop_s=1),))
    other = Wanted(url=web("ok", "other"), name="other", pieces=(Piece(name="0", start_s=1, stop_s=2),))
    with pytest.raises(UsageError, match=r"'0' in '.*' is of '.*film.mp4', and '.*other.mp4' would be called so, too"):
        list(fetch([other], folder, QUICK))
    (folder / "0.mp4").unlink()
    assert [it.state for it in fetch([other], folder, QUICK)] == ["fetched"]


def test_pieces_that_came_before_stay_whose_they_are(web: Any, folder: Path) -> None:
    pieces = [Piece(name=str(k), start_s=k, stop_s=k + 1) for k in range(2)]
    for piece in pieces:
        got(web, folder, "ok", pieces=(piece,))
    assert {it.name for it in came(folder)[web("ok")].files} == {"0.mp4", "1.mp4"} == {it.name for it in rights(folder)}
    assert got(web, folder, "ok", pieces=(pieces[0],))["ok"].state == "kept"


def test_a_whole_film_that_came_before_stays_when_pieces_are_wanted(web: Any, folder: Path) -> None:
    got(web, folder, "ok")
    got(web, folder, "ok", pieces=(Piece(name="a", start_s=0, stop_s=1),))
    assert {it.name for it in folder.glob("*.mp4")} == {"ok.mp4", "a.mp4"} == {it.name for it in rights(folder)}


def test_a_film_that_shows_nothing_stops_no_other(web: Any, folder: Path, film_bytes: bytes) -> None:
    start = film_bytes.index(b"mdat") + 4
    web.film = film_bytes[:start] + bytes(len(film_bytes) - start)  # it opens, but has no picture
    films = [Wanted(url=web("ok", it), name=it, pieces=(Piece(name=f"{it}0", start_s=0, stop_s=1),)) for it in "ab"]
    assert [(it.state, it.type) for it in fetch(films, folder, QUICK)] == [("failed", "damaged")] * 2
    assert not [*folder.glob("*.mp4")]


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("ERROR: [youtube] abc: Private video. Sign in if you've been granted access to this video", "private"),
        ("[youtube] abc: Sign in to confirm you’re not a bot. Use --cookies", "bot-check"),
        ("[youtube] abc: Video unavailable. This video has been removed by the uploader", "gone"),
        ("[youtube] abc: The uploader has not made this video available in your country", "geo-blocked"),
        ("[youtube] abc: This video is unavailable because the account has been terminated", "gone"),
        ("unable to download video data: <urlopen error [Errno -2] Name or service not known>", "network"),
        ("[vimeo] 1: Requested format is not available. Use --list-formats", "unsupported"),
    ],
)  # fmt: skip
def test_what_sites_say_is_understood(said: str, kind: str) -> None:
    assert failed(RuntimeError(said)).kind == kind


def test_a_full_disk_stops_everything() -> None:
    inner = OSError(28, "No space left on device")
    outer = RuntimeError("unable to write data")
    outer.__cause__ = inner
    assert failed(outer).kind == "disk"
