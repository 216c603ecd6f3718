"""Puppets: drawn talking heads with exact truth, for tests and demonstrations."""

from phonoscope.testing.puppet.encode import film
from phonoscope.testing.puppet.looks import Look, look
from phonoscope.testing.puppet.scene import Head, Scene, Seat, Shot, View
from phonoscope.testing.puppet.scenes import (
    cuts_and_fades,
    demo,
    empty_room,
    off_screen_voice,
    one_head,
    three_heads_small,
    two_heads_taking_turns,
    wrong_dub,
)
from phonoscope.testing.puppet.sound import voice
from phonoscope.testing.puppet.speech import Speech, Utterance, utter
from phonoscope.testing.puppet.truth import HeadTruth, Truth

__all__ = [
    "Head", "HeadTruth", "Look", "Scene", "Seat", "Shot", "Speech", "Truth", "Utterance", "View",
    "cuts_and_fades", "demo", "empty_room", "film", "look", "off_screen_voice", "one_head",
    "three_heads_small", "two_heads_taking_turns", "utter", "voice", "wrong_dub",
]  # fmt: skip
