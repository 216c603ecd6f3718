"""A sound as a page: all in one file, and a mouth that is drawn from the poses of ARKit."""

import base64
import io
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import soundfile

from phonoscope.core.errors import UsageError
from phonoscope.core.phones import Alignment, Interval
from phonoscope.core.visemes import VISEMES, track_of
from phonoscope.data.viseme_job import Spoken
from phonoscope.data.viseme_sounds import Sound
from phonoscope.report import viseme_page
from phonoscope.report.viseme_page import EXAMPLES, mouths, write_preview

ROWS = np.repeat([0, 10, 1, 0], [40, 30, 10, 20])  # sil, aa, PP, sil


@pytest.fixture
def spoken(tmp_path) -> Spoken:
    """A second of sound, loud from 0.4 to 0.7 s, with a word in it."""
    audio = np.zeros(16000)
    audio[6400:11200] = 0.5 * np.sin(np.arange(4800) * 0.2)
    soundfile.write(tmp_path / "a <script> b.wav", audio, 16000)
    said = Alignment(words=(Interval(0.4, 0.8, "</script>"),), duration_s=1.0)
    return Spoken(Sound("a </script> b", tmp_path / "a <script> b.wav"), track_of(ROWS), said)


class Page(HTMLParser):
    """Where a page's addresses lead, and its scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.scripts: dict[str, str] = {}
        self.ids: list[str] = []
        self._script: str | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.links += [given[name] for name in ("src", "href") if name in given]
        self.ids += [given["id"]] if "id" in given else []
        self._script = given.get("id", "code") if tag == "script" else None

    def handle_data(self, data: str) -> None:
        if self._script:
            self.scripts[self._script] = data

    def handle_endtag(self, tag: str) -> None:
        self._script = None


def page_of(spoken: Spoken, path: Path) -> Page:
    write_preview(spoken, path)
    return Page(path.read_text(encoding="utf-8"))


def test_all_is_in_one_file_and_nothing_may_be_fetched(spoken, tmp_path):
    page = page_of(spoken, tmp_path / "x.html")
    text = (tmp_path / "x.html").read_text(encoding="utf-8")
    assert [link.split(",")[0] for link in page.links] == ["data:audio/flac;base64"]
    assert "default-src 'none'" in text and "http://" not in text and "https://" not in text
    assert len(page.ids) == len(set(page.ids))
    assert set(page.scripts) == {"data", "examples", "code"}, "no name or word can end a script"


def test_the_sound_is_that_of_the_file(spoken, tmp_path):
    page = page_of(spoken, tmp_path / "x.html")
    content = base64.b64decode(page.links[0].split(",")[1])
    heard, rate = soundfile.read(io.BytesIO(content))
    wanted, _ = soundfile.read(spoken.sound.path)
    assert rate == 16000
    np.testing.assert_allclose(heard, wanted, atol=1e-4)


def test_cues_weights_levels_and_words_are_those_of_the_track(spoken, tmp_path):
    data = json.loads(page_of(spoken, tmp_path / "x.html").scripts["data"])
    assert data["cues"] == [[0.0, 0], [0.4, 10], [0.7, 1], [0.8, 0]]
    weights = np.frombuffer(base64.b64decode(data["weights"]), np.uint8).reshape(-1, 15)
    assert weights.shape == (100, 15)
    np.testing.assert_array_equal(weights[[20, 55, 90]].argmax(1), [0, 10, 0])
    assert weights.sum(1).min() >= 250
    levels = np.frombuffer(base64.b64decode(data["levels"]), np.uint8)
    assert (levels[:40] == 0).all() and (levels[40:70] > 200).all() and (levels[71:] == 0).all()
    assert data["words"] == [[0.4, 0.8, "</script>"]]
    assert data["names"] == list(VISEMES)


def test_the_same_gives_the_same_bytes(spoken, tmp_path):
    for name in ("x", "y"):
        write_preview(spoken, tmp_path / f"{name}.html")
    assert (tmp_path / "x.html").read_bytes() == (tmp_path / "y.html").read_bytes()


def test_a_mouth_is_drawn_as_its_name_says():
    jaw, width, round_, upper, _, tucked, tongue = mouths().T
    at = {name: number for number, name in enumerate(VISEMES)}
    assert mouths().shape == (15, 7) and set(EXAMPLES) == set(VISEMES)
    assert not mouths()[at["sil"]].any()
    assert jaw.argmax() == at["aa"] and jaw[at["PP"]] == 0
    assert width.argmin() == at["ou"] and width[at["ih"]] > 0
    assert round_[at["ou"]] > 0.8 and round_[at["SS"]] == 0
    assert tucked[at["PP"]] > 0.5 and tucked[at["FF"]] > 0.5 and tucked[at["aa"]] == 0
    assert tongue.argmax() == at["TH"] and upper[at["FF"]] > 0


def test_a_sound_too_long_for_a_page_is_refused(spoken, tmp_path, monkeypatch):
    monkeypatch.setattr(viseme_page, "LONGEST_S", 0.5)
    with pytest.raises(UsageError, match="a preview holds"):
        write_preview(spoken, tmp_path / "x.html")
    assert not (tmp_path / "x.html").exists()


def test_every_element_that_the_script_asks_for_is_there(spoken, tmp_path):
    page = page_of(spoken, tmp_path / "x.html")
    asked = set(re.findall(r'(?:\$|getElementById)\("([\w-]+)"\)', page.scripts["code"]))
    assert len(asked) > 10 and asked <= set(page.ids)


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("chromium"), reason="there is no chromium here")
def test_a_browser_draws_another_mouth_at_another_time(spoken, tmp_path):
    page_of(spoken, tmp_path / "x.html")
    look = "[0.1, 0.55, 0.75].map((t) => (show(t), [$('viseme').textContent, $('lips').getAttribute('d')]))"
    with (tmp_path / "x.html").open("a", encoding="utf-8") as file:
        file.write(f"<pre id='seen'></pre><script>$('seen').textContent = JSON.stringify({look});</script>")
    seen = re.search(r'<pre id="seen">(.+)</pre>', _in_browser(tmp_path / "x.html"))
    assert seen
    names, lips = zip(*json.loads(seen[1]), strict=True)
    assert names == ("sil", "aa", "PP") and len(set(lips)) == 3


def _in_browser(page: Path) -> str:
    """A page as Chromium has it after its scripts have run."""
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
    options += ["--disable-component-update", "--disable-sync", f"--user-data-dir={page.parent}/profile", "--dump-dom"]
    with (page.parent / "dom.html").open("w+", encoding="utf-8") as file:  # a pipe would outlive a browser that hangs
        asked = subprocess.Popen(["chromium", *options, page.as_uri()], stdout=file, stderr=subprocess.DEVNULL)
        try:
            assert asked.wait(timeout=100) == 0
        finally:
            asked.kill()
        file.seek(0)
        return file.read()
