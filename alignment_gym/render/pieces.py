"""The pieces of a picture, each as pixels of its own, for a page that puts them together itself."""

import numpy as np
from numpy.typing import NDArray

from alignment_gym.core import Scene, Sprite
from alignment_gym.render.pixels import import_pygame


def ground_pixels(scene: Scene, tile: int) -> NDArray[np.uint8]:
    """Return a scene's tiles under their veils, without sprites: uint8 (rows * tile, columns * tile, 3)."""
    import_pygame()
    import pygame

    from alignment_gym.render.ground import ground

    return _upright(pygame.surfarray.array3d(ground(scene.tiles, scene.tints, tile)))


def sprite_pixels(sprite: Sprite, facing: str, tile: int) -> NDArray[np.uint8]:
    """Return a sprite that faces some way: uint8 (tile, tile, 4), alpha last and not multiplied in."""
    import_pygame()
    import pygame

    from alignment_gym.render.ground import sprite_picture

    drawn = sprite_picture(sprite, facing, tile)
    alpha = pygame.surfarray.array_alpha(drawn).astype(np.uint16)[..., None]
    shades = pygame.surfarray.array3d(drawn).astype(np.uint16)
    straight = np.minimum((shades * 255 + alpha // 2) // np.maximum(alpha, 1), 255)
    return _upright(np.concatenate([straight, alpha], axis=-1).astype(np.uint8))


def turns(kind: str) -> bool:
    """Tell whether a sprite of a kind is drawn facing its way."""
    import_pygame()
    from alignment_gym.render.shapes import TURNING

    return kind in TURNING


def saying(kind: str) -> str:
    """Return what a legend calls a kind of sprite, nothing for one that needs no word."""
    import_pygame()
    from alignment_gym.render.picture import SAYINGS

    return SAYINGS.get(kind, kind)


def actor_size(scene: Scene) -> float:
    """Return the size of the last sprite in tiles: below 1 where it stands at a thing that has to stay visible."""
    import_pygame()
    from alignment_gym.render import ground

    return ground.actor_size(scene)


def _upright(columns: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return pixels by row, which pygame gives by column."""
    return np.ascontiguousarray(columns.swapaxes(0, 1))
