"""How far windows hear what one pass hears, and what it costs: a network of your own, or a tiny random one.

SPEECH_MODEL names the network: a folder, or org/name on a hub. SPEECH_SOUND names a sound file of 16 kHz, mono.
"""

import os
import resource
import tempfile
from fractions import Fraction
from pathlib import Path
from unittest.mock import patch

import numpy as np

from bench.table import Row, Table, at_least, spread
from phonoscope.core.series import Series
from phonoscope.flow.streams import PartFolder
from phonoscope.models.protocols import SpeechEncoder
from phonoscope.models.registry import load
from phonoscope.steps import speech
from phonoscope.store.codecs import read_audio, read_folder
from phonoscope.testing.tiny_speech import babble, tiny_model

WHOLE_S = 60  # of what can be heard both ways


def measure() -> list[Table]:
    """Cosine of each row of each layer between one pass over a minute and two windows over the same."""
    with tempfile.TemporaryDirectory() as folder:
        model = os.environ.get("SPEECH_MODEL") or str(tiny_model(Path(folder) / "tiny"))
        encoder, sound = load(model), os.environ.get("SPEECH_SOUND")
        heard = read_audio(Path(sound)) if sound else Series(babble(WHOLE_S), Fraction(speech.SAMPLE_RATE))
        heard = Series(heard.values[: WHOLE_S * speech.SAMPLE_RATE], heard.rate)
        began = resource.getrusage(resource.RUSAGE_SELF).ru_utime
        whole = _states(heard, encoder, Path(folder) / "whole")
        cost = (resource.getrusage(resource.RUSAGE_SELF).ru_utime - began) / (len(heard) / speech.SAMPLE_RATE / 60)
        with patch.object(speech, "WHOLE", 0):
            pieces = _states(heard, encoder, Path(folder) / "pieces")
    cosine = (whole * pieces).sum(-1) / np.linalg.norm(whole, axis=-1) / np.linalg.norm(pieces, axis=-1)
    rows = [
        at_least("median cosine of windows with one pass, worst layer", float(np.median(cosine, 0).min()), 0.99),
        Row("median (least–greatest) of the last layer", spread(cosine[:, -1])),
        Row("least of all rows and layers", f"{cosine.min():.4f}"),
        Row("CPU a minute of sound, one pass", f"{cost:.3g} s"),
    ]
    notes = (f"{encoder.card.identity}, {encoder.layers} layers of {encoder.width}; {sound or 'swelling noise'}.",)
    return [Table("Speech in windows", rows, notes)]


def _states(audio: Series, encoder: SpeechEncoder, folder: Path) -> np.ndarray:
    folder.mkdir()
    series = read_folder(speech.speech(audio, encoder, speech.SpeechParams(), PartFolder(folder)))
    return np.array(series.values, np.float64)
