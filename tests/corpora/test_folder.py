"""Films are found wherever they are named, each once."""

import pytest

from phonoscope.core.errors import UsageError
from phonoscope.corpora.folder import sources


def test_a_folder_means_every_file_below_it_but_hidden_ones(tmp_path):
    for name in ("b.mp4", "sub/a.mkv", ".DS_Store", ".git/x", "sub/notes"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert sources([str(tmp_path)]) == [str(tmp_path / n) for n in ("b.mp4", "sub/a.mkv", "sub/notes")]


def test_a_list_is_read_relative_to_itself(tmp_path):
    (tmp_path / "films").mkdir()
    (tmp_path / "films" / "a.mp4").touch()
    (tmp_path / "list.txt").write_text("# mine\n\nfilms/a.mp4\nhttps://example.org/b.mp4\n")
    assert sources([str(tmp_path / "list.txt")]) == [str(tmp_path / "films/a.mp4"), "https://example.org/b.mp4"]


def test_a_film_named_twice_is_taken_once(tmp_path):
    assert sources(["a.mp4", "a.mp4", "-dash.mp4"]) == ["a.mp4", "-dash.mp4"]


def test_no_film_and_an_empty_folder_are_said_plainly(tmp_path):
    with pytest.raises(UsageError, match="no film given"):
        sources([])
    with pytest.raises(UsageError, match="without files"):
        sources([str(tmp_path)])
