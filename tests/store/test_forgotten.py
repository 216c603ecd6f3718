"""What is to be forgotten goes whole, and stays away."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from phonoscope.cli.main import main
from phonoscope.core.errors import UsageError
from phonoscope.core.media import Rights
from phonoscope.job import prepare
from phonoscope.media.encode import write_film
from phonoscope.store.folder import Store
from phonoscope.store.forgotten import FILE, forget, forgotten, meant
from phonoscope.store.ledger import Failure, add_failure, known_sources, read_failures


@pytest.fixture
def films(tmp_path: Path) -> list[Path]:
    made = [tmp_path / f"{name}.mp4" for name in ("ana", "bo")]
    for number, path in enumerate(made):
        write_film(path, (np.full((32, 48, 3), 3 * k, np.uint8) for k in range(25 + number)), Fraction(25))
    return made


@pytest.fixture
def store(films: list[Path], tmp_path: Path) -> Store:
    for path in films:
        rights = Rights(origin=f"https://a.example/{path.stem}")
        assert all(not it.failure for it in prepare([path], tmp_path / "store", (), rights=rights).carry_out())
    return Store(tmp_path / "store")


def test_a_recording_goes_with_all_that_was_made_of_it(store: Store, films: list[Path]) -> None:
    ana, bo = store
    (store.root / "report.html").write_text("faces")
    source = store[ana].recording.source
    add_failure(store.root, Failure(source=source, recording=ana, step="faces", reason="crashed", message="m"))
    stone = forget(store, ana, "consent withdrawn")
    assert [*store] == [bo] and [it.id for it in known_sources(store).values()] == [bo]
    assert not read_failures(store.root) and not (store.root / "report.html").exists()
    assert forgotten(store.root) == [stone] and (stone.source, stone.why) == (source, "consent withdrawn")
    assert films[0].exists()  # the film is whoever's it was


def test_it_is_not_taken_in_again_until_its_line_goes(store: Store, films: list[Path]) -> None:
    ana, _ = store
    forget(store, ana)
    copy = films[0].with_name("other.mp4")
    copy.write_bytes(films[0].read_bytes())  # by another name it is the same film
    told = [*prepare([*films, copy], store.root, ()).carry_out()]
    assert not any(it.failure for it in told) and len(store) == 1
    assert ["recording" in it.skipped for it in told] == [True, False, True]  # left alone, which is no failure
    with pytest.raises(UsageError, match="forgotten already"):
        meant(store, ana)
    (store.root / FILE).write_text("")
    assert all(not it.failure for it in prepare(films, store.root, ()).carry_out()) and len(store) == 2


def test_a_recording_is_meant_by_id_path_or_origin(store: Store, films: list[Path]) -> None:
    ana, _ = store
    assert meant(store, ana) == meant(store, str(films[0])) == meant(store, "https://a.example/ana") == [ana]
    with pytest.raises(UsageError, match=r"nothing in .* comes from 'zoe'"):
        meant(store, "zoe")


def test_who_was_killed_in_the_middle_goes_on(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    ana, _ = store

    def killed(*_: object, **__: object) -> None:
        (store.root / "recordings" / ana / "recording.json").unlink()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("phonoscope.store.folder.shutil.rmtree", killed)
        forget(store, ana)
    assert meant(store, ana) == [ana]
    forget(store, ana)
    assert not (store.root / "recordings" / ana).exists() and len(forgotten(store.root)) == 1


def test_what_cannot_be_removed_is_not_called_forgotten(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    ana, _ = store

    def refused(path: Path, ignore_errors: bool = False) -> None:
        if not ignore_errors:
            raise PermissionError(13, "Permission denied", str(path))

    with monkeypatch.context() as patch:
        patch.setattr("phonoscope.store.folder.shutil.rmtree", refused)
        assert main(["forget", str(store.root), "--source", ana]) == 1
    assert main(["forget", str(store.root), "--source", ana]) == 0 and len(store) == 1


def test_the_command_says_what_it_would_do_and_what_was_done(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    ana, _ = store
    assert main(["forget", str(store.root)]) == 0 and "nothing was forgotten in" in capsys.readouterr().out
    assert main(["forget", str(store.root), "--source", ana, "--dry-run"]) == 0
    assert capsys.readouterr().out == f"{ana} would be forgotten\n" and len(store) == 2
    assert main(["forget", str(store.root), "--source", ana, "--why", "asked"]) == 0
    assert main(["forget", str(store.root)]) == 0
    assert f"{ana} is forgotten" in (told := capsys.readouterr().out) and "(asked)" in told
