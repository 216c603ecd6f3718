"""Packing: a store's clips as other people's trainers read them; a layout is one file with one function."""

from phonoscope.data.pack.job import LAYOUTS, Packing, pack
from phonoscope.data.pack.layout import Layout, Packed
from phonoscope.data.pack.talking_face import TalkingFaceParams

__all__ = ["LAYOUTS", "Layout", "Packed", "Packing", "TalkingFaceParams", "pack"]
