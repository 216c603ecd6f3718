from pathlib import Path

import pytest

from phonoscope.core.errors import UsageError
from phonoscope.corpora.wanted import Piece, youtube
from phonoscope.data.fetch.lists import films_of


def test_rows_of_a_catalogue_are_pieces_of_one_film_by_their_numbers(tmp_path: Path) -> None:
    rows = ["AbCdEfGhIjK,1.0,5.5,0.5,0.4", "AbCdEfGhIjK,10,14,0.5,0.4", "LmNoPqRsTuV,0,3,0.1,0.2"]
    (tmp_path / "avspeech_train.csv").write_text("\n".join(rows) + "\n")
    (film,) = films_of("avspeech", [tmp_path / "avspeech_train.csv"], first=0, last=2)
    assert film.url == youtube("AbCdEfGhIjK")
    assert [(it.name, it.start_s) for it in film.pieces] == [("0", 1.0), ("1", 10.0)]
    (other,) = films_of("avspeech", [tmp_path / "avspeech_train.csv"], first=2)
    assert [it.name for it in other.pieces] == ["2"] and isinstance(other.pieces[0], Piece)


def test_of_other_lists_films_are_counted(tmp_path: Path) -> None:
    (tmp_path / "urls.txt").write_text("".join(f"https://a.example/{n}.mp4\n" for n in range(5)))
    found = films_of("list", [tmp_path / "urls.txt"], first=1, last=3)
    assert [it.name for it in found] == ["1", "2"]


@pytest.mark.parametrize(("first", "last"), [(-1, None), (0, -2)])
def test_rows_are_counted_from_the_front(tmp_path: Path, first: int, last: int | None) -> None:
    with pytest.raises(UsageError, match=r"--(first|last) must be 0 or more, got -"):
        films_of("avspeech", [tmp_path / "avspeech_train.csv"], first=first, last=last)
