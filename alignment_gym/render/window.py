"""A window that shows pictures and hears keys; nothing else of pygame is started."""

import os
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alignment_gym.core import AlignmentGymError
from alignment_gym.render.pixels import import_pygame

FORGOTTEN = 64  # key presses kept for whoever asks


class NoDisplay(AlignmentGymError):
    """There is no screen to open a window on."""

    def __init__(self, why: str = "") -> None:
        super().__init__(
            "there is no display to open a window on"
            + (f" ({why})" if why else "")
            + "; use --ansi to watch in the terminal, or `alignment-gym record` to write an animation"
        )


class Window:
    """Shows one picture after the other; its close button and Esc set `closed`.

    Attributes:
        closed: whether the user is done; showing more is then without effect.
    """

    def __init__(self, title: str) -> None:
        """Check that there is a display; the window opens with the first picture.

        Raises:
            NoDisplay: no screen is connected.
            MissingExtra: pygame is not installed.
        """
        import_pygame()
        import pygame

        self._title = title
        self._screen: Any = None
        self._clock = pygame.time.Clock()
        self._pressed: list[str] = []
        self.closed = False
        if _headless():
            raise NoDisplay
        try:
            pygame.display.init()
        except pygame.error as error:
            raise NoDisplay(str(error)) from None

    def show(self, image: NDArray[np.uint8], fps: float) -> None:
        """Show a picture, hear the user out, and wait for the rest of the frame's time."""
        import pygame

        if self.closed:
            return
        if self._screen is None:
            self._open(image)
        self._pump()
        if self.closed:
            return
        self._draw(image)
        pygame.display.flip()
        self._clock.tick(fps)

    def pressed(self) -> list[str]:
        """Return the keys pressed since the last call, by name: `space`, `left`, `[`, `r`."""
        keys, self._pressed = self._pressed, []
        return keys

    def close(self) -> None:
        """Close the window for good."""
        import pygame

        self.closed = True
        self._screen = None
        pygame.display.quit()

    def _open(self, image: NDArray[np.uint8]) -> None:
        import pygame

        height, width = image.shape[:2]
        try:
            self._screen = pygame.display.set_mode((width, height), pygame.RESIZABLE)
        except pygame.error as error:
            raise NoDisplay(str(error)) from None
        pygame.display.set_caption(self._title)

    def _pump(self) -> None:
        """Take all events, so that the system never takes the window for dead."""
        import pygame

        for event in pygame.event.get():
            if event.type == pygame.QUIT:
                self.closed = True
            elif event.type == pygame.KEYDOWN:
                if event.key == pygame.K_ESCAPE:
                    self.closed = True
                self._pressed = [*self._pressed, _name(event)][-FORGOTTEN:]

    def _draw(self, image: NDArray[np.uint8]) -> None:
        import pygame

        assert self._screen is not None
        height, width = image.shape[:2]
        wide, high = self._screen.get_size()
        picture = pygame.image.frombuffer(image.tobytes(), (width, height), "RGB")
        times = min(wide / width, high / height)
        times = float(int(times)) if times >= 1.0 else times  # whole multiples keep lines crisp
        if times != 1.0:
            picture = pygame.transform.smoothscale(picture, (max(int(width * times), 1), max(int(height * times), 1)))
        self._screen.fill((246, 247, 249))
        self._screen.blit(picture, picture.get_rect(center=(wide // 2, high // 2)))


def _headless() -> bool:
    """Tell whether SDL would fall back to a screen that nobody sees."""
    if not sys.platform.startswith("linux") or os.environ.get("SDL_VIDEODRIVER"):
        return False
    return not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _name(event: Any) -> str:
    """Name a key: what it types if that is visible, so that `[` is found on any keyboard."""
    import pygame

    typed = str(event.unicode).lower()
    return typed if typed.isprintable() and typed.strip() else str(pygame.key.name(event.key))
