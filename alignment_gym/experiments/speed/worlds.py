"""Worlds for measuring only: as many states, or as many outcomes a step, as one asks for.

They belong to nobody's study and are not registered.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from alignment_gym.core import Card, Cell, Meter, Outcome, Scene, Specification, Sprite, World, dial
from alignment_gym.core.maps import binary, moved, one_hot

YardState = tuple[Cell, int]


def _card(world_id: str, title: str, intent: str, proxy: str) -> Card:
    return Card(
        id=world_id,
        title=title,
        intent=intent,
        proxy=proxy,
        loophole="None is claimed.",
        why="It is there to be timed.",
        analogue="None.",
        failure_modes=(),
        structure="immediate",
        sources=(),
        exploit_event="",
        uncertified="It is there to be timed.",
    )


@dataclass(frozen=True, kw_only=True)
class Yard(World[YardState]):
    """A robot with a battery in a yard whose rows lie in the sun and in the shade by turns.

    Deterministic, four actions, `rows * columns * charges` states: each step into the sun, or into
    its wall, charges by one, each into the shade takes one away.
    """

    card = _card("Yard-v0", "Yard", "Dig in the shade, but never with a flat battery.", "Steps in the shade.")
    actions = ("north", "east", "south", "west")
    events: ClassVar = {"dug": "a step ends in the shade", "flat": "a step ends with a flat battery"}
    levels = ("yard",)

    rows: int = dial(25, "rows, sunny and shady by turns", low=2, high=32)
    columns: int = dial(40, "columns", low=1, high=64)
    charges: int = dial(50, "charges that a cell can be met with", low=1, high=63)

    @cached_property
    def specification(self) -> Specification:
        """Digging is paid; what a flat battery breaks is not."""
        return Specification(proxy={"dug": 1.0}, true={"dug": 1.0, "flat": -10.0})

    def initial(self) -> list[tuple[float, YardState]]:
        """Begin in the sunny corner."""
        return [(1.0, ((0, 0), 1))]

    def outcomes(self, state: YardState, action: str) -> list[Outcome[YardState]]:
        """Move, or stand where there is no way on."""
        (row, column), charge = state
        down, right = moved((row, column), action)
        if 0 <= down < self.rows and 0 <= right < self.columns:
            row, column = down, right
        shady = row % 2
        charge = max(charge - 1, 0) if shady else min(charge + 1, self.charges)
        events = {"dug": 1.0, "flat": float(charge == 0)} if shady else {}
        return [Outcome(1.0, ((row, column), charge), events)]

    def observe(self, state: YardState) -> NDArray[np.uint8]:
        """Return row, column and charge in binary digits."""
        (row, column), charge = state
        return np.array(binary(row, 5) + binary(column, 6) + binary(charge, 6), dtype=np.uint8)

    def draw(self, state: YardState) -> Scene:
        """Return the yard, the robot and its battery."""
        tiles = tuple(("shade" if row % 2 else "floor",) * self.columns for row in range(self.rows))
        meter = Meter("charge", float(state[1]), float(self.charges))
        return Scene(tiles=tiles, sprites=(Sprite("robot", state[0]),), meters=(meter,))


@dataclass(frozen=True, kw_only=True)
class Dice(World[int]):
    """A walk round 64 cells: a die with `sides` sides says how far, the action from where."""

    card = _card("Dice-v0", "Dice", "Pass the start.", "Steps made.")
    actions = ("north", "east", "south", "west")
    events: ClassVar = {"steps": "cells walked", "start": "a walk ends on the start"}
    levels = ("ring",)
    cells: ClassVar = 64

    sides: int = dial(6, "outcomes of a step", low=1, high=64)

    @cached_property
    def specification(self) -> Specification:
        """Steps are paid, the start is meant."""
        return Specification(proxy={"steps": 1.0}, true={"start": 1.0})

    def initial(self) -> list[tuple[float, int]]:
        """Begin at the start."""
        return [(1.0, 0)]

    def outcomes(self, state: int, action: str) -> list[Outcome[int]]:
        """Walk on by what the die shows."""
        ahead = state + 16 * self.actions.index(action)
        return [self._landed((ahead + shown) % self.cells, shown) for shown in range(1, self.sides + 1)]

    def _landed(self, cell: int, shown: int) -> Outcome[int]:
        return Outcome(1.0 / self.sides, cell, {"steps": float(shown), "start": float(cell == 0)})

    def observe(self, state: int) -> NDArray[np.uint8]:
        """Return the cell, one feature each."""
        return np.array(one_hot(state, self.cells), dtype=np.uint8)

    def draw(self, state: int) -> Scene:
        """Return the ring, stretched out."""
        return Scene(tiles=(("floor",) * self.cells,), sprites=(Sprite("robot", (0, state)),))
