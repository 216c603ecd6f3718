"""LRS2's and LRS3's trees: films in their sets, and what is said in them."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from phonoscope.core.errors import UsageError
from phonoscope.core.phones import Interval
from phonoscope.corpora.lrs import Transcript, listing, read_transcript, transcribed, transcript_of
from phonoscope.job import prepare
from phonoscope.media.encode import write_film
from phonoscope.store.folder import Store

LRS2 = "Text:  HELLO THERE\nConf:  3\n\nWORD START END ASDSCORE\nHELLO 0.11 0.23 6.2\nTHERE 0.23 0.9 4.1\n"
LRS3 = "Text:  HELLO\nRef:  AbCdEfGhIjK\nConf:  4\n\nFRAME \tX \tY \tW \tH\n000312 \t0.4 \t0.2 \t0.1 \t0.2\n"


def tree(root: Path, *films: str, said: str = LRS2) -> Path:
    for name in films:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).with_suffix(".mp4").write_bytes(b"")
        (root / name).with_suffix(".txt").write_text(said)
    return root


def test_texts_tell_words_and_when(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(LRS2)
    words = (Interval(0.11, 0.23, "HELLO"), Interval(0.23, 0.9, "THERE"))
    assert read_transcript(tmp_path / "a.txt") == Transcript(text="HELLO THERE", confidence="3", words=words)
    (tmp_path / "a.txt").write_text(LRS3)
    assert read_transcript(tmp_path / "a.txt") == Transcript(text="HELLO", confidence="4", film="AbCdEfGhIjK")
    (tmp_path / "a.txt").write_text("nothing but\nwhat is said: this\n")
    assert read_transcript(tmp_path / "a.txt") == Transcript(text="nothing but what is said: this")


def test_a_word_without_times_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(LRS2 + "AGAIN 1.0\n")
    with pytest.raises(UsageError, match=r"a\.txt', line 7: 'AGAIN 1\.0' is no word with its start and end"):
        read_transcript(tmp_path / "a.txt")


def test_sets_are_folders_or_what_lists_say(tmp_path: Path) -> None:
    root = tree(tmp_path, "main/12/00001", "main/12/00002", "main/34/00001", "pretrain/12/00001", "trainval/x/50001")
    (root / "train.txt").write_text("12/00001\n")
    (root / "test.txt").write_text("34/00001 NF\n")
    found = [(it.path, it.speaker, it.split) for _, it in listing(root)]
    assert found == [
        ("main/12/00001.mp4", "12", "train"), ("main/12/00002.mp4", "12", ""), ("main/34/00001.mp4", "34", "test"),
        ("pretrain/12/00001.mp4", "12", "pretrain"), ("trainval/x/50001.mp4", "x", "trainval"),
    ]  # fmt: skip


def test_a_tree_without_texts_is_refused(tmp_path: Path) -> None:
    tree(tmp_path, "main/12/00001")
    (tmp_path / "main/12/00001.txt").unlink()
    with pytest.raises(UsageError, match="no film with a text beside it"):
        transcribed(tmp_path)


def test_what_is_said_goes_with_a_film_into_the_store(tmp_path: Path) -> None:
    root = tree(tmp_path / "lrs", "main/12/00001")
    write_film(root / "main/12/00001.mp4", (np.full((32, 32, 3), k, np.uint8) for k in range(25)), Fraction(25))
    for _ in range(2):
        assert all(it.failure is None for it in prepare([root], tmp_path / "store", (), corpus="lrs").carry_out())
        store = Store(tmp_path / "store")
        (stored,) = (store[id] for id in store)
        told = transcript_of(stored)
        assert told and told.text == "HELLO THERE" and len(told.words) == 2
        assert stored.listed and (stored.listed.corpus, stored.listed.speaker) == ("lrs", "12")
