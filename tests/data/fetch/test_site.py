"""How sites are asked: with whose cookies, through whom, for which streams; and what comes apart comes together."""

import sqlite3
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from phonoscope.core.errors import UsageError
from phonoscope.corpora.wanted import Wanted, youtube
from phonoscope.data.fetch import site
from phonoscope.data.fetch.cookies import cookies_of
from phonoscope.data.fetch.job import fetch
from phonoscope.data.fetch.params import FetchParams
from phonoscope.media.encode import write_film

pytest.importorskip("yt_dlp")
JAR = "# Netscape HTTP Cookie File\n127.0.0.1\tFALSE\t/\tFALSE\t0\tsession\tours\n"


def asking(quick: FetchParams, **more: Any) -> FetchParams:
    return replace(quick, site=replace(quick.site, **more))


def one(url: str, folder: Path, p: FetchParams) -> tuple[str, str]:
    (told,) = fetch([Wanted(url=url, name="film")], folder, p)
    return told.state, told.type


def test_cookies_of_a_file_are_sent_and_the_file_is_left_alone(web: Any, folder: Path, quick: FetchParams) -> None:
    jar = folder.with_name("cookies.txt")
    jar.write_text(JAR)
    assert one(web("ok"), folder, asking(quick, cookies=str(jar))) == ("fetched", "")
    assert web.cookies and set(web.cookies) == {"session=ours"}
    assert jar.read_text() == JAR


def test_cookies_of_a_browser_are_sent(web: Any, folder: Path, quick: FetchParams) -> None:
    profile = folder.with_name("profile")
    profile.mkdir()
    base = sqlite3.connect(profile / "cookies.sqlite")
    base.execute("PRAGMA user_version = 16")
    columns = "host TEXT, name TEXT, value TEXT, path TEXT, expiry INTEGER, isSecure INTEGER, originAttributes TEXT"
    base.execute(f"CREATE TABLE moz_cookies ({columns})")
    base.execute("INSERT INTO moz_cookies VALUES ('127.0.0.1', 'session', 'fox', '/', 9999999999000, 0, '')")
    base.commit()
    base.close()
    assert one(web("ok"), folder, asking(quick, cookies_from=f"firefox:{profile}")) == ("fetched", "")
    assert set(web.cookies) == {"session=fox"}


@pytest.mark.parametrize(
    ("file", "browser", "said"),
    [
        ("nowhere.txt", "", "the cookies 'nowhere.txt' cannot be read"),
        ("", "lynx", "'lynx' is no browser; there are brave, chrome"),
        (
            "",
            "firefox:/nowhere/at/all",
            "no cookies can be read from 'firefox:/nowhere/at/all': could not find firefox",
        ),
    ],
)
def test_cookies_that_are_not_there_are_said_before_anything_is_asked(file: str, browser: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as told:
        cookies_of(file, browser)
    assert "\n" not in str(told.value)


def test_a_proxy_is_asked_instead_of_the_site(web: Any, folder: Path, quick: FetchParams) -> None:
    assert one("http://films.example/ok/film.mp4", folder, asking(quick, proxy=web.url)) == ("fetched", "")
    assert set(web.hosts) == {"films.example"}


def test_a_film_of_the_archive_is_known_by_its_address(folder: Path, quick: FetchParams) -> None:
    archive = folder.with_name("archive.txt")
    archive.write_text("youtube AbCdEfGhIjK\n")
    nobody = asking(quick, archive=str(archive), proxy="http://127.0.0.1:9")
    assert one(youtube("AbCdEfGhIjK"), folder, nobody) == ("kept", "")


def test_a_site_that_answers_the_third_time_is_understood(web: Any, folder: Path, quick: FetchParams) -> None:
    assert one(web("third-time"), folder, quick) == ("fetched", "")


@pytest.fixture(scope="module")
def streams(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Pictures of two sizes and a sound, 2 s each, that belong together and lie apart."""
    folder, tone = tmp_path_factory.mktemp("streams"), 0.3 * np.sin(np.arange(32000) * 0.1)
    for side in (32, 64):
        grey = (np.full((side, side, 3), 2 * k, np.uint8) for k in range(50))
        write_film(folder / f"{side}.mp4", grey, Fraction(25))
    with av.open(str(folder / "sound.m4a"), "w", format="mp4") as film:
        stream = film.add_stream("aac", rate=16000, layout="mono")
        frame = av.AudioFrame.from_ndarray(tone[None].astype(np.float32), "fltp", "mono")
        frame.sample_rate = 16000
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            film.mux(packet)
    return {it.name: it.read_bytes() for it in folder.iterdir()}


MANIFEST = """<?xml version="1.0"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT2S"><Period>
<AdaptationSet mimeType="video/mp4">
<Representation id="small" bandwidth="1000" width="32" height="32" codecs="avc1.42c00d"><BaseURL>32.mp4</BaseURL>
</Representation>
<Representation id="large" bandwidth="2000" width="64" height="64" codecs="avc1.42c00d"><BaseURL>64.mp4</BaseURL>
</Representation></AdaptationSet>
<AdaptationSet mimeType="audio/mp4"><Representation id="sound" bandwidth="500" codecs="mp4a.40.2">
<BaseURL>sound.m4a</BaseURL></Representation></AdaptationSet></Period></MPD>"""


def serve(web: Any, streams: dict[str, bytes]) -> str:
    kinds = {"mp4": "video/mp4", "m4a": "audio/mp4"}
    web.files = {f"/dash/{name}": (kinds[name[-3:]], content) for name, content in streams.items()}
    web.files["/dash/film.mpd"] = ("application/dash+xml", MANIFEST.encode())
    return f"{web.url}/dash/film.mpd"


@pytest.mark.parametrize(("form", "side"), [("", 64), ("bv*[height<=40]+ba/b", 32)])
def test_the_streams_that_are_asked_for_come_as_one_film(
    web: Any, folder: Path, quick: FetchParams, streams: dict[str, bytes], form: str, side: int
) -> None:
    assert one(serve(web, streams), folder, asking(quick, format=form) if form else quick) == ("fetched", "")
    assert sorted(it.name for it in folder.glob("film.*")) == ["film.mkv"]
    with av.open(str(folder / "film.mkv")) as film:
        greys = [frame.to_ndarray(format="gray").mean() for frame in film.decode(video=0)]
        assert film.streams.video[0].width == side
        film.seek(0)
        assert abs(sum(it.samples for it in film.decode(audio=0)) - 32000) <= 2048
    np.testing.assert_allclose(greys, 2 * np.arange(50), atol=2.5)


def test_a_picture_without_its_sound_is_no_film_and_need_not_come_again(
    web: Any, folder: Path, quick: FetchParams, streams: dict[str, bytes]
) -> None:
    url = serve(web, streams)
    sound = web.files.pop("/dash/sound.m4a")
    web.files["/dash/sound.m4a"] = ("audio/mp4", b"")  # it does not come
    assert one(url, folder, quick)[0] == "failed"
    assert not [*folder.glob("film.*")] and [*folder.glob(".film.0-*.mp4")]
    web.files["/dash/sound.m4a"] = sound
    web.asked.clear()
    assert one(url, folder, quick) == ("fetched", "")
    assert not web.asked["/dash/64.mp4"] and [it.name for it in folder.glob("film.*")] == ["film.mkv"]


def test_no_picture_is_lost_where_the_container_does_not_tell_when_to_decode(tmp_path: Path) -> None:
    picture, sound = tmp_path / ".x.0.mkv", tmp_path / ".x.1.mkv"
    grey = (np.full((32, 32, 3), 2 * k, np.uint8) for k in range(50))
    write_film(tmp_path / "made.mp4", grey, Fraction(25), np.zeros(32000, np.float32), 16000)
    for kind, path in (("video", picture), ("audio", sound)):
        with av.open(str(tmp_path / "made.mp4")) as source, av.open(str(path), "w") as film:
            stream = source.streams.get({kind: 0})[0]
            out = film.add_stream_from_template(stream)  # pyright: ignore[reportArgumentType] - it is either kind
            for packet in source.demux(stream):
                if packet.size:
                    packet.stream = out
                    film.mux(packet)
    with av.open(str(picture)) as film:
        packets = [it for it in film.demux(video=0) if it.size]
    assert len(packets) == 50 and any(it.dts is None for it in packets)  # B-frames in Matroska: the case in hand
    path = site._together([picture, sound], tmp_path / "x")
    with av.open(str(path)) as film:
        greys = [frame.to_ndarray(format="gray").mean() for frame in film.decode(video=0)]
    np.testing.assert_allclose(greys, 2 * np.arange(50), atol=2.5)
    assert all(a < b for a, b in pairwise(greys)) and not [*tmp_path.glob(".*")]
