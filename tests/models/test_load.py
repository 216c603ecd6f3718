"""Where weights are found, and what is said when they are not."""

import hashlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from phonoscope.core.errors import MissingWeights, UsageError
from phonoscope.models.cards import Card
from phonoscope.models.weights import cached, home, weights, where

ToyCard = Callable[..., Card]
ToyWheel = Callable[..., str]
NOWHERE = "https://localhost:1/toy.bin"


def put(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def silent(line: str) -> None:
    raise AssertionError(f"nothing should be said, but: {line}")


def test_the_cache_comes_before_the_mirror_and_both_before_the_sources(
    bare: Path, toy_card: ToyCard, toy_wheel: ToyWheel, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = toy_card(b"toy", toy_wheel(bare / "wheels", b"toy"))
    said: list[str] = []
    assert where(card) is None

    assert weights(card, say=said.append) == cached(card)
    assert len(said) == 1

    mirrored = put(bare / "mirror" / "deep" / "any name", b"toy")
    monkeypatch.setenv("PHONOSCOPE_MODELS", str(bare / "mirror"))
    assert weights(card, say=silent) == cached(card)
    assert where(card) == f"cache {cached(card)}"

    cached(card).unlink()
    assert weights(card, say=silent) == mirrored
    assert where(card) == f"mirror {mirrored}"
    assert not cached(card).exists()


@pytest.mark.parametrize("size", [0, 3])
def test_a_mirror_is_searched_by_hash_and_not_by_name(
    bare: Path, toy_card: ToyCard, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    put(bare / "mirror" / "toy.bin", b"another toy")
    put(bare / "mirror" / "toy-of-equal-size.bin", b"yot")
    right = put(bare / "mirror" / "zebra.txt", b"toy")
    monkeypatch.setenv("PHONOSCOPE_MODELS", str(bare / "mirror"))
    assert weights(toy_card(b"toy", size=size), say=silent) == right


def test_a_file_that_changed_after_it_was_hashed_is_hashed_again(bare: Path, toy_card: ToyCard) -> None:
    card = toy_card(b"toy")
    put(cached(card), b"toy")
    assert weights(card, say=silent) == cached(card)
    put(cached(card), b"spoilt")
    assert where(card) is None


def test_a_wrong_file_in_the_cache_is_neither_used_nor_lost(bare: Path, toy_card: ToyCard, toy_wheel: ToyWheel) -> None:
    card = toy_card(b"toy", toy_wheel(bare / "wheels", b"toy"))
    put(cached(card), b"spoilt")
    said: list[str] = []
    assert weights(card, say=said.append).read_bytes() == b"toy"
    assert any("set aside" in line and hashlib.sha256(b"spoilt").hexdigest() in line for line in said)
    assert sorted(path.read_bytes() for path in cached(card).parent.iterdir()) == [b"spoilt", b"toy"]


def test_a_wrong_file_in_the_cache_stays_when_no_source_answers(bare: Path, toy_card: ToyCard) -> None:
    card = toy_card(b"toy")
    put(cached(card), b"spoilt")
    with pytest.raises(MissingWeights, match="what lies there has another sha256"):
        weights(card)
    assert cached(card).read_bytes() == b"spoilt"


def test_a_source_that_gives_other_bytes_is_refused_and_leaves_nothing(
    bare: Path, toy_card: ToyCard, toy_wheel: ToyWheel
) -> None:
    card = toy_card(b"toy", toy_wheel(bare / "wheels", b"troy"))
    with pytest.raises(MissingWeights, match=f"gave a file with sha256 {hashlib.sha256(b'troy').hexdigest()}"):
        weights(card, say=lambda _: None)
    assert list(cached(card).parent.iterdir()) == []


def test_one_line_says_what_is_missing_what_was_tried_and_what_to_do(
    bare: Path, toy_card: ToyCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHONOSCOPE_MODELS", str(bare / "mirror"))
    absent = "wheel:toy-weights==1.0/toy.bin"
    card = toy_card(b"toy", NOWHERE, absent, "ftp://localhost/toy.bin")
    with pytest.raises(MissingWeights) as caught:
        weights(card, say=lambda _: None)
    message = str(caught.value)
    assert "\n" not in message
    for part in ("'toy'", str(bare / "home"), str(bare / "mirror"), NOWHERE, "refused", absent, "No matching", "ftp:"):
        assert part in message
    assert message.endswith(
        f"Put the file with sha256 {card.sha256} into a folder named by PHONOSCOPE_MODELS, "
        "or try `phonoscope models pull toy`"
    )


def test_before_a_download_one_line_says_what_from_where_how_large_under_which_licence(
    bare: Path, toy_card: ToyCard, toy_wheel: ToyWheel, caplog: pytest.LogCaptureFixture
) -> None:
    source = toy_wheel(bare / "wheels", b"toy")
    weights(toy_card(b"toy", source, size=3))
    (record,) = caplog.records
    assert record.name == "phonoscope"
    assert all(part in record.message for part in ("toy 1", source, "MIT", "0.0 MB"))


def test_a_cache_that_cannot_be_written_is_a_reason_and_not_a_traceback(
    bare: Path, toy_card: ToyCard, toy_wheel: ToyWheel
) -> None:
    put(bare / "home", b"a file where the cache should be")
    with pytest.raises(MissingWeights, match=r"\[Errno"):
        weights(toy_card(b"toy", toy_wheel(bare / "wheels", b"toy")), say=lambda _: None)


def test_processes_that_race_for_the_same_weights_all_get_them_whole(
    bare: Path, toy_card: ToyCard, toy_wheel: ToyWheel
) -> None:
    content = bytes(range(256)) * 4096
    card = toy_card(content, toy_wheel(bare / "wheels", content))
    fetch = (
        "import sys; from phonoscope.models.cards import Card; from phonoscope.models.weights import weights\n"
        "print(weights(Card('toy', '1', (sys.argv[1],), sys.argv[2], 'MIT', '', '', '')))"
    )
    command = [sys.executable, "-c", fetch, card.sources[0], card.sha256]
    racers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    answers = [racer.communicate(timeout=120)[0].strip() for racer in racers]
    assert [racer.returncode for racer in racers] == [0, 0, 0]
    assert answers == [str(cached(card))] * 3
    assert [path.read_bytes() for path in cached(card).parent.iterdir()] == [content]


def test_a_model_without_weights_needs_none() -> None:
    card = Card("rule", "1", (), "", "", "", "", "")
    assert where(card) == "none needed"
    with pytest.raises(UsageError, match="has no weights"):
        weights(card)


def test_the_cache_lies_where_the_platform_or_the_user_wants_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("PHONOSCOPE_HOME", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    assert home() == tmp_path / ".cache" / "phonoscope"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert home() == tmp_path / "Library" / "Caches" / "phonoscope"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert home() == tmp_path / "xdg" / "phonoscope"
    monkeypatch.setenv("PHONOSCOPE_HOME", "~/mine")
    assert home() == tmp_path / "mine"
