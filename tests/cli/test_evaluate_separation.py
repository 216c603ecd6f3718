"""`phonoscope evaluate separation` on the command line."""

import json
import sys

import numpy as np
import pytest
import soundfile

from phonoscope.cli.main import main
from phonoscope.metrics.separation import bss_eval, sdr_improvement, si_sdr, si_sdr_improvement, stoi

RATE = 16000


def write(path, sound, rate=RATE):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, sound, rate, "FLOAT" if path.suffix == ".wav" else None)


def read(path):
    return soundfile.read(path)[0]


@pytest.fixture
def folders(tmp_path):
    """Two mixtures of two voices each; of `b`, the estimates stand in the wrong order."""
    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        swell = 1 + np.sin(np.arange(12000) / np.array([[900], [1300]]))
        true = 0.1 * swell * rng.normal(size=(2, 12000))
        said = true + 0.1 * true[::-1] + 0.01 * rng.normal(size=true.shape)
        write(tmp_path / "mixed" / f"{name}.wav", true.sum(0))
        for number in (1, 2):
            write(tmp_path / "true" / f"{name}_s{number}.wav", true[number - 1])
            place = number if name == "a" else 3 - number
            write(tmp_path / "mine" / f"s{place}" / f"{name}.wav", said[number - 1])
    return tmp_path


def told(capsys, folder, *more, code=0):
    where = ["--references", str(folder / "true"), "--estimates", str(folder / "mine")]
    assert main(["evaluate", "separation", *where, *map(str, more)]) == code
    return capsys.readouterr()


def test_figures_are_those_of_the_metrics_and_files_go_by_number(folders, capsys):
    found = json.loads(told(capsys, folders, "--mixtures", folders / "mixed", "--json").out)
    true = np.array([read(folders / "true" / f"b_s{number}.wav") for number in (1, 2)])
    said = np.array([read(folders / "mine" / f"s{number}" / "b.wav") for number in (1, 2)])
    mixed = read(folders / "mixed" / "b.wav")
    ratios = bss_eval(said, true, permute=False)
    expected = {
        "si_sdr_db": si_sdr(said, true),
        "si_sdr_improvement_db": si_sdr_improvement(said, true, mixed),
        "sdr_db": ratios.sdr,
        "sdr_improvement_db": sdr_improvement(said, true, mixed),
        "sir_db": ratios.sir,
        "sar_db": ratios.sar,
        "stoi": [stoi(*pair, RATE) for pair in zip(said, true, strict=True)],
    }
    rows = [row for row in found["sources"] if row["mixture"] == "b"]
    assert [row["source"] for row in rows] == [1, 2]
    for name, values in expected.items():
        assert [row["figures"][name] for row in rows] == pytest.approx(list(values)), name
        everyone = [row["figures"][name] for row in found["sources"]]
        assert found["summary"][name]["mean"] == pytest.approx(np.mean(everyone)), name
        assert found["summary"][name]["sources"] == 4
    assert (found["order"], found["mixtures"], found["left_out"]) == ("given", 2, [])


def test_permuted_the_estimates_find_their_references(folders, capsys):
    found = json.loads(told(capsys, folders, "--permute", "--json").out)
    taken = {(row["mixture"], row["source"]): row["estimate"] for row in found["sources"]}
    assert taken == {("a", 1): "s1/a.wav", ("a", 2): "s2/a.wav", ("b", 1): "s2/b.wav", ("b", 2): "s1/b.wav"}
    assert min(row["figures"]["si_sdr_db"] for row in found["sources"]) > 15
    assert "si_sdr_improvement_db" not in found["summary"]


def test_people_get_a_table_with_the_rule(folders, capsys):
    lines = told(capsys, folders, "--permute").out.splitlines()
    assert lines[0] == "4 sources of 2 mixtures; estimates taken by the best mean SI-SDR of each mixture"
    assert [line.split(",")[0].split()[0] for line in lines[3:]] == ["SI-SDR", "SDR", "SIR", "SAR", "STOI"]
    assert told(capsys, folders).out.startswith("4 sources of 2 mixtures; estimates taken by their numbers")


def silent(sound):
    return np.zeros_like(sound)


def broken(sound):
    return np.where(np.arange(len(sound)) == 5, np.nan, sound)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (silent, "a: mine/s2/a.wav is silent, so no ratio is defined"),
        (broken, "a: mine/s2/a.wav holds samples that are NaN or infinite"),
        (lambda sound: sound[:-801], "a: mine/s2/a.wav is 0.050 s shorter than true/a_s1.wav; 0.05 s are allowed"),
        (lambda sound: np.stack([sound, sound], 1), "a: mine/s2/a.wav has 2 channels, expected one"),
    ],
)
def test_what_cannot_be_measured_is_left_out_and_named(folders, capsys, change, said):
    path = folders / "mine" / "s2" / "a.wav"
    write(path, change(read(path)))
    lines = told(capsys, folders, code=1).out.splitlines()
    assert lines[0].startswith("2 sources of 1 mixture") and lines[-1] == f"left out: {said}"
    found = json.loads(told(capsys, folders, "--json", code=1).out)
    assert [it["mixture"] for it in found["left_out"]] == ["a"]


def test_other_rates_and_files_that_are_no_sound_are_left_out_and_named(folders, capsys):
    write(folders / "mine" / "s1" / "a.wav", read(folders / "mine" / "s1" / "a.wav"), 8000)
    (folders / "mine" / "s1" / "b.wav").write_text("no sound")
    out = told(capsys, folders, code=1).out
    assert "left out: a: mine/s1/a.wav has 8000 Hz, true/a_s1.wav 16000 Hz; resample one of them" in out
    assert "left out: b: mine/s1/b.wav cannot be read: " in out
    assert out.startswith("0 sources of 0 mixtures")


def test_a_little_more_or_less_is_cut_off(folders, capsys):
    path = folders / "mine" / "s2" / "a.wav"
    write(path, read(path)[:-800])
    found = json.loads(told(capsys, folders, "--json").out)
    assert found["mixtures"] == 2


def test_what_has_no_counterpart_is_listed(folders, capsys):
    (folders / "mine" / "s2" / "a.wav").unlink()
    write(folders / "mine" / "s1" / "c.wav", np.ones(100))
    write(folders / "true" / "d.wav", np.ones(100))
    (folders / "mixed" / "b.wav").rename(folders / "mixed" / "e.wav")
    out = told(capsys, folders, code=1).out
    assert "left out: a: references s1, s2, but estimates s1\n" in out
    assert "left out: c: no reference\n" in out and "left out: d: no estimate\n" in out
    error = told(capsys, folders, "--mixtures", folders / "mixed", code=2).err
    assert "nothing of" in error and error.count("\n") == 1


def test_of_a_mixtures_only_source_nothing_interferes_and_flac_is_read(tmp_path, capsys):
    rng = np.random.default_rng(0)
    voice = 0.1 * rng.normal(size=8000)
    write(tmp_path / "true" / "a.wav", voice)
    write(tmp_path / "mine" / "a.flac", voice + 0.01 * rng.normal(size=8000))
    found = json.loads(told(capsys, tmp_path, "--json").out)
    assert found["sources"][0]["figures"]["sir_db"] is None
    assert found["summary"]["si_sdr_db"]["mean"] == pytest.approx(20, abs=0.5)


def test_one_source_in_two_files_is_refused(folders, capsys):
    write(folders / "mine" / "a_s2.wav", np.ones(100))
    error = told(capsys, folders, code=2).err
    assert "are both source 2 of a; keep one of them" in error and error.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "--references is wanting: phonoscope evaluate separation"),
        (["--references", "{tmp}/true"], "--estimates is wanting"),
        (["--references", "{tmp}/true", "--estimates", "{tmp}/no"], "is no folder: expected NAME_s1.wav"),
        (["--references", "{tmp}/true", "--estimates", "{tmp}"], "holds no sound"),
        (["--references", "{tmp}/true", "--estimates", "{tmp}/mine", "--mixtures", "{tmp}"], "expected a mixture"),
    ],
)
def test_what_makes_no_sense_is_answered_in_one_line_and_exit_code_2(folders, capsys, arguments, said):
    assert main(["evaluate", "separation", *[it.format(tmp=folders) for it in arguments]]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1


def test_pesq_without_its_package_is_one_line(folders, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "pesq", None)
    error = told(capsys, folders, "--pesq", code=2).err
    assert "pip install 'phonoscope[pesq]'" in error and error.count("\n") == 1


def test_pesq_is_told_if_asked_for(folders, capsys):
    pytest.importorskip("pesq", reason="pesq is not installed: pip install 'phonoscope[pesq]'")
    found = json.loads(told(capsys, folders, "--pesq", "--permute", "--json").out)
    assert all(1 <= row["figures"]["pesq"] <= 4.65 for row in found["sources"])
