"""Packing: a store's clips as other people's programs read them; a layout is one file with one function."""

from phonoscope.data.pack.annotheia import AnnotheiaParams
from phonoscope.data.pack.annotheia_clips import AnnotheiaClipsParams
from phonoscope.data.pack.ava_csv import AvaCsvParams
from phonoscope.data.pack.avspeech_embeddings import AvspeechEmbeddingsParams
from phonoscope.data.pack.avspeech_faces import AvspeechFacesParams
from phonoscope.data.pack.job import LAYOUTS, Packing, pack
from phonoscope.data.pack.layout import Layout, Packed
from phonoscope.data.pack.members import ClipsParams
from phonoscope.data.pack.overlay import OverlayParams
from phonoscope.data.pack.rttm import RttmParams
from phonoscope.data.pack.shard_job import ShardPacking
from phonoscope.data.pack.shards import ShardParams
from phonoscope.data.pack.talking_face import TalkingFaceParams

__all__ = [
    "LAYOUTS",
    "AnnotheiaClipsParams",
    "AnnotheiaParams",
    "AvaCsvParams",
    "AvspeechEmbeddingsParams",
    "AvspeechFacesParams",
    "ClipsParams",
    "Layout",
    "OverlayParams",
    "Packed",
    "Packing",
    "RttmParams",
    "ShardPacking",
    "ShardParams",
    "TalkingFaceParams",
    "pack",
]
