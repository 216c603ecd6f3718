"""Plans: what is needed comes first, keys follow recipes."""

from dataclasses import replace
from fractions import Fraction

import pytest

from phonoscope.core.errors import UsageError
from phonoscope.core.media import Recording
from phonoscope.flow.ingest import GIVEN
from phonoscope.flow.plan import keys_of, plan
from phonoscope.job import DEFAULT, STEPS, Params, work_on
from phonoscope.models.rates import within_reach
from phonoscope.models.registry import PREFERRED
from phonoscope.store.folder import StoreSettings

GIVEN_KEYS = {"recording": "r", "clock": "c", "audio": "a"}


def keys(params=None, names=DEFAULT, given=GIVEN_KEYS, card="card"):
    params = params or Params()
    by_step = {name: getattr(params, name) for name in STEPS if hasattr(params, name)}
    return keys_of(plan(names, STEPS, frozenset(GIVEN)), by_step, lambda step: card if step.backends else "", given)


def changed(before, after):
    return {name for name in before if before[name] != after[name]}


def test_each_step_comes_after_what_it_needs():
    order = [step.name for step in plan(["asd", "crop_video"], STEPS, frozenset(GIVEN))]
    assert order.index("shots") < order.index("tracks") < order.index("asd")
    assert order.index("crops") < order.index("crop_video")
    assert len(order) == len(set(order))


def test_changing_one_setting_remakes_only_what_follows_it():
    before = keys()
    longer = replace(Params(), tracks=replace(Params().tracks, min_len=25))
    assert changed(before, keys(longer)) == {"tracks", "crops", "asd", "thumbs"}
    other = replace(Params(), mfcc=replace(Params().mfcc, recipe="librosa"))
    assert changed(before, keys(other)) == {"mfcc"}


def test_another_model_or_another_film_changes_what_they_made():
    assert changed(keys(), keys(card="other")) == {"faces", "tracks", "crops", "vad", "asd", "thumbs"}
    assert "mfcc" not in changed(keys(), keys(given={**GIVEN_KEYS, "clock": "other"}))
    assert changed(keys(), keys(given=dict.fromkeys(GIVEN_KEYS, "other"))) == set(keys())


def test_a_model_is_known_by_its_card_whatever_name_it_was_asked_for_by():
    called = [replace(Params(), faces=replace(Params().faces, model=name)) for name in ("here/model", "/there/model")]
    assert keys(called[0]) == keys(called[1])
    assert "faces" in changed(keys(called[0], card=""), keys(called[1], card=""))  # where nothing else tells them apart


def test_an_unknown_artifact_is_answered_with_the_nearest():
    with pytest.raises(UsageError, match="nothing makes 'trakcs'; did you mean 'tracks'"):
        plan(["trakcs"], STEPS, frozenset(GIVEN))


def test_steps_that_need_each_other_are_named():
    round_about = {
        "a": replace(STEPS["crops"], name="a", inputs=("b",)),
        "b": replace(STEPS["crops"], name="b", inputs=("a",)),
    }
    with pytest.raises(UsageError, match="a -> b -> a"):
        plan(["a"], round_about, frozenset())


def test_an_input_that_the_settings_do_without_is_neither_planned_nor_part_of_the_key():
    aligned = {"asd": replace(Params().asd, policy="aligned")}
    assert "landmarks" not in [step.name for step in plan(["asd"], STEPS, frozenset(GIVEN))]
    assert "landmarks" in [step.name for step in plan(["asd"], STEPS, frozenset(GIVEN), aligned)]
    assert keys(names=["landmarks", "asd"])["asd"] == keys(names=["asd"])["asd"]


@pytest.mark.parametrize(("fps", "model"), [(25, "auto"), (20, "auto"), (50, "motion"), (10, "motion")])
def test_film_of_a_rate_that_no_network_has_learnt_from_is_scored_without_one(fps, model):
    assert within_reach(Params(), Fraction(fps)).asd.model == model
    asked = replace(Params(), asd=replace(Params().asd, model="light-asd"))
    assert within_reach(asked, Fraction(fps)) == asked


@pytest.mark.parametrize(("fps", "model"), [(25, "lr-asd"), (20, "lr-asd"), (50, "motion"), (10, "motion")])
def test_where_each_film_keeps_its_rate_the_scorer_is_chosen_film_by_film(tmp_path, fps, model):
    def pick(kind: str, name: str) -> str:
        return PREFERRED[kind][0] if name == "auto" else name

    film = Recording(
        id="x", source="file:///x", sha256="0", fps=Fraction(fps), num_frames=9, width=8, height=8, sample_rate=0,
        num_samples=0, av_start=Fraction(0),
    )  # fmt: skip
    work, chosen = work_on(tmp_path, ["asd"], Params(), StoreSettings(fps=None), pick)
    assert (work.on(film).params["asd"].model, chosen["asd"]) == (model, "lr-asd")
    asked = replace(Params(), asd=replace(Params().asd, model="light-asd"))
    work, _ = work_on(tmp_path, ["asd"], asked, StoreSettings(fps=None), pick)
    assert work.on(film).params["asd"].model == "light-asd"
