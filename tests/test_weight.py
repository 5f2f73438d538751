"""The algebra of weights: adding, repeating, filing and binding give inventories again; indices are said as slices."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptcount.architecture import Variation
from gptcount.weight import NOTHING, Axis, Inventory, linear, per, slices, total, weight

SIZES = {"a": 2, "b": 3, "c": 5, "n": 7, "m": 11}


def only(inventory):
    (one,) = inventory
    return one


def test_a_weight_is_said_in_words():
    one = only(weight("w", "a*b c"))
    assert one.name == "w"
    assert one.role == "matrix"
    assert [[axis.name for axis in dimension] for dimension in one.shape] == [["a", "b"], ["c"]]


def test_bound_sizes_multiply():
    one = only(weight("w", "a*b c").per(Axis("n")).bind(SIZES))
    assert one.sizes == (6, 5)
    assert one.copies == 7
    assert one.parameters == one.active == 210
    assert [axis.name for axis in one.axes] == ["n", "a", "b", "c"]


def test_a_size_that_is_not_bound_is_named():
    one = only(weight("w", "a unheard_of").bind(SIZES))
    with pytest.raises(LookupError, match="unheard_of"):
        _ = one.parameters


def test_the_innermost_block_binds_first():
    inner = weight("w", "a b").bind({"a": 100})
    assert only(inner.bind(SIZES)).sizes == (100, 3)


def test_binding_leaves_alone_what_it_does_not_know_and_gives_a_new_inventory():
    free = weight("w", "a z")
    bound = free.bind(SIZES)
    assert [dimension[0].size for dimension in only(bound).shape] == [2, None]
    assert [dimension[0].size for dimension in only(free).shape] == [None, None]


def test_repeating_puts_the_outer_axis_first():
    one = only(per("n", per("m", weight("w", "a"))).bind(SIZES))
    assert [axis.name for axis in one.per] == ["n", "m"]
    assert one.copies == 77


def test_filing_puts_the_outer_path_first_and_a_nameless_weight_takes_the_path():
    assert [one.name for one in (weight("gain", "a") + weight("", "a")).under("norm").under("layer")] == [
        "layer.norm.gain",
        "layer.norm",
    ]


def test_adding_keeps_the_order_and_nothing_is_neutral():
    first, second = weight("first", "a"), weight("second", "b")
    assert [one.name for one in first + second] == ["first", "second"]
    assert first + NOTHING == NOTHING + first == first
    assert isinstance(first + second, Inventory)
    assert total((first + second).bind(SIZES)) == 5


def test_the_bias_of_a_linear_map_spans_what_comes_out():
    matrix, bias = linear("w", "a b*c", bias=True).bind(SIZES)
    assert (matrix.role, matrix.sizes) == ("matrix", (2, 15))
    assert (bias.name, bias.role, bias.sizes) == ("w.bias", "bias", (15,))
    assert len(linear("w", "a b")) == 1


def test_chosen_copies_shrink_what_is_active_and_no_shape():
    expert = per("n", weight("up", "a n"), chosen="b")
    one = only(expert.bind(SIZES))
    assert one.parameters == 7 * 2 * 7
    assert one.active == 3 * 2 * 7


def test_an_axis_says_which_indices_count():
    assert Axis("n_layers", 58, where=tuple(range(3, 61))).label == "n_layers[3:61]"
    assert Axis("n_layers", 61).label == "n_layers"


pieces = st.sampled_from([weight("x", "a b"), linear("y", "b c", True), per("n", weight("z", "a"), "b"), NOTHING])


@given(pieces, pieces, pieces)
def test_the_algebra_is_linear(x, y, z):
    assert (x + y) + z == x + (y + z)
    axis = Axis("m")
    assert (x + y).per(axis) == x.per(axis) + y.per(axis)
    assert (x + y).under("p") == x.under("p") + y.under("p")
    assert (x + y).bind(SIZES) == x.bind(SIZES) + y.bind(SIZES)
    assert x.per(axis).under("p").bind(SIZES) == x.bind(SIZES).under("p").per(axis).bind(SIZES)
    assert total((x + y).per(axis).bind(SIZES)) == 11 * (total(x.bind(SIZES)) + total(y.bind(SIZES)))


@pytest.mark.parametrize(
    ("where", "said"),
    [
        (range(3), "0:3"),
        (range(3, 61), "3:61"),
        (range(5, 48, 6), "5:48:6"),
        ([4], "4"),
        ([0, 2], "0,2"),
        ([0, 1, 2, 7], "0:3,7"),
        ([0, 1, 5, 6], "0:2,5:7"),
        ([], ""),
    ],
)
def test_indices_are_said_as_slices(where, said):
    text = slices(list(where))
    assert reread(text) == list(where)
    if "::" not in said and said != "5:48:6":
        assert text == said


def reread(text):
    return [i for part in text.split(",") if part for i in indices(part)]


def indices(part):
    bounds = [int(bound) for bound in part.split(":")]
    return range(*bounds) if len(bounds) > 1 else bounds


index_sets = st.sets(st.integers(0, 80), min_size=1)


@given(index_sets | st.builds(range, st.integers(0, 9), st.integers(10, 80), st.integers(1, 9)).map(set))
def test_slices_read_back_to_the_same_layers(where):
    said = slices(sorted(where))
    assert Variation(layers=said).of(81) == where
    assert reread(said) == sorted(where)


def test_slices_are_short_where_layers_are_regular():
    assert slices(range(100_000)) == "0:100000"
    assert slices(range(0, 100_000, 2)).count(",") == 0


@given(st.integers(1, 30), st.integers(-40, 40) | st.none(), st.integers(-40, 40) | st.none(), st.integers(1, 5))
def test_a_variation_selects_what_python_selects(n_layers, start, stop, step):
    text = ":".join("" if bound is None else str(bound) for bound in (start, stop, step))
    assert Variation(layers=text).of(n_layers) == set(range(n_layers)[start:stop:step])


def test_a_single_index_selects_one_layer_that_there_is():
    assert Variation(layers="3").of(4) == {3}
    with pytest.raises(ValueError, match="the layers are 0 to 2"):
        Variation(layers="3").of(3)
    assert Variation(layers="0,2:4,7").of(8) == {0, 2, 3, 7}
