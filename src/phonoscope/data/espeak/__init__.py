"""Speech with exact truth, by espeak-ng where it is installed: a text in, its sound, phones and words out."""

from phonoscope.data.espeak.pairs import Pair, speak_all, texts_of
from phonoscope.data.espeak.speaking import SAMPLE_RATE, SpeakParams, Voices, speak, voices

__all__ = ["SAMPLE_RATE", "Pair", "SpeakParams", "Voices", "speak", "speak_all", "texts_of", "voices"]
