"""Hidden states of HuBERT, Wav2Vec2, WavLM and Whisper's encoder, through transformers, from a folder of theirs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from math import prod
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from phonoscope.core.errors import UsageError
from phonoscope.models.cards import Card
from phonoscope.models.pretrained import kind_in

SAMPLE_RATE = 16000  # Hz
CLASSES = {"hubert": "HubertModel", "wav2vec2": "Wav2Vec2Model", "wavlm": "WavLMModel", "whisper": "WhisperModel"}


class HiddenStates:
    """All layers of a network that has learnt from sound.

    HuBERT, Wav2Vec2 and WavLM hear samples through a chain of convolutions: a row sees 400 of them, the next begins
    320 later. Whisper hears mel bands of windows centred on every 160th sample, and keeps every other of them.
    """

    backend_kind: ClassVar[str] = "speech_encoder"

    def __init__(self, folder: Path, card: Card, threads: int = 1, device: str = "cpu") -> None:
        """Load what lies in `folder`.

        Raises:
            UsageError: its weights cannot be read or are not those of its config, it hears sound at another rate, or
                there is no such device.
        """
        import torch

        torch.set_num_threads(threads)  # of the process: sums depend on it in their last bits
        kind = kind_in(folder)
        with _quiet():
            extractor, network = _scaling(folder), _network(folder, kind)
        self.card, self._device = card, device
        self.longest: int | None = None
        if kind == "whisper":
            network = network.encoder
            self.hop, self.centre, self._field, self.scaled = 2 * extractor.hop_length, Fraction(0), 1, False
            self.longest = self.hop * network.config.max_source_positions
            self._heard: Callable[[np.ndarray], Any] = lambda audio: _mel(extractor, audio)
        else:
            kernels, strides = network.config.conv_kernel, network.config.conv_stride
            self._field = 1 + sum((kernel - 1) * prod(strides[:at]) for at, kernel in enumerate(kernels))
            self.hop, self.centre, self.scaled = prod(strides), Fraction(self._field, 2), bool(extractor.do_normalize)
            self._heard = lambda audio: torch.from_numpy(audio)[None]
        self.layers, self.width = 1 + network.config.num_hidden_layers, network.config.hidden_size
        try:
            self._network = network.eval().to(device)
        except (RuntimeError, AssertionError) as error:
            reason = str(error).splitlines()[0]
            raise UsageError(f"PHONOSCOPE_DEVICE is '{device}', which is not to be had here: {reason}") from None

    def rows(self, samples: int) -> int:
        """How many rows there are for so many samples, one at least: ⌊(N-400)/320⌋+1, and ⌈N/320⌉ of Whisper."""
        return max(0, samples - self._field) // self.hop + 1

    def __call__(self, audio: np.ndarray) -> np.ndarray:
        """All hidden states, (layers, rows(N), width) float32, of audio (N,) float32 at 16 kHz.

        First what enters the first layer of the transformer, then what leaves each. What leaves the last has been
        through the final normalisation, if the network has one: `last_hidden_state`.

        Raises:
            ValueError: that is no such audio, or more of it than `longest`.
        """
        import torch

        if audio.ndim != 1 or audio.dtype != np.float32:
            raise ValueError(f"expected audio (N,) float32, got {audio.shape} {audio.dtype}")
        if self.longest is not None and len(audio) > self.longest:
            raise ValueError(f"{self.card.name} takes {self.longest} samples at once, got {len(audio)}")
        heard = self._heard(np.pad(audio, (0, max(0, self._field - len(audio))))).to(self._device)
        with torch.inference_mode(), torch.backends.cudnn.flags(deterministic=True, allow_tf32=False):
            made = self._network(heard, output_hidden_states=True)
        # transformers 5 leaves the final normalisation out of hidden_states[-1] where 4 had it
        states = (*made.hidden_states[:-1], made.last_hidden_state)
        rows = self.rows(len(audio))
        return np.stack([state[0, :rows].float().cpu().numpy() for state in states])


def _mel(extractor: Any, audio: np.ndarray) -> Any:
    """Whisper's mel bands, (1, bands, frames); zeros fill the sound up to 30 s."""
    return extractor(audio, sampling_rate=SAMPLE_RATE, return_tensors="pt").input_features


def _scaling(folder: Path) -> Any:
    """How sound is made ready for the network."""
    from transformers import AutoFeatureExtractor

    with _readable(folder):
        extractor = AutoFeatureExtractor.from_pretrained(folder, local_files_only=True)
    if extractor.sampling_rate != SAMPLE_RATE:
        rate = extractor.sampling_rate
        raise UsageError(f"the model in '{folder}' hears {rate} samples a second, only {SAMPLE_RATE} can be given")
    return extractor


def _network(folder: Path, kind: str) -> Any:
    """The network, in single precision whatever its weights are kept in."""
    import torch
    import transformers

    with _readable(folder):
        config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True)
        if hasattr(config, "add_adapter"):
            config.add_adapter = False  # what some networks have after the last layer, at another rate
        network, report = getattr(transformers, CLASSES[kind]).from_pretrained(
            folder, config=config, dtype=torch.float32, local_files_only=True, output_loading_info=True
        )
    # a mask for training is not run, nor is Whisper's decoder
    missing = [key for key in report["missing_keys"] if "masked_spec_embed" not in key and "decoder" not in key]
    if missing or report["mismatched_keys"]:
        lacking = sorted(missing) or sorted(str(key[0]) for key in report["mismatched_keys"])
        raise UsageError(f"the weights in '{folder}' are not those of its config: '{lacking[0]}' is missing or differs")
    return network


@contextmanager
def _readable(folder: Path) -> Iterator[None]:
    from pickle import UnpicklingError

    from safetensors import SafetensorError

    try:
        yield
    except (OSError, ValueError, RuntimeError, KeyError, EOFError, SafetensorError, UnpicklingError) as error:
        reason = " ".join(str(error).split())[:200]
        raise UsageError(f"the model in '{folder}' does not load: {type(error).__name__}: {reason}") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """transformers would speak of every weight that it has no use for."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
