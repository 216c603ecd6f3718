"""Models by name: ours, those of other packages, and which is chosen."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from phonoscope.core.errors import MissingWeights, UsageError
from phonoscope.job import backend, identity
from phonoscope.models import registry, weights
from phonoscope.models.backends import lr_asd
from phonoscope.models.backends.lr_asd import LR_ASD, entries
from phonoscope.models.cards import Card, card_of_file


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed package that offers two models, of which one is broken."""
    (tmp_path / "theirs.py").write_text(
        "from phonoscope.models.cards import Card\n"
        "class Ear:\n"
        "    backend_kind = 'voice_detector'\n"
        "    card = Card('ear', '1', (), '', '', '', '', '')\n"
        "    def __call__(self, audio): return audio\n"
    )
    (tmp_path / "theirs-1.dist-info").mkdir()
    (tmp_path / "theirs-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1\n")
    (tmp_path / "theirs-1.dist-info" / "entry_points.txt").write_text(
        "[phonoscope.backends]\near = theirs:Ear\nbroken = theirs:Nose\nyunet = theirs:Ear\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))


def test_every_model_of_ours_has_a_card_and_a_kind() -> None:
    for name in registry.OURS:
        card = registry.card_of(name)
        assert card.name == name
        assert card.licence
        assert bool(card.sha256) == bool(card.sources) or card.sources == ("file:",)  # of weights that you give
        assert sum(name in registry.names(kind) for kind in registry.PREFERRED) == 1


@pytest.mark.parametrize("kind", registry.PREFERRED)
def test_preferred_models_are_of_their_kind(kind: str) -> None:
    assert set(registry.PREFERRED[kind]) <= set(registry.names(kind))


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="no model 'yunnet'; did you mean 'yunet'"):
        registry.load("yunnet")
    with pytest.raises(UsageError, match="there are yunet, blazeface"):
        registry.card_of("qqq")


@pytest.mark.usefixtures("plugin")
def test_models_of_other_packages_are_found_by_name_but_do_not_replace_ours() -> None:
    assert "ear" in registry.names()
    assert type(registry.load("ear")).__name__ == "Ear"
    assert registry.choose("voice_detector", "ear") == "ear"
    assert registry.card_of("yunet").sha256


@pytest.mark.usefixtures("plugin")
def test_a_model_that_does_not_load_says_whose_it_is() -> None:
    with pytest.raises(UsageError, match=r"'broken' \(theirs:Nose\) does not load"):
        registry.load("broken")


def test_weights_that_are_not_the_cards_are_refused(tmp_path: Path) -> None:
    (tmp_path / "other.onnx").write_bytes(b"other")
    with pytest.raises(UsageError, match=f"has sha256 {hashlib.sha256(b'other').hexdigest()}"):
        registry.load("yunet", weights=tmp_path / "other.onnx")


@pytest.mark.usefixtures("bare")
def test_a_named_model_is_chosen_even_where_its_weights_are_not_at_hand() -> None:
    assert registry.choose("face_detector", "blazeface") == "blazeface"


def test_a_model_of_another_kind_is_refused() -> None:
    with pytest.raises(UsageError, match="'silero' is a voice_detector; as a face_detector there are yunet, blazeface"):
        registry.choose("face_detector", "silero")
    with pytest.raises(UsageError, match="no soothsayer comes along; a package may bring one"):
        registry.choose("soothsayer")


@pytest.fixture
def two_detectors(bare: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Card, Card]:
    """Cards in the place of the two detectors', with weights that nobody publishes."""
    from phonoscope.models.backends.blazeface import BlazeFace
    from phonoscope.models.backends.yunet import YuNet

    first = Card("yunet", "1", (), "1" * 64, "MIT", "", "", "")
    second = Card(
        "blazeface", "1", (), "486ea46224d1bb4fb680f34f7c9ad96a8f24ec88be73ea8e5a6c65260e9cb8a7", "", "", "", ""
    )
    monkeypatch.setattr(YuNet, "card", first)
    monkeypatch.setattr(BlazeFace, "card", second)
    return first, second


def test_auto_falls_back_to_the_next_whose_weights_can_be_had_and_says_why(
    two_detectors: tuple[Card, Card], bare: Path
) -> None:
    path = weights.cached(two_detectors[1])
    path.parent.mkdir(parents=True)
    path.write_bytes(b"world")
    said: list[str] = []
    assert registry.choose("face_detector", "auto", say=said.append) == "blazeface"
    (line,) = said
    assert line.startswith("using blazeface as face_detector: no weights for 'yunet'")


@pytest.mark.usefixtures("two_detectors")
def test_auto_fails_in_one_line_that_names_every_candidate() -> None:
    with pytest.raises(MissingWeights) as caught:
        registry.choose("face_detector")
    message = str(caught.value)
    assert "\n" not in message
    assert "'yunet'" in message
    assert "'blazeface'" in message


def test_a_model_without_weights_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.PREFERRED, "speaking_scorer", ("motion",))
    assert registry.choose("speaking_scorer", say=pytest.fail) == "motion"
    assert registry.load("motion").card.name == "motion"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A file of weights of LR-ASD as training leaves it, with a card of its own."""
    about = {"network": "lr-asd", "version": "sw1", "policy": "aligned", "licence": "CC BY 4.0"}
    tensors = {name: np.zeros(shape, np.float32) for name, shape in entries().items()}
    save_file(tensors, path := tmp_path / "own.safetensors", {"phonoscope": json.dumps(about)})
    return path


def test_a_model_s_weights_go_by_their_name_or_their_file(own: Path) -> None:
    assert registry.card_of("lr-asd") == registry.card_of("lr-asd:talkset") != registry.card_of("lr-asd:ava")
    card = registry.card_of(f"lr-asd:{own}")
    assert (card.name, card.version, card.licence) == ("lr-asd", "sw1", "CC BY 4.0")
    assert card.sha256 == hashlib.sha256(own.read_bytes()).hexdigest()
    assert registry.load(f"lr-asd:{own}").card == registry.load("lr-asd", weights=own).card == card


def test_published_weights_that_are_given_as_a_file_are_read_from_it(
    own: Path, bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = replace(LR_ASD.cards["ava"], sha256=hashlib.sha256(own.read_bytes()).hexdigest())
    monkeypatch.setattr(lr_asd, "LR_ASD", replace(LR_ASD, cards={**LR_ASD.cards, "ava": card}))
    assert registry.load(f"lr-asd:{own}").card == registry.load("lr-asd", weights=own).card == card
    with pytest.raises(MissingWeights):
        registry.load("lr-asd:ava")


def test_a_file_that_has_changed_is_loaded_anew_as_its_key_is_another(own: Path) -> None:
    named = f"lr-asd:{own}"
    first, key = backend(named), identity(named)
    assert backend(named) is first
    tensors = {name: np.ones(shape, np.float32) for name, shape in entries().items()}
    save_file(tensors, own, {"phonoscope": '{"network": "lr-asd", "version": "sw2"}'})
    os.utime(own, ns=(1, 1))
    assert identity(named) != key
    assert backend(named).card.version == "sw2"


def test_a_file_tells_neither_its_name_nor_its_hash_and_only_text(tmp_path: Path) -> None:
    def card(**about: object) -> Card:
        path = tmp_path / "w.safetensors"
        save_file({"a": np.ones(1, np.float32)}, path, {"phonoscope": json.dumps(about)})
        return card_of_file(path, LR_ASD.card)

    told = card(name="mine", sha256="0", sources=["x"], size=1, version="2", trained_on={"hours": 3})
    assert (told.name, told.version) == ("lr-asd", "2")
    assert told.sha256 == hashlib.sha256((tmp_path / "w.safetensors").read_bytes()).hexdigest()
    with pytest.raises(UsageError, match="its version is 3, where text belongs"):
        card(version=3)


def test_the_crop_that_a_file_wants_is_told_wherever_its_path_begins(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(own.parent))
    assert registry.policy_of(f"lr-asd:~/{own.name}") == "aligned"
    save_file({"a": np.ones(1, np.float32)}, own, {"phonoscope": '{"policy": "sideways"}'})
    with pytest.raises(UsageError, match="wants the crop policy 'sideways'; there are asd"):
        registry.policy_of(f"lr-asd:{own}")


def test_a_file_says_whose_weights_it_holds_and_which_crop_they_want(own: Path, tmp_path: Path) -> None:
    assert registry.spec("speaking_scorer", "auto", str(own)) == f"lr-asd:{own}"
    assert registry.policy_of(f"lr-asd:{own}") == "aligned"
    assert registry.policy_of("lr-asd:ava") == registry.policy_of("motion") == "asd"
    assert registry.spec("speaking_scorer", "auto", "ava") == "lr-asd:ava"
    run = tmp_path / "run"
    run.mkdir()
    shutil.copy(own, run / registry.RUN_WEIGHTS)
    assert registry.spec("speaking_scorer", "auto", str(run)) == f"lr-asd:{run / registry.RUN_WEIGHTS}"
    assert registry.spec("speaking_scorer", "light-asd", "") == "light-asd"


@pytest.mark.parametrize(
    ("model", "which", "said"),
    [
        ("lr-asd", "avva", "no weights 'avva'; of 'lr-asd' there are talkset, ava, or give a file"),
        ("motion", "ava", "no weights 'ava'; of 'motion' there are none"),
        ("auto", "runs/gone.safetensors", "there is no file of weights 'runs/gone.safetensors'"),
        ("auto", "nonsense", "no weights 'nonsense' of lr-asd, tiny, motion; name the model, or give a file or a run"),
        ("talknet", "", "--asd.weights FILE"),
    ],
)
def test_weights_that_there_are_none_of_are_answered_before_any_film_is_touched(model, which, said) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        registry.choose("speaking_scorer", registry.spec("speaking_scorer", model, which))


def test_asking_for_names_and_cards_imports_no_runtime_and_fetches_nothing(bare: Path) -> None:
    look = (
        "import sys; from phonoscope.models import registry, weights\n"
        "for name in registry.names(): weights.where(registry.card_of(name))\n"
        "print([m for m in ('onnxruntime', 'ai_edge_litert', 'cv2', 'torch', 'av') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert not (bare / "home").exists()
