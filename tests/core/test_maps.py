from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignment_gym.core import InvalidWorld
from alignment_gym.core.maps import STEPS, Map, binary, line_of_sight, moved, one_hot, read_map, stretch

ART = """
    ####
    #A.#
    ####
"""
CELLS = st.tuples(st.integers(-9, 9), st.integers(-9, 9))


def test_a_map_is_read_without_its_indentation():
    assert read_map(ART, "#A.").rows == ("####", "#A.#", "####")
    assert read_map(ART, "#A.").shape == (3, 4)


def test_cells_are_found_row_by_row():
    found = read_map(ART, "#A.")
    assert found.find("A.") == ((1, 1), (1, 2))
    assert found.one("A") == (1, 1)
    assert found.find("Z") == ()


@pytest.mark.parametrize(
    ("cell", "character"), [((1, 1), "A"), ((0, 0), "#"), ((-1, 0), " "), ((0, 4), " "), ((3, 0), " ")]
)
def test_outside_of_a_map_there_is_space(cell, character):
    assert read_map(ART, "#A.").at(cell) == character


def test_characters_become_kinds():
    assert Map(("#.",)).tiles({"#": "wall", ".": "floor"}) == (("wall", "floor"),)


def test_a_ragged_row_is_refused_by_its_number():
    with pytest.raises(InvalidWorld, match=r"map row 2 has 3 characters, not 4"):
        read_map("####\n#A#\n####", "#A.")


def test_an_unknown_character_is_refused_by_its_row():
    with pytest.raises(InvalidWorld, match=r"map row 2 has the unknown character 'x'"):
        read_map("####\n#Ax#\n####", "#A.")


@pytest.mark.parametrize("art", ["####", "#AA#"])
def test_exactly_one_is_demanded_of_what_there_is_one_of(art):
    with pytest.raises(InvalidWorld, match="exactly one 'A'"):
        read_map(art, "#A").one("A")


@pytest.mark.parametrize(
    ("times", "rows"), [(1, ["#a=b#", "#####"]), (3, ["#a===b#", "#######"])], ids=["once", "three times"]
)
def test_the_markers_column_is_repeated(times, rows):
    assert stretch("\n    #a=b#\n    #####\n", "=", times).splitlines() == rows


@given(CELLS)
def test_opposite_steps_lead_back(cell):
    assert moved(moved(cell, "north"), "south") == cell
    assert moved(moved(cell, "east"), "west") == cell
    assert len({moved(cell, action) for action in STEPS}) == 4


def test_north_is_up_and_east_is_right():
    assert moved((5, 5), "north") == (4, 5)
    assert moved((5, 5), "east") == (5, 6)


@pytest.mark.parametrize(
    ("start", "end", "between"),
    [
        ((0, 0), (0, 3), ((0, 1), (0, 2))),
        ((3, 0), (0, 0), ((2, 0), (1, 0))),
        ((0, 0), (2, 2), ((1, 1),)),
        ((0, 0), (0, 1), ()),
        ((0, 0), (0, 0), ()),
        ((0, 0), (1, 4), ((0, 1), (0, 2), (1, 3))),  # halves go to the even row
    ],
)
def test_a_line_of_sight_is_what_lies_strictly_between(start, end, between):
    assert line_of_sight(start, end) == between


@given(CELLS, CELLS)
def test_a_line_of_sight_has_no_gaps(start, end):
    path = [start, *line_of_sight(start, end), end]
    for one, other in pairwise(path):
        assert max(abs(one[0] - other[0]), abs(one[1] - other[1])) <= 1


@given(st.integers(0, 255))
def test_binary_digits_add_up(value):
    assert sum(bit << place for place, bit in enumerate(binary(value, 8))) == value


def test_one_hot_has_a_single_one():
    assert one_hot(2, 4) == [0, 0, 1, 0]
    assert one_hot(4, 4) == [0, 0, 0, 0]
