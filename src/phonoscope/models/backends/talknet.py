"""TalkNet: the network that later ones are measured against, run without PyTorch, with weights that you give."""

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import ClassVar

import numpy as np

from phonoscope.core.errors import MissingWeights
from phonoscope.models.backends.talknet_entries import entries
from phonoscope.models.backends.talknet_graphs import REACH, judge, see
from phonoscope.models.cards import Card
from phonoscope.models.speaking import Network, SpeakingNetwork, WindowScorer
from phonoscope.models.state_dicts import read_state_dict, strict

GIVE = "its authors' files lie on Google Drive only (links in the README of TaoRuijie/TalkNet-ASD)"


class TalkNet:
    """Scores faces by what is seen and heard of up to six seconds around.

    Pictures are looked at once. All else runs window by window, as the encoder of sound, the levels and the attention
    of this network depend on the whole of what they are shown.
    """

    backend_kind: ClassVar[str] = "speaking_scorer"
    cards: ClassVar[Mapping[str, Card]] = {}
    card: Card = Card(
        name="talknet",
        version="own",
        sources=("file:",),
        sha256="",
        licence="MIT",
        cite='Tao, Pan, Das, Qian, Shou, Li: "Is Someone Speaking? Exploring Long-term Temporal Features for '
        'Audio-visual Active Speaker Detection", ACM Multimedia 2021',
        input="middle 112 px of the asd crop, grey; MFCC by the recipe psf, four rows a frame, of sound at 16 kHz; 25 "
        "frames a second, others by windows of MFCC as long as frames",
        rate="one score a video frame",
        notes=f"give its weights as --asd.weights FILE: {GIVE}; they report mAP .923 on AVA's validation part",
    )
    policy: str = "asd"
    size: int = 112

    def __init__(self, weights: Path, *, card: Card | None = None, threads: int = 1) -> None:
        """Load any weights of this network, the authors' or AnnoTheia's or yours.

        Raises:
            MissingWeights: no file is given.
            UsageError: it holds weights of another network, or no weights at all.
        """
        if not weights.is_file():
            raise MissingWeights(f"talknet's weights must be given, as --asd.weights FILE: {GIVE}")
        state = read_state_dict(weights)
        tensors = state.tensors
        strict(tensors, entries(), "talknet")
        self.card = card or self.card
        self.policy = str(state.about.get("policy", self.policy))  # weights tuned on other crops want those
        parts = Network(see(tensors, threads), framewise, judge(tensors, threads), REACH)
        self._network = SpeakingNetwork(parts, self.card, self.policy)
        self._scorer = self.at()
        self.context, self.period = self._scorer.context, self._scorer.period

    def __call__(self, faces: np.ndarray, audio: np.ndarray) -> np.ndarray:
        """As `at()` does: log-odds (T,) float32 from faces (T, 112, 112) uint8 and audio (N,) float32 at 16 kHz."""
        return self._scorer(faces, audio)

    def logits(self, mfcc: np.ndarray, faces: np.ndarray) -> np.ndarray:
        """What the network says of a whole track, (T, 2) float32: not speaking, speaking.

        Args:
            mfcc: (4T, 13), by the recipe psf.
            faces: (T, 112, 112), 0 to 255.

        Raises:
            ValueError: they are not of the same frames.
        """
        return self._network.logits(mfcc, faces)

    def at(self, fps: Fraction = Fraction(25), windows: str = "shared") -> WindowScorer:
        """The same for film of so many frames a second, scored in windows "shared", "exact" or "track".

        Raises:
            UsageError: it was not trained for that rate, or there are no such windows.
        """
        return self._network.at(fps, windows)


def framewise(rows: np.ndarray) -> np.ndarray:
    """MFCC (B, 4T, 13) as they are, frame by frame, (B, T, 52): only what a window holds can be made sense of."""
    return np.ascontiguousarray(rows, np.float32).reshape(len(rows), -1, 4 * rows.shape[2])
