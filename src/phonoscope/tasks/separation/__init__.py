"""Separation: whose voice is whose, by ear and by face."""
