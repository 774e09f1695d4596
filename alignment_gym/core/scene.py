"""A scene is what a person sees, as data: tiles, sprites, tints, view cones and meters on a grid.

Worlds make scenes, `render` turns them into pixels or text; neither knows the other.
Kinds are words (`water`, `boat`); the renderers own their colours, shapes and letters.
"""

from dataclasses import dataclass

Cell = tuple[int, int]  # row, column; row 0 is at the top


@dataclass(frozen=True, slots=True)
class Sprite:
    """A thing that stands on a tile.

    Attributes:
        kind: what it is.
        cell: where its middle is.
        facing: `north`, `east`, `south`, `west` or nothing.
        faded: drawn as an outline: not here now, but coming, or off.
        label: one or two letters drawn on it.
    """

    kind: str
    cell: Cell
    facing: str = ""
    faded: bool = False
    label: str = ""


@dataclass(frozen=True, slots=True)
class Tint:
    """Cells under a coloured veil: what a camera sees, where danger is."""

    kind: str
    cells: frozenset[Cell]


@dataclass(frozen=True, slots=True)
class Cone(Tint):
    """A veil that somebody casts: what a camera or an overseer sees from its cell, and nothing behind walls.

    Attributes:
        cell: where who looks is.
        facing: `north`, `east`, `south` or `west`.
    """

    cell: Cell
    facing: str


@dataclass(frozen=True, slots=True)
class Meter:
    """A labelled bar from 0 to `full`, or a plain on/off light where `full` is 1."""

    label: str
    value: float
    full: float


@dataclass(frozen=True, slots=True)
class Scene:
    """One picture: the ground and all that is on it.

    Attributes:
        tiles: rows of tile kinds, all of one length.
        sprites: drawn in order, so later ones lie on top.
        tints: veils and view cones between ground and sprites.
        meters: shown in the side panel.
        note: one line of what is going on.
        sensor: what the overseer's instrument shows, where that differs from what is there.
        title: of a sensor's scene, whose picture it is: `what the camera sees`.
        meanings: what kinds stand for in this world, where the legend's own words would say less.
    """

    tiles: tuple[tuple[str, ...], ...]
    sprites: tuple[Sprite, ...] = ()
    tints: tuple[Tint, ...] = ()
    meters: tuple[Meter, ...] = ()
    note: str = ""
    sensor: "Scene | None" = None
    title: str = ""
    meanings: tuple[tuple[str, str], ...] = ()

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self.tiles), len(self.tiles[0])
