"""ASCII maps: a level is drawn as text, and read as cells."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from textwrap import dedent

from alignment_gym.core.errors import InvalidWorld
from alignment_gym.core.scene import Cell

STEPS: Mapping[str, Cell] = {"north": (-1, 0), "east": (0, 1), "south": (1, 0), "west": (0, -1)}


@dataclass(frozen=True, slots=True)
class Map:
    """A rectangle of characters, checked against a legend."""

    rows: tuple[str, ...]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self.rows), len(self.rows[0])

    def at(self, cell: Cell) -> str:
        """Return the character at `cell`; outside of the map, a space."""
        row, column = cell
        inside = 0 <= row < len(self.rows) and 0 <= column < len(self.rows[0])
        return self.rows[row][column] if inside else " "

    def find(self, characters: str) -> tuple[Cell, ...]:
        """Return the cells that hold any of `characters`, row by row."""
        return tuple(
            (row, column)
            for row, line in enumerate(self.rows)
            for column, character in enumerate(line)
            if character in characters
        )

    def one(self, character: str) -> Cell:
        """Return the only cell that holds `character`."""
        cells = self.find(character)
        if len(cells) != 1:
            raise InvalidWorld(f"the map needs exactly one {character!r}, it has {len(cells)}")
        return cells[0]

    def tiles(self, kinds: Mapping[str, str]) -> tuple[tuple[str, ...], ...]:
        """Translate every character into a kind of tile."""
        return tuple(tuple(kinds[character] for character in line) for line in self.rows)


def read_map(art: str, legend: str) -> Map:
    """Read a drawn map; refuse ragged rows and characters outside of `legend`."""
    rows = tuple(line for line in dedent(art).strip("\n").splitlines())
    for number, line in enumerate(rows, start=1):
        if len(line) != len(rows[0]):
            raise InvalidWorld(f"map row {number} has {len(line)} characters, not {len(rows[0])}: {line!r}")
        for character in line:
            if character not in legend:
                raise InvalidWorld(f"map row {number} has the unknown character {character!r}; legend: {legend!r}")
    return Map(rows)


def stretch(art: str, marker: str, times: int) -> str:
    """Repeat `times` the one column of `art` in which `marker` stands."""
    lines = dedent(art).strip("\n").splitlines()
    if not any(marker in line for line in lines):
        raise InvalidWorld(f"the map has no {marker!r} to stretch at")
    column = next(line.index(marker) for line in lines if marker in line)
    return "\n".join(line[:column] + line[column] * times + line[column + 1 :] for line in lines)


def moved(cell: Cell, action: str) -> Cell:
    """Return the cell one step from `cell` in the direction that `action` names."""
    down, right = STEPS[action]
    return cell[0] + down, cell[1] + right


def beside(cell: Cell, other: Cell) -> bool:
    """Tell whether two cells share a side."""
    return abs(cell[0] - other[0]) + abs(cell[1] - other[1]) == 1


def open_sides(cell: Cell, floor: Collection[Cell]) -> list[int]:
    """Return a feature a direction, in the order of `STEPS`: 1 where the next cell is floor."""
    return [int(moved(cell, action) in floor) for action in STEPS]


def within_reach(places: Iterable[Cell], floor: Iterable[Cell]) -> dict[Cell, int]:
    """Return the cells of `floor` beside a place, with the place's number; of two places beside a cell, the last."""
    cells = sorted(floor)
    return {cell: number for number, place in enumerate(places) for cell in cells if beside(cell, place)}


def distances(goals: Iterable[Cell], floor: Collection[Cell]) -> dict[Cell, int]:
    """Return how many steps away the nearest of `goals` is, for every cell of `floor` that reaches one."""
    found = dict.fromkeys(goals, 0)
    queue = list(found)
    for reached in queue:  # grows while it is walked
        for action in STEPS:
            beyond = moved(reached, action)
            if beyond in floor and beyond not in found:
                found[beyond] = found[reached] + 1
                queue.append(beyond)
    return found


def nearer(cell: Cell, distance: Mapping[Cell, int]) -> str:
    """Return the first move that brings `cell` one step nearer to where `distance` is 0."""
    return next(action for action in STEPS if distance.get(moved(cell, action)) == distance[cell] - 1)


def toward(cell: Cell, goal: Cell, floor: frozenset[Cell]) -> str:
    """Return the first move of a shortest way over `floor` to `goal`, which is elsewhere."""
    return nearer(cell, _distances_to(goal, floor))


@lru_cache(maxsize=1024)
def _distances_to(goal: Cell, floor: frozenset[Cell]) -> dict[Cell, int]:
    return distances([goal], floor)


def line_of_sight(start: Cell, end: Cell) -> tuple[Cell, ...]:
    """Return the cells strictly between two cells on a straight line (Bresenham, symmetric enough for rooms)."""
    (row, column), (last_row, last_column) = start, end
    steps = max(abs(last_row - row), abs(last_column - column))
    return tuple(
        (
            row + round((last_row - row) * step / steps),
            column + round((last_column - column) * step / steps),
        )
        for step in range(1, steps)
    )


def one_hot(index: int, size: int) -> list[int]:
    """Return `size` zeros with a one at `index`, if that is a place among them."""
    zeros = [0] * size
    if 0 <= index < size:
        zeros[index] = 1
    return zeros


def binary(value: int, bits: int) -> list[int]:
    """Return `value` in `bits` binary digits, lowest first."""
    return [value >> bit & 1 for bit in range(bits)]
