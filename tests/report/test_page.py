"""`report.html`."""

import re
import shutil
import subprocess
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path

import pytest

from phonoscope.report.facts import funnel, store_facts, timings
from phonoscope.report.page import failures_by_reason, write_report
from phonoscope.store.ledger import Failure, add_failure, read_failures

NASTY = "<script>alert('x')<\\script> \"quotes\" & 😀 {{ 7 * 7 }}.mp4"
LOGO = ("M3 11h3l2-5 3 10 2.5-7 1.5 2h4",)
VOID = {"meta", "input", "img", "br", "link"}


class Page(HTMLParser):
    """What a browser would make of a page: tags, text by tag, and whether all that was opened was closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: dict[str, list[str]] = {}
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open:
            self.text.setdefault(self.open[-1], []).append(data)

    def all(self, tag: str, **having: str) -> list[dict[str, str | None]]:
        return [a for t, a in self.tags if t == tag and all(a.get(k) == v for k, v in having.items())]


def page_of(store) -> Page:
    return Page(write_report(store).read_text("utf-8"))


@pytest.fixture
def full(store, add):
    """A store in which everything happens that can happen."""
    store.choose_models({"faces": "yunet", "asd": "lr-asd"})
    add("talk one.mp4", crop_video=True, notes=("rotated by 90°",), warnings=("3 frames never came",), seed=1)
    add("silent.mp4", sound=False, seed=2)
    add("nobody.mp4", tracks=0, seed=3)
    add("fresh.mp4", tracks=None, seed=4)
    add("bare.mp4", thumbs=False, seed=5)
    add(NASTY, tracks=1, notes=("<b>bold</b>",), seed=6)
    for name, reason in (("it's broken.mp4", "unreadable"), ("b.mp4", "unreadable"), ("song.mp3", "no-video")):
        uri = (store.root.parent / name).as_uri()
        add_failure(store.root, Failure(source=uri, recording="", step="ingest", reason=reason, message="<i>no</i>"))
    return store


def test_the_legend_names_the_curves_that_are_there_and_their_range(store, add):
    add("plain.mp4")
    assert "yaw" not in page_of(store).text["li"]
    add("seen.mp4", features=0)
    legend = page_of(store).text["li"]
    assert {"yaw", "pitch", "roll, −45 to 45°", "mouth opening, 0 to 0.5"} <= set(legend)


def test_nothing_on_the_page_is_fetched_from_anywhere(full):
    text = write_report(full).read_text("utf-8")
    page = Page(text)
    for tag, attributes in page.tags:
        for name in ("src", "href", "srcset", "poster", "action", "data"):
            target = attributes.get(name) or ""
            assert not re.match(r"(?i)(https?:)?//|javascript:|ftp:", target), (tag, target)
        assert tag not in ("link", "iframe", "object", "embed", "base")
    assert "@import" not in text and "url(" not in text
    policy = page.all("meta", **{"http-equiv": "Content-Security-Policy"})[0]["content"] or ""
    assert policy.startswith("default-src 'none'")


def test_the_page_is_well_formed(full):
    assert page_of(full).open == []


def test_names_are_shown_as_they_are_and_never_run(full):
    page = page_of(full)
    assert len(page.all("script")) == 1
    assert NASTY in page.text["h3"]
    assert not page.all("b", **{"class": "bold"}) and "<b>bold</b>" in page.text["li"]
    assert [card for card in page.all("article") if card["data-name"] == NASTY]


def test_the_funnel_and_the_timings_on_the_page_are_those_of_the_store(full):
    page, facts = page_of(full), store_facts(full)
    shown = {row["data-stage"]: float(row["data-seconds"] or "nan") for row in page.all("tr") if "data-stage" in row}
    assert shown == {stage.name: stage.seconds for stage in funnel(facts)}
    shown = {row["data-step"]: float(row["data-seconds"] or "nan") for row in page.all("tr") if "data-step" in row}
    assert shown == {timing.step: timing.seconds for timing in timings(facts)}


def test_a_card_carries_the_numbers_of_its_recording(full):
    page = page_of(full)
    cards = {card["id"]: card for card in page.all("article")}
    assert sorted(cards) == sorted(full)
    for facts in store_facts(full):
        card = cards[facts.recording.id]
        assert float(card["data-duration"] or 0) == pytest.approx(float(facts.recording.duration_s))
        assert card["data-tracks"] == str(len(facts.tracks or ()))
        share = (facts.speaking_frames or 0) / facts.recording.num_frames
        assert float(card["data-speaking"] or 0) == pytest.approx(share, abs=1e-5)


def test_every_track_has_a_portrait_or_a_place_for_one(full):
    page = page_of(full)
    tracks = sum(len(facts.tracks or ()) for facts in store_facts(full))
    thumbs = sum(len(list((full[id].folder / "thumbs").glob("*.jpg"))) for id in full)
    assert len(page.all("figure")) == tracks
    portraits = [image for image in page.all("img") if "map" not in (image.get("class") or "")]
    assert len(portraits) == thumbs
    assert all((image["src"] or "").startswith("data:image/jpeg;base64,") for image in portraits)
    assert len(page.all("span", **{"class": "blank"})) == tracks - thumbs


def test_a_large_store_unfolds_to_what_a_small_one_shows(full, monkeypatch):
    flat = page_of(full)
    monkeypatch.setattr("phonoscope.report.page.STATIC", 0)
    folded = page_of(full)
    assert not folded.all("figure") and not folded.all("img")
    bodies = Page("".join(folded.text["script"][:-1]))
    assert bodies.open == []
    for tag in ("figure", "img", "rect", "path"):
        assert bodies.all(tag) == [attributes for attributes in flat.all(tag) if attributes.get("d") not in LOGO]
    assert [card["data-name"] for card in folded.all("article")] == [card["data-name"] for card in flat.all("article")]


def test_of_a_store_too_large_for_a_page_those_are_shown_of_which_most_is_amiss(store, add, monkeypatch):
    add("a.mp4", seed=1)
    add("b.mp4", notes=("rotated by 90°",), seed=2)
    add("c.mp4", tracks=0, seed=3)
    add("d.mp4", seed=4)
    failed = Failure(source="file:///c", recording="c-00000003", step="asd", reason="error", message="no memory")
    add_failure(store.root, failed)
    whole = page_of(store)
    monkeypatch.setattr("phonoscope.report.page.CARDS", 3)
    page = page_of(store)
    assert [card["id"] for card in page.all("article")] == ["a-00000001", "b-00000002", "c-00000003"]
    cards = {card["id"]: card for card in whole.all("article")}
    assert all(card == cards[card["id"]] for card in page.all("article"))
    assert page.all("tr") == whole.all("tr")  # what is counted is counted over all
    (said,) = (text for text in page.text["p"] if "are shown" in text)
    assert said.startswith("3 of 4 recordings") and "which are 2;" in said
    assert not [text for text in whole.text["p"] if "are shown" in text]


def test_a_portrait_leads_to_the_film_of_its_crop(full):
    links = [link["href"] or "" for link in page_of(full).all("a") if "crops/" in (link["href"] or "")]
    assert len(links) == 2
    assert all((full.root / link).is_file() for link in links)


def test_the_source_is_linked_only_where_it_is_a_file(store, add):
    add("a.mp4", source="javascript://alert(1)", seed=1)
    add("b.mp4", source="https://example.org/b.mp4", seed=2)
    add("c.mp4", seed=3)
    assert [link["href"] for link in page_of(store).all("a")] == [(store.root.parent / "c.mp4").as_uri()]


def test_failures_come_by_reason_with_the_command_that_tries_again(full):
    groups = failures_by_reason(read_failures(full.root))
    assert {reason: len(group) for reason, group in groups.items()} == {"unreadable": 2, "no-video": 1}
    commands = [text for text in page_of(full).text["code"] if text.startswith("phonoscope prepare")]
    assert len(commands) == 3
    for command in commands:
        said = subprocess.run(["sh", "-c", command.replace("phonoscope", "printf '%s\\n'", 1)], capture_output=True)
        verb, film, flag, root = said.stdout.decode().splitlines()
        assert (verb, flag, root) == ("prepare", "--to", str(full.root))
        assert Path(film).parent == full.root.parent


def test_notes_and_warnings_are_told(full):
    assert {"rotated by 90°", "tracks: 3 frames never came"} <= set(page_of(full).text["li"])


def test_the_same_store_gives_the_same_bytes(full):
    first = write_report(full).read_bytes()
    assert write_report(full).read_bytes() == first


def test_an_empty_store_says_how_to_begin(store):
    page = page_of(store)
    assert any("phonoscope prepare FILM" in text for text in page.text["code"])
    assert not page.all("article") and not page.all("form")


def test_a_store_with_nothing_but_failures_shows_them(store):
    add_failure(store.root, Failure(source="file:///a.mp4", recording="", step="ingest", reason="missing", message="m"))
    page = page_of(store)
    assert "missing" in page.text["b"] and "file" not in page.text["b"]


def test_a_page_that_cannot_be_written_leaves_the_old_one(store, add, monkeypatch):
    before = write_report(store).read_bytes()
    add()
    monkeypatch.setattr("phonoscope.report.page.store_facts", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_report(store)
    assert (store.root / "report.html").read_bytes() == before
    assert not list(store.root.glob(".report*"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_can_be_read_on_every_ground(scheme):
    css = (files("phonoscope.report") / "templates" / "style.css").read_text("utf-8")
    light, dark = (
        dict(re.findall(r"--([\w-]+): (#\w+);", block)) for block in re.findall(r":root \{(.*?)\}", css, re.S)[:2]
    )
    colours = light if scheme == "light" else dark
    grounds = {
        "ink": ("paper", "card", "track"),
        "soft": ("paper", "card", "bad-bg"),
        "talk": ("card",),
        "bad": ("paper", "card", "bad-bg"),
        "focus": ("card",),
    }
    for ink, papers in grounds.items():
        for paper in papers:
            assert contrast(colours[ink], colours[paper]) >= 4.5, (ink, paper)
    for mark in ("talk2", "talk3", "bar", "cost", "level"):
        assert contrast(colours[mark], colours["card"]) >= 3, mark


def contrast(one: str, other: str) -> float:
    """Contrast ratio by WCAG 2.1."""

    def luminance(colour: str) -> float:
        channels = (int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5))
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.slow
def test_a_browser_opens_it_and_its_script_runs(full, tmp_path):
    browser = next((path for name in ("chromium", "google-chrome", "chrome") if (path := shutil.which(name))), None)
    if browser is None:
        pytest.skip("no browser: neither chromium nor chrome is installed")
    options = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        f"--user-data-dir={tmp_path / 'profile'}",
    ]
    page = write_report(full).as_uri()
    seen = subprocess.run(
        [browser, *options, "--enable-logging=stderr", "--dump-dom", page], capture_output=True, timeout=120
    )
    form = Page(seen.stdout.decode()).all("form", role="search")
    assert form and "hidden" not in form[0]
    assert b"CONSOLE" not in seen.stderr
