"""Tracks of visemes as files that other programs open, a format a file."""

from phonoscope.data.viseme_formats.formats import FORMATS, VisemeFormat, read_visemes

__all__ = ["FORMATS", "VisemeFormat", "read_visemes"]
