"""Bytes to arrays and back, on one clock."""
