"""Scenes for the browser: every picture is drawn once, here, and a scene says which of them stand where.

One renderer makes all symbols; `templates/drawing.js` only puts them together, so that a page shows thousands of
states from some dozens of pictures, and can let the one who acts glide from cell to cell.

`Atlas.as_json` gives, with -1 for none::

    tile        pixels of a tile in the pictures
    pictures    data URIs
    names       [what the picture shows, "" for grounds and what needs no word; 1 for what is faded, else 0]
    grounds     [picture, rows, columns]
    stills      [ground, [picture, row, column, picture, row, column, ...]]: all but the one who acts
    actors      [picture, facing north, facing east, facing south, facing west]
    scenes      [still, actor, row, column, size in tiles, note, meters, sensor's scene, whose picture that is]
    words       what notes and captions say, by number
    meters      [[label, value, full], ...], by number
"""

from base64 import b64encode
from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from alignment_gym.core import Scene, Sprite
from alignment_gym.render.frame import instrument
from alignment_gym.render.pieces import actor_size, ground_pixels, saying, sprite_pixels, turns

NONE = -1
HEADINGS = ("north", "east", "south", "west")
TILE = 96  # pixels: twice as many as tiles usually take on a page, for fine screens
EFFORT = 4  # of 6: the last steps take a hundred times longer for a few bytes


@dataclass(slots=True)
class Collected:
    """Things by number: each is made and kept once.

    Attributes:
        made: in the order of their numbers.
    """

    made: list[Any] = field(default_factory=list)
    _numbers: dict[Hashable, int] = field(default_factory=dict)

    def number(self, key: Hashable) -> int | None:
        """Return the number of what is known by a key."""
        return self._numbers.get(key)

    def enter(self, key: Hashable, made: Any) -> int:
        """Keep what was made under a key that is new, and return its number."""
        if key not in self._numbers:
            self._numbers[key] = len(self.made)
            self.made.append(made)
        return self._numbers[key]


class Atlas:
    """Collects scenes; equal ones, and equal parts of different ones, are kept once."""

    def __init__(self, tile: int = TILE) -> None:
        """Begin with nothing; `tile` is what a tile measures in the pictures, in pixels."""
        self._tile = tile
        self._pictures = Collected()
        self._names: list[list[str | int]] = []
        self._grounds = Collected()
        self._stills = Collected()
        self._actors = Collected()
        self._scenes = Collected()
        self._words = Collected()
        self._meters = Collected()

    def add(self, scene: Scene, heading: str = "") -> int:
        """Return the number of a scene.

        Args:
            scene: what is to be seen.
            heading: the way that the last sprite faces for good; none leaves that to the page.

        Raises:
            MissingExtra: pygame is not installed.
        """
        known = self._scenes.number((scene, heading))
        if known is not None:
            return known
        row: list[float] = [self._still(scene), *self._actor(scene, heading)]
        row += [self._word(scene.note), self._dials(scene), NONE, NONE]
        if scene.sensor is not None:
            row[-2:] = [self.add(scene.sensor), self._word(instrument(scene))]
        return self._scenes.enter((scene, heading), row)

    def as_json(self) -> dict[str, Any]:
        """Return all that was added; see the module's docstring."""
        return {
            "tile": self._tile,
            "pictures": self._pictures.made,
            "names": self._names,
            "grounds": self._grounds.made,
            "stills": self._stills.made,
            "actors": self._actors.made,
            "scenes": self._scenes.made,
            "words": self._words.made,
            "meters": self._meters.made,
        }

    def _still(self, scene: Scene) -> int:
        key = (scene.tiles, scene.tints, scene.sprites[:-1])
        known = self._stills.number(key)
        if known is not None:
            return known
        placed = [[self._sprite(sprite, sprite.facing), *sprite.cell] for sprite in scene.sprites[:-1]]
        return self._stills.enter(key, [self._ground(scene), [number for each in placed for number in each]])

    def _ground(self, scene: Scene) -> int:
        key = (scene.tiles, scene.tints)
        known = self._grounds.number(key)
        if known is not None:
            return known
        picture = self._pictures.enter(key, data_uri(ground_pixels(scene, self._tile)))
        self._names.append(["", 0])
        return self._grounds.enter(key, [picture, *scene.shape])

    def _actor(self, scene: Scene, heading: str) -> list[float]:
        """Return the number, the cell and the size of the one who acts."""
        if not scene.sprites:
            return [NONE, NONE, NONE, NONE]
        actor = scene.sprites[-1]
        facing = actor.facing or heading
        ways = ["", *HEADINGS] if turns(actor.kind) and not facing else [facing] * 5
        pictures = [self._sprite(actor, way) for way in ways]
        return [self._actors.enter(tuple(pictures), pictures), *actor.cell, actor_size(scene)]

    def _sprite(self, sprite: Sprite, facing: str) -> int:
        seen = replace(sprite, cell=(0, 0), facing=facing if turns(sprite.kind) else "")
        known = self._pictures.number(seen)
        if known is not None:
            return known
        self._names.append([saying(sprite.kind), int(sprite.faded)])
        return self._pictures.enter(seen, data_uri(sprite_pixels(seen, seen.facing, self._tile)))

    def _word(self, text: str) -> int:
        return self._words.enter(text, text) if text else NONE

    def _dials(self, scene: Scene) -> int:
        if not scene.meters:
            return NONE
        return self._meters.enter(scene.meters, [[each.label, each.value, each.full] for each in scene.meters])


def data_uri(picture: NDArray[np.uint8]) -> str:
    """Return a picture, (height, width, 3 or 4), as the address of a WebP without loss; equal ones give equal bytes."""
    buffer = BytesIO()
    Image.fromarray(picture).save(buffer, "WEBP", lossless=True, method=EFFORT)
    return f"data:image/webp;base64,{b64encode(buffer.getvalue()).decode()}"
