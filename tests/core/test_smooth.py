"""The One-Euro filter: laws of smoothing, and the published algorithm restated."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from phonoscope.core.smooth import one_euro

values = arrays(np.float64, st.tuples(st.integers(1, 40), st.just(2)), elements=st.floats(-100, 100))
hertz = st.floats(0.1, 50)
betas = st.floats(0, 5)


def as_published(values: list[float], rate: float, min_hz: float, beta: float) -> list[float]:
    """The algorithm as the paper's appendix has it, number by number."""

    def alpha(cutoff: float) -> float:
        return 1.0 / (1.0 + (1.0 / (2 * np.pi * cutoff)) * rate)

    made, speed = [values[0]], 0.0
    for value in values[1:]:
        a = alpha(1.0)
        speed = a * (value - made[-1]) * rate + (1 - a) * speed
        a = alpha(min_hz + beta * abs(speed))
        made.append(a * value + (1 - a) * made[-1])
    return made


@given(values, hertz, betas)
def test_it_is_the_published_filter(signal, min_hz, beta):
    made = one_euro(signal, 25.0, min_hz, beta)
    for column in range(2):
        np.testing.assert_allclose(made[:, column], as_published(signal[:, column].tolist(), 25.0, min_hz, beta))


@given(values, hertz, betas)
def test_nothing_leaves_the_range_of_what_came_before(signal, min_hz, beta):
    made = one_euro(signal, 25.0, min_hz, beta)
    assert (made <= np.maximum.accumulate(signal) + 1e-9).all()
    assert (made >= np.minimum.accumulate(signal) - 1e-9).all()


@given(values, hertz, betas, st.integers(1, 40))
def test_the_past_does_not_depend_on_the_future(signal, min_hz, beta, cut):
    np.testing.assert_array_equal(
        one_euro(signal, 25.0, min_hz, beta)[:cut], one_euro(signal[:cut], 25.0, min_hz, beta)
    )


@given(values, values, hertz, betas)
def test_after_a_gap_it_starts_afresh(before, after, min_hz, beta):
    made = one_euro(np.concatenate([before, np.full((1, 2), np.nan), after]), 25.0, min_hz, beta)
    np.testing.assert_array_equal(made[: len(before)], one_euro(before, 25.0, min_hz, beta))
    assert np.isnan(made[len(before)]).all()
    np.testing.assert_array_equal(made[len(before) + 1 :], one_euro(after, 25.0, min_hz, beta))


def test_it_quietens_noise_and_a_higher_beta_follows_a_jump_sooner():
    rng = np.random.default_rng(0)
    still = rng.normal(0, 1, 500)
    assert one_euro(still, 25.0, 1.0).std() < 0.5 * still.std()
    jump = np.repeat([0.0, 100.0], 20)
    assert one_euro(jump, 25.0, 1.0, 0.1)[22] > one_euro(jump, 25.0, 1.0, 0.0)[22]


def test_type_and_shape_stay():
    made = one_euro(np.zeros((3, 68, 2), np.float32), 25.0, 1.0)
    assert (made.shape, made.dtype) == ((3, 68, 2), np.float32)
    assert one_euro(np.zeros((0, 2)), 25.0, 1.0).shape == (0, 2)


@pytest.mark.parametrize("settings", [(0.0, 1.0, 0.0), (25.0, 0.0, 0.0), (25.0, 1.0, -1.0)])
def test_settings_without_sense_are_refused(settings):
    with pytest.raises(ValueError, match="must be above 0"):
        one_euro(np.zeros(3), *settings)
