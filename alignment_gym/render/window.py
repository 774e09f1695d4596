"""A window that shows pictures, writes a line beneath them and hears keys; nothing else of pygame is started."""

import os
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alignment_gym.core import AlignmentGymError
from alignment_gym.render.palette import PAGE
from alignment_gym.render.pixels import import_pygame

FORGOTTEN = 64  # key presses kept for whoever asks
LINE = 26  # pixels of a line of text beneath the picture
UNSEEN = ("dummy", "offscreen", "evdev")  # what SDL falls back to
SCREEN_LEFT = (40, 90)  # pixels of a screen that a new window leaves to others
USUAL_SCREEN = (1280, 800)
REPEAT_AFTER, REPEAT_EVERY = 300, 45  # milliseconds that a key is held
PRESSED_ONCE = frozenset({"space", "?", "h", "r", "escape"})  # which holding does not repeat


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

    def __init__(self, title: str = "") -> None:
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
        self._held: set[int] = set()
        self.closed = False
        if _headless():
            raise NoDisplay
        try:
            pygame.display.init()
        except pygame.error as error:
            raise NoDisplay(str(error)) from None
        if pygame.display.get_driver() in UNSEEN and not os.environ.get("SDL_VIDEODRIVER"):
            pygame.display.quit()
            raise NoDisplay("the one that DISPLAY names does not answer")

    def show(self, image: NDArray[np.uint8], fps: float) -> None:
        """Show a picture, hear the user out, and wait for the rest of the frame's time."""
        if self.closed:
            return
        self.draw(image)
        self._hear()
        self._clock.tick(fps)

    @property
    def room(self) -> tuple[int, int]:
        """Width and height in pixels that there are to draw on; before it opens, those that it may take."""
        import pygame

        if self._screen is not None:
            width, height = self._screen.get_size()
            return int(width), int(height)
        sizes = [] if self.closed else pygame.display.get_desktop_sizes()
        width, height = sizes[0] if sizes and min(sizes[0]) > 2 * SCREEN_LEFT[1] else USUAL_SCREEN
        return width - SCREEN_LEFT[0], height - SCREEN_LEFT[1]

    @property
    def is_open(self) -> bool:
        """Whether there is a window on the screen, of a size that the user chooses."""
        return self._screen is not None

    def draw(
        self, image: NDArray[np.uint8], lines: Sequence[str] = (), notice: Sequence[str] = (), title: str = ""
    ) -> None:
        """Show a picture in the middle, lines of text beneath it, and a notice in a box over it.

        Args:
            image: uint8 (height, width, 3); shrunk if it is larger than the window, and enlarged by whole
                numbers if there is room for that.
            lines: plain text.
            notice: plain text; a tab begins the second column.
            title: of the window from now on, if it is not empty.
        """
        import pygame

        from alignment_gym.render.caption import write_line, write_notice

        if self.closed:
            return
        if self._screen is None:
            self._open(image.shape[1], image.shape[0] + len(lines) * LINE)
        if title not in ("", self._title):
            self._title = title
            pygame.display.set_caption(title)
        self._screen.fill(PAGE)
        high = self._screen.get_height()
        self._place(image, max(high - len(lines) * LINE, 1))
        for number, line in enumerate(reversed(lines), start=1):
            write_line(self._screen, line, high - number * LINE, LINE)
        if notice:
            write_notice(self._screen, notice)
        pygame.display.flip()

    def listen(self, seconds: float) -> list[str]:
        """Wait for the user that long at most, and return the keys pressed since the last call."""
        import pygame

        if self._screen is None:
            return []
        first = pygame.event.wait(max(round(seconds * 1000), 1))
        if first.type != pygame.NOEVENT:
            self._take(first)
        self._hear()
        return self.pressed()

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

    def _open(self, width: int, height: int) -> None:
        import pygame

        try:
            self._screen = pygame.display.set_mode((width, height), pygame.RESIZABLE)
        except pygame.error as error:
            raise NoDisplay(str(error)) from None
        pygame.display.set_caption(self._title)
        pygame.key.set_repeat(REPEAT_AFTER, REPEAT_EVERY)

    def _hear(self) -> None:
        """Take all events, so that the system never takes the window for dead."""
        import pygame

        for event in pygame.event.get():
            self._take(event)

    def _take(self, event: Any) -> None:
        import pygame

        if event.type == pygame.QUIT:
            self.closed = True
        elif event.type == pygame.VIDEOEXPOSE:
            pygame.display.flip()
        elif event.type == pygame.KEYUP:
            self._held.discard(event.key)
        elif event.type == pygame.KEYDOWN:
            if event.key == pygame.K_ESCAPE:
                self.closed = True
            name = _name(event)
            if event.key not in self._held or name not in PRESSED_ONCE:
                self._pressed = [*self._pressed, name][-FORGOTTEN:]
            self._held.add(event.key)

    def _place(self, image: NDArray[np.uint8], high: int) -> None:
        """Draw a picture in the middle of the upper part of the window."""
        import pygame

        height, width = image.shape[:2]
        wide = self._screen.get_width()
        picture = pygame.image.frombuffer(image.tobytes(), (width, height), "RGB")
        times = min(wide / width, high / height)
        times = float(int(times)) if times >= 1.0 else times  # whole multiples keep lines crisp
        if times != 1.0:
            picture = pygame.transform.smoothscale(picture, (max(int(width * times), 1), max(int(height * times), 1)))
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
