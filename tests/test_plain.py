"""Plain data: what gets through, and what is named and refused."""

import numpy as np
import pytest

from cnncourse.running.plain import MAX_DEPTH, NotPlainError, copy, plain, same


@pytest.mark.parametrize("value", [None, True, 3, 0.5, "text", [1, [2.0]], (1, None), {"a": [1]}])
def test_plain_data_stays_as_it_is(value):
    assert plain(value) == value
    assert type(plain(value)) is type(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.float32(0.5), 0.5),
        (np.int64(3), 3),
        (np.bool_(True), True),
        (np.array(2.5), 2.5),
        ([np.int8(1)], [1]),
    ],
)
def test_numpy_scalars_become_plain_numbers(value, expected):
    assert plain(value) == expected
    assert type(plain(value)) is type(expected)


class Number(float):
    pass


class Items(list):
    pass


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (Number(1), "of type .*Number"),
        (Items([1]), "of type .*Items"),
        (object(), "of type object"),
        (1j, "of type complex"),
        (np.zeros((1, 1)).view(np.matrix), r"matrix: wrap it in np.asarray"),
        (np.ma.masked_array([1.0]), "MaskedArray: wrap it"),
        (np.array(["a"]), "dtype <U1"),
        (np.array([1j]), "dtype complex128"),
        ({1: 2}, "the key 1; keys must be strings"),
        ([1, {"k": [0, b"x"]}], "of type bytes at position 1"),
        (lambda: 1, "of type function"),
    ],
)
def test_everything_else_is_refused_and_named(value, message):
    with pytest.raises(NotPlainError, match=message):
        plain(value)


def test_a_list_that_holds_itself_is_refused():
    endless = []
    endless.append(endless)
    with pytest.raises(NotPlainError, match=f"more than {MAX_DEPTH} deep"):
        plain(endless)


def test_a_copy_shares_no_array():
    value = {"a": [np.zeros(2), (np.ones(1),)]}
    copied = copy(value)
    assert same(value, copied)
    copied["a"][0][0] = 5
    assert not same(value, copied)
    assert value["a"][0][0] == 0


@pytest.mark.parametrize(
    ("a", "b"), [(1, 1.0), (True, 1), (np.zeros(1), np.zeros(1, int)), ([1], (1,)), ({"a": 1}, {"b": 1})]
)
def test_the_same_means_the_same_type_too(a, b):
    assert not same(a, b)
    assert same(a, a)
    assert same(float("nan"), float("nan"))
