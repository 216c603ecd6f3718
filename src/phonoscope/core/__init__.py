"""Nouns and arithmetic: numpy only, no files."""
