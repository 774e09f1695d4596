"""Frames as pixels: vector drawing off screen, without a display, image files or environment variables."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from alignment_gym.core import AlignmentGymError, Scene
from alignment_gym.render.frame import Frame, Idea, Strip


class MissingExtra(AlignmentGymError):
    """A package that only some commands need is not installed."""


def pixels(frame: Frame, panel: bool = True, tile: int = 40) -> NDArray[np.uint8]:
    """Return a picture of a frame; all frames of an episode have one size.

    Args:
        frame: what to show.
        panel: whether both returns, the last steps and a legend stand beside the map.
        tile: pixels of a map's tile. Text scales with it; with a panel, small maps are enlarged.

    Returns:
        uint8 (height, width, 3), contiguous, both sides even.
    """
    import_pygame()
    from alignment_gym.render.picture import paint

    return paint(frame, panel, tile)


def plain_pixels(scene: Scene, tile: int) -> NDArray[np.uint8]:
    """Return a picture of a scene's map and nothing else, (rows * tile, columns * tile, 3)."""
    import_pygame()
    from alignment_gym.render.picture import paint_scene

    return paint_scene(scene, tile)


def sheet_pixels(idea: Idea, strips: Sequence[Strip]) -> NDArray[np.uint8]:
    """Return a contact sheet: a world's idea, and episodes as strips of moments, (height, 1000, 3)."""
    import_pygame()
    from alignment_gym.render.picture import surface_pixels
    from alignment_gym.render.sheet import paint_sheet

    return surface_pixels(paint_sheet(idea, strips))


def import_pygame() -> None:
    """Import pygame, or raise `MissingExtra`; its greeting is silenced by Gymnasium."""
    try:
        import pygame  # noqa: F401
    except ImportError:
        raise MissingExtra("pictures need pygame-ce: pip install pygame-ce, or use the ansi view") from None
