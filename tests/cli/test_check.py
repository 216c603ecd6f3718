"""`check`, `annotations`, `prepare --corpus` and native clocks, as people and programs meet them."""

import json
import shutil
from fractions import Fraction
from pathlib import Path

import pytest

from phonoscope.cli.main import main
from phonoscope.store.folder import Store
from phonoscope.testing.film import flash_and_beep
from phonoscope.testing.puppet import film, one_head


@pytest.fixture(scope="module")
def vlogs(tmp_path_factory, puppets, silent_puppet) -> Path:
    """Clips of drawn people: one alone, two together, nobody, a silent one, and what is no film."""
    root = tmp_path_factory.mktemp("vlogs") / "videos sw"
    for folder in ("training/ana", "training/ben", "test/cy", "test/ana", "validation"):
        (root / folder).mkdir(parents=True)
    film(root / "training/ana/good.mp4", one_head(3.0))
    shutil.copy(puppets, root / "training/ben/two.mp4")
    shutil.copy(silent_puppet, root / "test/cy/silent.mp4")
    shutil.copy(root / "training/ana/good.mp4", root / "test/ana/copy.mp4")
    flash_and_beep(root / "test/cy/nobody.mp4")
    (root / "test/cy/broken.mp4").write_text("no film")
    return root


def told(arguments: list[str], capsys) -> tuple[int, list[dict]]:
    code = main(arguments)
    return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_check_tells_every_problem_in_a_line(vlogs, tmp_path, capsys):
    code, lines = told(["check", "vlogs", str(vlogs), "--to", str(tmp_path / "s"), "--json"], capsys)
    found = {(line["path"], line["kind"]) for line in lines[:-1]} - {("test/cy/nobody.mp4", "no-speech")}
    assert code == 1 and found == {
        ("ana", "in-two-sets"),
        ("test/ana/copy.mp4", "same-content"),
        ("test/cy/broken.mp4", "unreadable"),
        ("test/cy/nobody.mp4", "no-face"),
        ("test/cy/silent.mp4", "no-sound"),
        ("training/ben/two.mp4", "several-faces"),
        ("validation", "empty"),
    }
    assert lines[-1] == {"state": "over", "clips": 6, "problems": len(lines) - 1}
    main(["check", "vlogs", str(vlogs), "--to", str(tmp_path / "s")])
    said = capsys.readouterr().out.splitlines()
    assert "test/cy/silent.mp4: no-sound: the film is silent" in said
    assert said[-1] == f"6 clips, {len(lines) - 1} problems"


def test_prepare_goes_on_from_what_check_has_found(vlogs, tmp_path, capsys):
    store = tmp_path / "s"
    for name in ("test/cy/broken.mp4", "test/ana/copy.mp4"):
        (tmp_path / "v" / name).parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(vlogs / "training", tmp_path / "v/training")
    shutil.copy(vlogs / "training/ana/good.mp4", tmp_path / "v/test/cy/")
    main(["check", "vlogs", str(tmp_path / "v"), "--to", str(store)])
    capsys.readouterr()
    code, lines = told(["prepare", str(tmp_path / "v"), "--corpus", "vlogs", "--to", str(store), "--json"], capsys)
    assert code == 0 and all("tracks" in line["kept"] for line in lines[:-1])
    assert all(Store(store)[line["recording"]].listed for line in lines[:-1])


def test_good_clips_exit_with_0_and_leave_nothing_behind(vlogs, tmp_path, capsys, monkeypatch):
    (tmp_path / "v/training/ana").mkdir(parents=True)
    shutil.copy(vlogs / "training/ana/good.mp4", tmp_path / "v/training/ana")
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    assert main(["check", "vlogs", str(tmp_path / "v")]) == 0
    assert capsys.readouterr().out == "1 clip, 0 problems\n"
    assert [*(tmp_path / "temporary").iterdir()] == []


@pytest.mark.parametrize(
    ("folders", "code", "said"),
    [([], 2, "no clip in"), (["training/ana"], 1, "training/ana: empty: there is no clip"), (None, 2, "no folder")],
)
def test_a_tree_without_clips_is_said_plainly(tmp_path, capsys, folders, code, said):
    for folder in folders or ():
        (tmp_path / "v" / folder).mkdir(parents=True)
    if folders is not None:
        (tmp_path / "v").mkdir(exist_ok=True)
    assert main(["check", "vlogs", str(tmp_path / "v"), "--to", str(tmp_path / "s")]) == code
    out = capsys.readouterr()
    assert said in out.out + out.err and not (tmp_path / "s").exists()


def test_prepare_foretells_a_corpus_and_refuses_what_is_none(vlogs, tmp_path, capsys):
    arguments = ["prepare", str(vlogs), "--to", str(tmp_path / "s"), "--corpus", "vlogs"]
    assert main([*arguments, "--dry-run"]) == 0
    assert capsys.readouterr().out.count("would make recording") == 6 and not (tmp_path / "s").exists()
    assert main([*arguments[:-1], "vlog"]) == 2
    assert "no corpus 'vlog'; did you mean 'vlogs'?" in capsys.readouterr().err
    (tmp_path / "flat").mkdir()
    shutil.copy(vlogs / "training/ana/good.mp4", tmp_path / "flat")
    assert main(["prepare", str(tmp_path / "flat"), "--to", str(tmp_path / "s"), "--corpus", "vlogs"]) == 2
    assert "should lie as {set}/{speaker}/{clip}" in capsys.readouterr().err


def test_a_store_keeps_native_rates_if_asked(tmp_path, capsys):
    for rate in (24, 30):
        flash_and_beep(tmp_path / f"{rate}.mp4", fps=Fraction(rate))
    films = [str(tmp_path / "24.mp4"), str(tmp_path / "30.mp4")]
    assert main(["ingest", *films, "--to", str(tmp_path / "s"), "--clock.fps", "native"]) == 0
    assert {Store(tmp_path / "s")[id].recording.fps for id in Store(tmp_path / "s")} == {24, 30}
    capsys.readouterr()
    main(["status", str(tmp_path / "s"), "--json"])
    assert json.loads(capsys.readouterr().out)["fps"] == "native"
    assert main(["report", str(tmp_path / "s")]) == 0
    assert "each film's own" in (tmp_path / "s" / "report.html").read_text()


def test_annotations_take_labelled_films_in(puppets, tmp_path, capsys, caplog):
    (tmp_path / "films").mkdir()
    shutil.copy(puppets, tmp_path / "films/abc.mp4")
    shutil.copy(puppets, tmp_path / "films/other.mp4")
    rows = [f"abc,{k / 25:.2f},0.2,0.25,0.4,0.7,NOT_SPEAKING,abc:1" for k in range(10, 60)]
    (tmp_path / "t.csv").write_text("\n".join([*rows, "gone,1.00,0,0,1,1,NOT_SPEAKING,gone:1"]) + "\n")
    store = str(tmp_path / "s")
    arguments = ["annotations", str(tmp_path / "t.csv"), "--films", str(tmp_path / "films"), "--to", store]
    assert main([*arguments, "--split", "train", "--lists", str(tmp_path / "csv")]) == 0
    assert (tmp_path / "csv/train_loader.csv").read_text() == f"abc:1\t50\t25.0\t[{', '.join('0' * 50)}]\t0\n"
    assert (tmp_path / "csv/train_orig.csv").read_text().splitlines()[1].endswith(",abc:1,0,abc:1:0")
    assert "made    abc-" in (out := capsys.readouterr().out) and "tracks, labels" in out
    assert "passed over: gone" in caplog.text and "does not know, passed over: other" in caplog.text
    assert main(["run", "asd", store, "--no-report", "--asd.model", "motion"]) == 0
    assert ": asd in" in capsys.readouterr().out
    stored = Store(store)["abc"]
    assert len(stored.load("asd").track) == len(stored.load("labels").track) == 50
    for what in ("tracks", "labels", "asd"):
        assert main(["show", f"{store}/abc", what]) == 0
    assert "1 different: abc:1" in capsys.readouterr().out
    assert main(["select", store]) == 0
    assert main([*arguments, "--max-gap-s", "-1"]) == 2
    assert "--max-gap-s is 0 or more" in capsys.readouterr().err


@pytest.mark.real
def test_real_clips_of_one_speaker_pass_and_others_do_not(shared_data, tmp_path, capsys):
    clips = {
        "training/may/may.mp4": "a_talking_head/may_5s.mp4",
        "training/vox/vox.mp4": "a_talking_head/voxceleb2_00002.mp4",
        "training/grid/grid.mpg": "a_talking_head/grid_bbaf2n.mpg",
        "test/smile/smile.mp4": "a3_face_not_speaking/pyfeat_single_face.mp4",
    }
    for place, name in clips.items():
        (tmp_path / "v" / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "v" / place).symlink_to(shared_data / name)
    code, lines = told(["check", "vlogs", str(tmp_path / "v"), "--json"], capsys)
    assert code == 1
    assert [(line["path"], line["kind"]) for line in lines[:-1]] == [("test/smile/smile.mp4", "no-speech")]
