"""The page of a run: each figure on an axis that fits it."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonoscope.train.page import write_page

FINITE = st.floats(-1e6, 1e6).map(lambda value: round(value, 9))


def drawn(folder: Path, losses: list[float], lr: float = 1e-4) -> tuple[list[float], list[float]]:
    """The axis of the loss, from low to high, and the height of each dot in px, 0 at the top."""
    lines = [{"epoch": at + 1, "training": {"loss": loss}, "lr": lr} for at, loss in enumerate(losses)]
    write_page(folder / "report.html", "run", lines)
    panel = (folder / "report.html").read_text().split("</svg>")[0]
    axis = [float(it) for it in re.findall(r'text-anchor="end">([-+.e\d]+)</text>', panel)]
    return axis, [float(it) for it in re.findall(r'cy="([-.\d]+)"', panel)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("page")


@given(losses=st.lists(FINITE, min_size=1, max_size=5))
def test_every_value_is_drawn_within_its_axis(folder, losses):
    axis, dots = drawn(folder, losses)
    assert len(axis) == 3 and axis == sorted(axis) and len(dots) == len(losses)
    assert all(26 <= dot <= 200 - 22 for dot in dots)


@pytest.mark.parametrize("value", [1e-4, 0.5, 3.0, 1234.0, -0.02])
@pytest.mark.parametrize("epochs", [1, 4])
def test_what_stays_as_it_is_runs_through_the_middle_of_a_narrow_axis(folder, value, epochs):
    (low, middle, high), dots = drawn(folder, [value] * epochs)
    assert middle == pytest.approx(value, rel=1e-3) and (high - low) == pytest.approx(abs(value) / 5, rel=0.01)
    assert dots == [102.0] * epochs


def test_what_is_nothing_throughout_has_an_axis_too(folder):
    assert drawn(folder, [0.0, 0.0]) == ([-0.5, 0.0, 0.5], [102.0, 102.0])


def test_noise_in_the_last_digits_is_no_curve(folder):
    (low, _, high), dots = drawn(folder, [0.1, 0.1 + 1e-12])
    assert (low, high) == pytest.approx((0.09, 0.11)) and dots == [102.0, 102.0]
