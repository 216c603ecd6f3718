"""Tables of AVA-ActiveSpeaker: who speaks, a row a face and frame, in every layout that the field reads or writes."""

from phonoscope.corpora.ava.loader import LoaderClip, rates_of, read_loader, write_loader
from phonoscope.corpora.ava.reading import read_ava
from phonoscope.corpora.ava.rows import (
    LABELS,
    NOT_SPEAKING,
    SPEAKING_AUDIBLE,
    SPEAKING_NOT_AUDIBLE,
    TICKS,
    AvaRows,
    join,
)
from phonoscope.corpora.ava.writing import write_ava

__all__ = [
    "LABELS",
    "NOT_SPEAKING",
    "SPEAKING_AUDIBLE",
    "SPEAKING_NOT_AUDIBLE",
    "TICKS",
    "AvaRows",
    "LoaderClip",
    "join",
    "rates_of",
    "read_ava",
    "read_loader",
    "write_ava",
    "write_loader",
]
