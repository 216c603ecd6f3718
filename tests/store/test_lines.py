"""Files of JSON lines: what has been put down is read, and half a line spoils no other."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from phonoscope.store.files import write_if_new
from phonoscope.store.lines import add_line, lines_of, read_lines, replace_lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    text: str
    at: int = 0


words = st.lists(st.builds(Word, text=st.text(st.characters(codec="utf-8")), at=st.integers(-9, 9)), max_size=6)


@given(first=words, then=words)
def test_lines_are_read_in_the_order_in_which_they_were_put_down(first, then):
    with TemporaryDirectory() as folder:
        path = Path(folder) / "words.jsonl"
        replace_lines(path, first)
        for word in then:
            add_line(path, word)
        assert read_lines(path, Word) == [*first, *then]
        assert len(path.read_bytes().splitlines()) == len(first) + len(then)
        assert [*path.parent.iterdir()] == [path]


@given(before=words, half=st.integers(1, 20), after=words)
def test_a_line_that_a_killed_writer_left_half_is_lost_and_no_other(before, half, after):
    with TemporaryDirectory() as folder:
        path = Path(folder) / "words.jsonl"
        replace_lines(path, before)
        with path.open("ab") as file:
            file.write(b'{"text":"half a line"}'[:half])
        for word in after:
            add_line(path, word)
        assert read_lines(path, Word) == [*before, *after]


def test_a_file_that_is_not_there_has_no_lines_and_one_of_other_values_neither(tmp_path):
    assert read_lines(tmp_path / "words.jsonl", Word) == []
    assert lines_of(b'{"text": 3}\n[]\n\n\xff\n', Word) == []


def test_a_file_that_has_its_content_already_is_not_touched(tmp_path):
    path = tmp_path / "a.txt"
    write_if_new(path, b"one")
    before = path.stat()
    write_if_new(path, b"one")
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == (before.st_mtime_ns, before.st_ino)
    write_if_new(path, b"two")
    assert path.read_bytes() == b"two"
    assert [*tmp_path.iterdir()] == [path]
