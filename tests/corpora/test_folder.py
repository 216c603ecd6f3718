"""Films are found wherever they are named, each once."""

import os
import sys
from pathlib import Path

import pytest

from phonoscope.core.errors import UsageError
from phonoscope.corpora.folder import sources
from phonoscope.store.uri import as_uri


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


def test_an_empty_folder_beside_a_film_is_passed_over_and_said(tmp_path, caplog):
    (tmp_path / "empty").mkdir()
    (tmp_path / "list.txt").write_text("empty\na.mp4\n")
    assert sources([str(tmp_path / "list.txt")]) == [str(tmp_path / "a.mp4")]
    assert "'empty' is a folder without files" in caplog.text


def test_lists_that_name_each_other_end(tmp_path, caplog):
    (tmp_path / "a.txt").write_text("b.txt\n1.mp4\n")
    (tmp_path / "b.txt").write_text("./a.txt\n2.mp4\nb.txt\n")
    assert sources([str(tmp_path / "a.txt")]) == [str(tmp_path / "2.mp4"), str(tmp_path / "1.mp4")]
    assert "'./a.txt' is a list that names itself" in caplog.text and "'b.txt' is a list" in caplog.text
    (tmp_path / "b.txt").write_text("b.txt\n")
    with pytest.raises(UsageError, match="names itself"):
        sources([str(tmp_path / "b.txt")])


def test_a_list_read_twice_is_no_circle(tmp_path, caplog):
    (tmp_path / "a.txt").write_text("1.mp4\n")
    assert sources([str(tmp_path / "a.txt")] * 2) == [str(tmp_path / "1.mp4")] and not caplog.text


@pytest.mark.skipif(sys.platform == "darwin", reason="there names are UTF-8, and the system says so")
def test_a_list_may_hold_names_of_any_bytes(tmp_path):
    film = tmp_path / os.fsdecode(b"caf\xe9.mp4")
    film.touch()
    (tmp_path / "latin.txt").write_bytes(b"# caf\xe9\ncaf\xe9.mp4\n")
    assert sources([str(tmp_path / "latin.txt")]) == [str(film)] == sources([str(tmp_path)])[:1]


def test_stores_among_the_films_are_passed_over(tmp_path):
    for file in ("a.mp4", "sub/s/store.json", "sub/s/recordings/x/audio.flac", "sub/b.mp4", "other/store.json"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    wanted = [str(tmp_path / name) for name in ("a.mp4", "other/store.json", "sub/b.mp4")]
    assert sources([str(tmp_path)]) == wanted
    with pytest.raises(UsageError, match="is a store: give a folder with films in it"):
        sources([str(tmp_path / "sub" / "s")])


def test_only_a_tilde_that_was_typed_is_the_home_folder(tmp_path, monkeypatch):
    (tmp_path / "here" / "~").mkdir(parents=True)
    for name in ("~film.mp4", "~/x.mp4"):
        (tmp_path / "here" / name).touch()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path / "here")
    assert sources(["."]) == ["~/x.mp4", "~film.mp4"] and as_uri("~/x.mp4") == Path("~/x.mp4").absolute().as_uri()
    assert sources(["~film.mp4", "~/y.mp4", "~nobody/z.mp4"]) == ["~film.mp4", f"{tmp_path}/y.mp4", "~nobody/z.mp4"]
