"""Packing: a store's clips as other people's programs read them; a layout is one file with one function."""

from phonoscope.data.pack.annotheia import AnnotheiaParams
from phonoscope.data.pack.annotheia_clips import AnnotheiaClipsParams
from phonoscope.data.pack.ava_csv import AvaCsvParams
from phonoscope.data.pack.job import LAYOUTS, Packing, pack
from phonoscope.data.pack.layout import Layout, Packed
from phonoscope.data.pack.overlay import OverlayParams
from phonoscope.data.pack.rttm import RttmParams
from phonoscope.data.pack.talking_face import TalkingFaceParams

__all__ = [
    "LAYOUTS",
    "AnnotheiaClipsParams",
    "AnnotheiaParams",
    "AvaCsvParams",
    "Layout",
    "OverlayParams",
    "Packed",
    "Packing",
    "RttmParams",
    "TalkingFaceParams",
    "pack",
]
