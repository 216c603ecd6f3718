from hypothesis import given
from hypothesis import strategies as st

from phonoscope.store.merge import merge, part_of
from phonoscope.store.receipts import Receipt

ARTIFACTS = {
    "tracks": ("tracks.parquet",),
    "mfcc": ("mfcc.npy", "mfcc.json"),
    "crop_video": ("crops/0.mp4", "crops/1.mp4"),
    "crops": ("crops.parquet",),
    "landmarks": ("landmarks/0.npy", "landmarks/frames.parquet"),
}


def side(made: dict[str, int]):
    """A recording whose artifacts were each made by the recipe of a number."""
    files = {file: (f"{number}{file}", number) for name, number in made.items() for file in ARTIFACTS[name]}
    return files, {name: Receipt(key=str(number), step=name, version=1) for name, number in made.items()}


SIDES = st.dictionaries(st.sampled_from(sorted(ARTIFACTS)), st.integers(0, 3)).map(side)


@given(SIDES, SIDES)
def test_what_only_one_machine_has_changed_is_as_it_left_it(base, changed):
    assert merge(base, changed, base) == changed == merge(base, base, changed)


@given(SIDES, SIDES, SIDES)
def test_every_artifact_is_wholly_as_one_machine_left_it(base, ours, theirs):
    files, receipts = merge(base, ours, theirs)
    for name, its in ARTIFACTS.items():
        came = theirs if theirs[1].get(name) != base[1].get(name) else ours
        assert receipts.get(name) == came[1].get(name)
        assert {file: files.get(file) for file in its} == {file: came[0].get(file) for file in its}


def test_the_same_bytes_under_another_recipe_are_another_artifact():
    base, ours, theirs = side({"tracks": 1}), side({"tracks": 2}), side({"tracks": 1})
    theirs[1]["tracks"] = Receipt(key="3", step="tracks", version=1)  # made otherwise, and it came to the same
    assert merge(base, ours, theirs) == theirs


def test_files_belong_to_the_artifact_that_their_place_names():
    assert [part_of(it) for it in ("crops.parquet", "crops/0.mp4", "crops/", "mfcc.json", "units/asd/0-9/x.npy")] == [
        "crops", "crop_video", "crop_video", "mfcc", "units/asd/0-9",
    ]  # fmt: skip
