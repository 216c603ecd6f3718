"""TalkNet without PyTorch, beside what test_asd_networks.py holds it to: its authors' numbers, and giving weights."""

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from phonoscope.core.errors import UsageError
from phonoscope.models import registry
from phonoscope.models.backends.talknet import TALKNET
from phonoscope.models.backends.talknet_entries import entries
from phonoscope.models.speaking import SpeakingNetwork
from phonoscope.testing.formulas import formula_inputs, formula_weights

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "asd_networks.json").read_text())["formula"]
UNUSED = "model.visualFrontend.resnet.layer1.downsample.weight"


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "formula.safetensors"
    save_file(formula_weights(entries()), path)
    return path


@pytest.fixture(scope="module")
def talknet(file: Path) -> SpeakingNetwork:
    return TALKNET(file)


@pytest.mark.parametrize("case", ["talknet_T8", "talknet_T25"])
def test_weights_by_formula_give_the_logits_of_its_authors_code(talknet: SpeakingNetwork, case: str) -> None:
    golden = GOLDEN[case]
    said = talknet.logits(*formula_inputs(golden["frames"]))
    assert said.dtype == np.float32
    np.testing.assert_allclose(said.T, golden["av"], atol=1e-4, rtol=0)


def test_there_are_as_many_entries_as_published_and_the_unused_one_is_among_them() -> None:
    assert len(entries()) == 487
    assert entries()[UNUSED] == (64, 64, 1, 1)


def test_weights_without_the_unused_entry_are_refused(tmp_path: Path) -> None:
    weights = {name: array for name, array in formula_weights(entries()).items() if name != UNUSED}
    save_file(weights, tmp_path / "less.safetensors")
    with pytest.raises(UsageError, match=f"talknet cannot take these weights: missing: {UNUSED}"):
        TALKNET(tmp_path / "less.safetensors")


@pytest.mark.parametrize("windows", ["shared", "exact", "track"])
@pytest.mark.parametrize("frames", [0, 1, 27])
def test_there_is_a_finite_score_for_every_frame(talknet: SpeakingNetwork, windows: str, frames: int) -> None:
    faces = formula_inputs(frames)[1].astype(np.uint8)
    audio = np.random.default_rng(2).standard_normal(frames * 640).astype(np.float32)
    said = talknet.at(Fraction(25), windows)(faces, audio)
    assert (said.shape, said.dtype) == ((frames,), np.float32)
    assert np.isfinite(said).all()


def test_shared_windows_differ_from_exact_ones_by_little_more_than_the_edges(talknet: SpeakingNetwork) -> None:
    faces = formula_inputs(40)[1].astype(np.uint8)
    audio = np.random.default_rng(3).standard_normal(40 * 640).astype(np.float32)
    exact, shared = (talknet.at(Fraction(25), windows)(faces, audio) for windows in ("exact", "shared"))
    assert 0 < np.abs(exact - shared).max() < 0.5


def test_without_weights_it_says_where_they_are_and_how_to_give_them() -> None:
    with pytest.raises(UsageError, match=r"--asd.weights FILE: .* Google Drive"):
        registry.load("talknet")


def test_its_weights_are_loaded_by_name_and_file(file: Path) -> None:
    scorer = registry.load("talknet", weights=file)
    assert scorer.card.name == "talknet"
    assert scorer.card.sha256
    assert registry.load(f"talknet:{file}").card == scorer.card
