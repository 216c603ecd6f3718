"""What is said in a sound and when, from and into the files of aligners and of corpora."""

from phonoscope.corpora.alignments.reading import FORMATS, read_alignment, read_alignments
from phonoscope.corpora.alignments.writing import WRITERS, write_alignment

__all__ = ["FORMATS", "WRITERS", "read_alignment", "read_alignments", "write_alignment"]
