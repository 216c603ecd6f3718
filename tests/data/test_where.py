"""Queries mean what Python would mean, row by row; what was never measured stays unknown."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonoscope.core.errors import UsageError
from phonoscope.data.where import conditions

ROWS = 6
COLUMNS = {
    "blur": np.array([10.0, 20.0, 30.0, np.nan]),
    "voice": np.ma.masked_array([0.1, 0.9, 0.5, 0.5], mask=[0, 0, 0, 1]),
    "licence": np.array(["CC BY 4.0", "CC0", "", "all rights reserved"]),
}

few = st.integers(-3, 3)  # few enough that equal numbers meet
numbers = st.recursive(
    st.sampled_from(["a", "b", "c"]) | few.map(str),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*"), inner).map(lambda it: f"({' '.join(it)})"),
        inner.map(lambda it: f"abs({it})"),
        st.tuples(st.sampled_from(["min", "max"]), inner, inner).map(lambda it: f"{it[0]}({it[1]}, {it[2]})"),
        inner.map(lambda it: f"-{it}"),
    ),
    max_leaves=4,
)
links = st.sampled_from(["<", "<=", "==", "!=", ">=", ">"])
comparisons = st.one_of(
    st.tuples(numbers, links, numbers).map(" ".join),
    st.tuples(numbers, links, numbers, links, numbers).map(" ".join),
    st.tuples(numbers, st.sampled_from(["in", "not in"]), st.lists(few, max_size=3)).map(
        lambda it: f"{it[0]} {it[1]} {it[2]}"
    ),
)
queries = st.recursive(
    comparisons,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda it: f"({' '.join(it)})"),
        inner.map(lambda it: f"not ({it})"),
    ),
    max_leaves=5,
)
tables = st.fixed_dictionaries({name: st.lists(few, min_size=ROWS, max_size=ROWS) for name in "abc"})
gaps = st.fixed_dictionaries({name: st.lists(st.booleans(), min_size=ROWS, max_size=ROWS) for name in "abc"})


def judged(query, columns):
    """Which rows fulfil all of a query, and of which that is known."""
    parts = [condition.judge(columns) for condition in conditions(query)]
    return np.logical_and.reduce([holds for holds, _ in parts]), np.logical_and.reduce([known for _, known in parts])


@given(query=queries, table=tables)
def test_a_query_means_what_python_means_by_it(query, table):
    holds, known = judged(query, {name: np.array(values, np.float32) for name, values in table.items()})
    for row in range(ROWS):
        names = {name: values[row] for name, values in table.items()}
        assert holds[row] == bool(eval(query, {"abs": abs, "min": min, "max": max}, names))
    assert known.all()


@given(query=queries, table=tables, gaps=gaps, others=tables)
def test_what_is_known_in_spite_of_gaps_is_so_whatever_was_not_measured(query, table, gaps, others):
    gappy = {name: np.ma.masked_array(np.array(table[name], float), mask=gaps[name]) for name in table}
    filled = {name: np.where(gaps[name], others[name], table[name]).astype(float) for name in table}
    for condition in conditions(query):
        holds, known = condition.judge(gappy)
        np.testing.assert_array_equal(holds[known], condition.judge(filled)[0][known])
        assert not holds[~known].any()


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("blur > 15", [1, 2]),
        ("blur != 20", [0, 2]),
        ("not blur > 15", [0, 3]),
        ("blur * 0 == 0", [0, 1, 2]),
        ("blur / 0 > 1e9", [0, 1, 2]),
        ("max(blur, 0) >= 0", [0, 1, 2]),
        ("15 < blur <= 30", [1, 2]),
        ("voice > 0.4", [1, 2]),
        ("not voice > 0.4", [0]),
        ("voice > 0.4 or licence == 'all rights reserved'", [1, 2, 3]),
        ("'CC' in licence", [0, 1]),
        ("licence in ('CC0', '')", [1, 2]),
        ("licence not in ['CC0', '']", [0, 3]),
        ("licence", None),
        ("licence > 'CC'", [0, 1, 3]),
        ("1 < 2", [0, 1, 2, 3]),
        ("blur > 15  # sharp\n  and voice > 0.6", [1]),
    ],
)
def test_which_rows_fulfil_a_query(query, rows):
    if rows is None:
        with pytest.raises(UsageError, match="'licence' is text, not a condition"):
            judged(query, COLUMNS)
    else:
        assert np.flatnonzero(judged(query, COLUMNS)[0]).tolist() == rows


def test_what_was_never_measured_is_neither_true_nor_false():
    (condition,) = conditions("voice > 0.4")
    holds, known = condition.judge(COLUMNS)
    assert known.tolist() == [True, True, True, False] and not holds[3]


def test_a_query_falls_into_the_parts_that_its_outermost_and_joins():
    parts = conditions("blur > 15 and (voice > 0.4 and not licence == '') and (blur < 1 or voice < 1)")
    assert [it.text for it in parts] == ["blur > 15", "voice > 0.4", "not licence == ''", "blur < 1 or voice < 1"]
    assert [it.names for it in parts] == [("blur",), ("voice",), ("licence",), ("blur", "voice")]
    assert conditions("abs(max(blur, voice)) > blur")[0].names == ("blur", "voice")
    assert conditions("  ") == ()


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("blurr > 3", "no column 'blurr'; did you mean 'blur'?"),
        ("zzz > 3", "no column 'zzz'; there are blur, voice, licence"),
        ("mix(blur, 3) > 3", "no function 'mix'; did you mean 'min'?"),
        ("blur", "'blur' is a number, not a condition: compare it"),
        ("blur > '3'", "compares a number with text"),
        ("licence > 3", "compares text with a number"),
        ("abs(licence) > 3", "'licence' is text where a number is wanted"),
        ("not blur", "'blur' is a number where a condition is wanted"),
        ("(blur > 3) & (voice > 1)", "write 'and' instead"),
        ("blur > 3 | voice > 1", "write 'or' instead"),
        ("blur is 3", "write '==' instead"),
        ("blur = 3", "Maybe you meant '=='"),
        ("blur > 3 && voice > 1", "cannot be read (invalid syntax)"),
        ("blur > 3) or (voice > 1", "cannot be read"),
        ("blur > 3, voice > 1", "cannot be asked"),
        ("blur ** 9 > 3", "cannot be asked"),
        ("min(blur) > 3", "min() takes two or more numbers, not 1"),
        ("abs() > 3", "abs() takes one number, not 0"),
        ("blur > True", "'True' cannot be asked"),
        ("blur > None", "'None' cannot be asked"),
        ("blur in voice", "'voice' is a number where a text is wanted"),
        ("'\x00' in licence", "cannot be read"),
        ("1" * 400 + " > blur > 1" + "0" * 400, None),
        ("+".join(["blur"] * 5000) + " > 1", "more than 100 levels deep"),
        ("(" * 5000 + "blur" + ")" * 5000 + " > 1", "the query"),
    ],
)
def test_what_cannot_be_asked_is_answered_in_one_line(query, said):
    if said is None:
        judged(query, COLUMNS)
        return
    with pytest.raises(UsageError) as error:
        judged(query, COLUMNS)
    assert said in str(error.value) and "\n" not in str(error.value) and len(str(error.value)) < 300


@pytest.mark.parametrize(
    "query",
    [
        "__import__('os').system('true') == 0", "open('x') > 1", "().__class__ > 1", "[x for x in blur]", "blur[0] > 1",
        "(lambda: 1)() > 0", "(blur := 3) > 1", "f'{blur}' == ''", "abs(x=1) > 0", "min(*blur) > 0", "{1: 2} == 1",
        "blur if blur else blur", "b'x' == licence", "3j > blur", "... > blur", "await blur", "-'x' > 1", "~blur > 1",
    ],
)  # fmt: skip
def test_a_query_is_never_run_as_python(query):
    with pytest.raises(UsageError):
        judged(query, COLUMNS)


@given(st.text(max_size=40))
def test_any_text_is_a_query_or_is_refused(text):
    try:
        judged(f"blur > 1 and {text}", COLUMNS)
    except UsageError as error:
        assert "\n" not in str(error)


def test_no_rows_are_judged_like_any():
    empty = {"blur": np.zeros(0), "licence": np.zeros(0, str)}
    for query in ("blur > 1", "'x' in licence", "licence in ('a',)", "min(blur, 2) < 3 or 1 < 2"):
        holds, known = judged(query, empty)
        assert len(holds) == len(known) == 0
