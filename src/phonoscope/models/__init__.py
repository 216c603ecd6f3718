"""Networks that others have trained, behind protocols of one method; `load` gives one by name."""

from phonoscope.models.registry import load as load
