"""The open slot of speech features: an encoder that quantises, of another package, at a rate of its own."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from phonoscope.core.time import Span
from phonoscope.job import params_from, prepare
from phonoscope.models import registry
from phonoscope.store.folder import Store
from phonoscope.testing.puppet import film, one_head

QUANTISER = '''
from fractions import Fraction
import numpy as np
from phonoscope.models.cards import Card

class Quantiser:
    """Each 10 ms of sound as one of four codes, by how loud it is: 100 rows a second."""
    backend_kind = "speech_encoder"
    card = Card("vq", "1", (), "", "CC0", "", "", "")
    layers, width, hop, centre, longest, scaled = 1, 4, 160, Fraction(80), None, False

    def rows(self, samples):
        return max(1, samples // self.hop)

    def __call__(self, audio):
        audio = np.pad(audio, (0, max(0, self.hop - len(audio))))
        loud = np.abs(audio[: self.rows(len(audio)) * self.hop]).reshape(-1, self.hop).max(1)
        return np.eye(4, dtype=np.float32)[np.digitize(loud, [0.001, 0.01, 0.1])][None]
'''


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed package that offers it as `vq`."""
    (tmp_path / "quantiser.py").write_text(QUANTISER)
    (tmp_path / "quantiser-1.dist-info").mkdir()
    (tmp_path / "quantiser-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: quantiser\nVersion: 1\n")
    entry = "[phonoscope.backends]\nvq = quantiser:Quantiser\n"
    (tmp_path / "quantiser-1.dist-info" / "entry_points.txt").write_text(entry)
    monkeypatch.syspath_prepend(str(tmp_path))


@pytest.mark.usefixtures("package")
def test_a_quantising_encoder_of_another_package_is_heard_in_step_with_the_film(tmp_path):
    assert "vq" in registry.names("speech_encoder")
    path = film(tmp_path / "talk.mp4", one_head(1.2))
    (done,) = prepare([path], tmp_path / "films", ["speech"], params_from({"speech": {"model": "vq"}})).carry_out()
    assert done.failure is None and "speech" in done.made
    stored = Store(tmp_path / "films")[done.recording]
    codes, sound = stored.load("speech"), stored.audio()
    assert (codes.rate, codes.start) == (100, Fraction(80, 16000)) and codes.values.shape[1:] == (1, 4)
    loud = np.abs(sound[: len(codes) * 160]).reshape(-1, 160).max(1)
    np.testing.assert_array_equal(codes.values[:, 0].argmax(1), np.digitize(loud, [0.001, 0.01, 0.1]))
    assert codes.on(Span(5, 15), Fraction(25), rows=4).shape == (40, 1, 4)
    assert stored.receipts["speech"].card.startswith("vq@1") or "vq" in stored.receipts["speech"].card
