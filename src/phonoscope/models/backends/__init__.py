"""Backends: one file a model."""
