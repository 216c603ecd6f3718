"""TalkNet: the network that later ones are measured against, run without PyTorch, with weights that you give.

Pictures are looked at once. All else runs window by window, as the encoder of sound, the levels and the attention of
this network depend on the whole of what they are shown.
"""

import numpy as np

from phonoscope.models.backends.talknet_entries import entries
from phonoscope.models.backends.talknet_graphs import REACH, judge, see
from phonoscope.models.cards import Card
from phonoscope.models.speaking import SpeakingModel


def framewise(rows: np.ndarray) -> np.ndarray:
    """MFCC (B, 4T, 13) as they are, frame by frame, (B, T, 52): only what a window holds can be made sense of."""
    return np.ascontiguousarray(rows, np.float32).reshape(len(rows), -1, 4 * rows.shape[2])


TALKNET = SpeakingModel(
    card=Card(
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
        notes="give its weights as --asd.weights FILE: its authors' files lie on Google Drive only (links in the "
        "README of TaoRuijie/TalkNet-ASD); they report mAP .923 on AVA's validation part",
    ),
    entries=entries,
    see=see,
    hear=lambda tensors, threads: framewise,
    judge=judge,
    reach=REACH,
)
