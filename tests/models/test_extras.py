"""What an extra installs, and what is said where it has not been installed."""

import sys

import pytest

from phonoscope.core.errors import UsageError
from phonoscope.models.backends.dlib68 import Dlib68
from phonoscope.models.backends.dlib128 import Dlib128
from phonoscope.models.extras import need


def test_what_is_installed_is_not_asked_for_and_not_imported(monkeypatch):
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    need("a test", "json", "colorsys", extra="none")
    assert "colorsys" not in sys.modules


def test_all_that_is_missing_is_named_in_one_line_as_pip_calls_it():
    wanted = r"^a test needs no-such and nor-such: pip install 'phonoscope\[some\]'$"
    with pytest.raises(UsageError, match=wanted):
        need("a test", "no_such", "json", "nor_such", extra="some")


@pytest.mark.parametrize("backend", [Dlib68, Dlib128])
def test_without_dlib_one_line_names_the_command(backend, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "dlib", None)
    with pytest.raises(UsageError, match=rf"{backend.card.name} needs dlib: pip install 'phonoscope\[dlib\]'"):
        backend(tmp_path / "weights.dat")
