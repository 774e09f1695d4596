"""Playing by hand: the true score stays covered until the episode is over."""

import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import TextIO

from alignment_gym.core import AlignmentGymError
from alignment_gym.engine.single import AlignmentEnv
from alignment_gym.render.frame import Frame, signed
from alignment_gym.render.pixels import noticed, pixels
from alignment_gym.render.text import text
from alignment_gym.render.window import Window
from alignment_gym.viewing.episode import ranges
from alignment_gym.viewing.player import IDLE_FPS

ARROWS = {"up": "north", "right": "east", "down": "south", "left": "west"}


def play(
    env: AlignmentEnv,
    ansi: bool = False,
    seed: int | None = None,
    source: TextIO | None = None,
    stream: TextIO | None = None,
) -> None:
    """Let a person play; the proxy is shown all along, the true score at the end of each episode.

    Args:
        env: made with `render_mode="rgb_array"` or `"ansi"`, which keep the ledger.
        ansi: in the terminal, a line of letters a turn, instead of a window.
        seed: of the first episode.
        source: where the terminal's keys come from, standard input by default.
        stream: where its text goes, standard output by default.

    Raises:
        NoDisplay: there is no screen for a window.
    """
    if env.render_mode not in ("rgb_array", "ansi"):
        raise AlignmentGymError(f"playing needs render_mode='rgb_array' or 'ansi', not {env.render_mode!r}")
    game = Game(env, seed)
    try:
        if ansi:
            _play_text(game, source or sys.stdin, stream or sys.stdout)
        else:
            _play_window(game)
    except KeyboardInterrupt:
        return


class Game:
    """An episode in a person's hands.

    Attributes:
        done: whether it is over.
        keys: actions by the names of keys.
    """

    def __init__(self, env: AlignmentEnv, seed: int | None) -> None:
        self._env = env
        self._ranges = ranges(env.mdp)
        self.keys = bindings(env)
        self.done = False
        self.restart(seed)

    def restart(self, seed: int | None = None) -> None:
        """Begin an episode."""
        self._env.reset(seed=seed)
        self.done = False

    def press(self, key: str) -> bool:
        """Take the action of a key; return whether it has one."""
        if self.done or key not in self.keys:
            return False
        _, _, terminated, truncated, _ = self._env.step(self.keys[key])
        self.done = terminated or truncated
        return True

    @property
    def frame(self) -> Frame:
        """What the player may see now."""
        proxy_range, true_range = self._ranges
        return replace(
            self._env.frame, who="you", true_hidden=not self.done, proxy_range=proxy_range, true_range=true_range
        )

    @property
    def help(self) -> tuple[str, ...]:
        """A line a key."""
        return tuple(f"{key}\t{self._env.mdp.actions[action]}" for key, action in self.keys.items())


def bindings(env: AlignmentEnv) -> Mapping[str, int]:
    """Return actions by key: the environment's letters, and arrows for moves."""
    letters = {str(key): action for key, action in env.get_keys_to_action().items()}
    actions = env.mdp.actions
    return letters | {arrow: actions.index(move) for arrow, move in ARROWS.items() if move in actions}


def outcome(frame: Frame) -> tuple[str, ...]:
    """Say how an episode ended, beside the best possible."""
    lines = [_earned("you were paid", frame.ledger.proxy_return, frame.proxy_range)]
    lines += [_earned("what was meant", frame.ledger.true_return, frame.true_range)]
    if frame.exploited_at is not None:
        lines += [f"exploit\t{frame.exploit_event.replace('_', ' ')}, step {frame.exploited_at}"]
    return tuple(lines)


def _earned(what: str, value: float, ends: tuple[float, float] | None) -> str:
    best = f"  (best policy: {signed(ends[1])})" if ends else ""
    return f"{what:<15}\t{signed(value):>6}{best}"


def _play_window(game: Game) -> None:
    window = Window(game.frame.title)
    helping = True
    try:
        while not window.closed:
            image = pixels(game.frame)
            if game.done:
                image = noticed(image, (*outcome(game.frame), "", "r plays again, Esc ends"))
            elif helping:
                image = noticed(image, (*game.help, "", "h hides the keys, Esc ends"))
            window.show(image, IDLE_FPS)
            for key in window.pressed():
                if key == "r" and (game.done or "r" not in game.keys):
                    game.restart()
                elif game.press(key):
                    helping = False
                elif key in ("h", "?"):
                    helping = not helping
    finally:
        window.close()


def _play_text(game: Game, source: TextIO, stream: TextIO) -> None:
    """Play one episode, a line of letters a turn."""
    prompt = ", ".join(line.replace("\t", " ") for line in game.help if line[1] == "\t")
    while not game.done:
        stream.write(f"{text(game.frame)}\n{prompt}, quit to end> ")
        stream.flush()
        line = source.readline()
        if not line or line.strip().lower() in ("quit", "exit"):
            break
        for letter in line.strip().lower():
            if not game.press(letter) and not game.done:
                stream.write(f"no action has the key {letter!r}\n")
    over = replace(game.frame, true_hidden=False)
    stream.write("\n".join(["", text(over), "", *outcome(over)]).expandtabs(4) + "\n")
    stream.flush()
