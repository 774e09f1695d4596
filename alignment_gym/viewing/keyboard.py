"""Playing by hand, alone or beside an agent in the same episode: the true score stays covered until the end."""

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TextIO

from alignment_gym.core import AlignmentGymError
from alignment_gym.engine.single import AlignmentEnv
from alignment_gym.render.frame import Frame, signed
from alignment_gym.render.text import text
from alignment_gym.viewing.episode import ranges
from alignment_gym.viewing.player import KEYS_OF_ALL, Reel
from alignment_gym.viewing.stage import in_terminal, in_window, is_interactive, standard

ARROWS = {"up": "north", "right": "east", "down": "south", "left": "west"}
LOOKING_BACK = 8  # frames a second
ENDINGS = ("quit", "exit")
END_HELP = "r again, n next episode, space or , and . to look back, Esc ends"

Companion = Callable[[int], Iterable[Frame]]  # from a key to an agent's episode


class Game:
    """An episode in a person's hands; when it is over, it can be looked at again.

    Attributes:
        key: of the episode; `r` repeats it, `n` and `p` change it.
        keys: actions by the names of keys.
        done: whether the episode is over.
        over: whether the player has had enough.
        moving, fps: of looking back.
    """

    def __init__(
        self, env: AlignmentEnv, key: int | None = None, seed: int | None = None, companion: Companion | None = None
    ) -> None:
        """Begin an episode: that of `key`, or one that `seed` draws, or any."""
        self._env = env
        self._companion = companion
        self._ranges = ranges(env.mdp)
        self._helping = True
        self.keys = bindings(env)
        self.moving, self.fps, self.over = False, LOOKING_BACK, False
        self.begin(env.reset(seed=seed)[1]["key"] if key is None else key)

    def begin(self, key: int) -> None:
        """Start the episode of a key."""
        self.key = key % KEYS_OF_ALL
        self._env.reset(options={"key": self.key})
        self.done, self.moving = False, False
        self._made = [self._now()]
        self._beside = None if self._companion is None else Reel(self._companion(self.key))
        self._place = 0

    def press(self, key: str) -> bool:
        """Take the action of a key, or do what else it says; return whether it says anything."""
        if not self.done and key in self.keys:
            self._act(self.keys[key])
            return True
        says: dict[str, Callable[[], object]] = {
            "?": self._help,
            "h": self._help,
            "escape": self._end,
            "q": self._end,
            "r": lambda: self.begin(self.key),
            "n": lambda: self.begin(self.key + 1),
            "p": lambda: self.begin(self.key - 1),
        }
        if self.done:
            says |= {
                "space": self._look,
                ".": lambda: self._go(self._place + 1),
                ",": lambda: self._go(self._place - 1),
                "home": lambda: self._go(0),
                "end": lambda: self._go(self._last),
            }
        if key not in says:
            return False
        says[key]()
        return True

    def advance(self) -> None:
        """Look at the next frame of an episode that is over."""
        self.moving = self._go(self._place + 1, stop=False)

    @property
    def frames(self) -> tuple[Frame, ...]:
        """What may be seen now: the true account when the episode is over, or given up."""
        own = self._made[min(self._place, len(self._made) - 1)]
        both = (own,) if self._beside is None else (own, self._beside.at(self._place))
        return tuple(replace(frame, true_hidden=not (self.done or self.over)) for frame in both)

    @property
    def notice(self) -> tuple[str, ...]:
        """The keys, or how the episode ended."""
        if self.done and not self._helping:
            return self.outcome if self._place == self._last else ()
        return (*self.help, "", "? hides the keys, Esc ends") if self._helping else ()

    @property
    def status(self) -> str:
        """One line of which episode this is."""
        return f"key {self.key}: --key {self.key} plays this episode again   ? shows the keys"

    @property
    def help(self) -> tuple[str, ...]:
        """A line a key."""
        names = enumerate(self._env.mdp.actions)
        named = {name: [key for key, action in self.keys.items() if action == number] for number, name in names}
        acting = [f"{' or '.join(keys)}\t{name.replace('_', ' ')}" for name, keys in named.items()]
        free = [("r", "the same episode again"), ("n", "next episode"), ("p", "previous episode")]
        back = [("space", "look back"), (", .", "one step back, on")] if self.done else []
        shown = [f"{key}\t{does}" for key, does in (*free, *back) if self.done or key not in self.keys]
        return (*([] if self.done else acting), *shown)

    @property
    def letters(self) -> Mapping[str, str]:
        """Actions' names by the keys that are one letter."""
        return {key: self._env.mdp.actions[action] for key, action in self.keys.items() if len(key) == 1}

    @property
    def outcome(self) -> tuple[str, ...]:
        """How the episode ended, for both who played it."""
        lines = [line for frame in self.frames for line in outcome(frame, named=len(self.frames) > 1)]
        return (*lines, "", END_HELP)

    def _act(self, action: int) -> None:
        _, _, terminated, truncated, _ = self._env.step(action)
        self._made.append(self._now())
        self._place = len(self._made) - 1
        self._helping = False
        if terminated or truncated:
            self.done = True
            self._place = self._last

    def _now(self) -> Frame:
        proxy_range, true_range = self._ranges
        return replace(self._env.frame, who="you", proxy_range=proxy_range, true_range=true_range)

    @property
    def _last(self) -> int:
        own = len(self._made) - 1
        return own if self._beside is None else max(own, self._beside.end)

    def _go(self, place: int, stop: bool = True) -> bool:
        self.moving = self.moving and not stop
        if not 0 <= place <= self._last:
            return False
        self._place = place
        return True

    def _look(self) -> None:
        """Run the episode from its start, or halt."""
        self.moving = not self.moving
        if self.moving and self._place == self._last:
            self._place = 0

    def _help(self) -> None:
        self._helping = not self._helping

    def _end(self) -> None:
        self.over = True


def play(
    env: AlignmentEnv,
    *,
    key: int | None = None,
    seed: int | None = None,
    companion: Companion | None = None,
    ansi: bool = False,
    source: TextIO | None = None,
    stream: TextIO | None = None,
) -> None:
    """Let a person play; the proxy is shown all along, the true score at the end of each episode.

    Args:
        env: made with `render_mode="rgb_array"` or `"ansi"`, which keep the ledger.
        key: of the first episode.
        seed: draws the key where there is none.
        companion: gives the frames of an agent's episode for a key; it goes on step by step with the person.
        ansi: in the terminal instead of a window: single keys where both sides are one, lines of letters otherwise.
        source: where the terminal's keys come from, standard input by default.
        stream: where text goes, standard output by default.

    Raises:
        NoDisplay: there is no screen for a window.
    """
    if env.render_mode not in ("rgb_array", "ansi"):
        raise AlignmentGymError(f"playing needs render_mode='rgb_array' or 'ansi', not {env.render_mode!r}")
    game: list[Game] = []

    def begin() -> Game:
        game.append(Game(env, key, seed, companion))
        return game[0]

    if not ansi:
        in_window(begin)
        if (stream or sys.stdout) is not None:
            _tell_key(game[0], stream or sys.stdout)
        return
    source, stream = standard(source, stream)
    if is_interactive(source, stream):
        in_terminal(begin(), source, stream)
    else:
        _play_lines(begin(), source, stream)
    _tell_key(game[0], stream)


def _tell_key(game: Game, stream: TextIO) -> None:
    stream.write(f"the last episode's key: --key {game.key}\n")


def bindings(env: AlignmentEnv) -> Mapping[str, int]:
    """Return actions by key: the environment's letters, and arrows for moves."""
    letters = {str(key): action for key, action in env.get_keys_to_action().items()}
    actions = env.mdp.actions
    return letters | {arrow: actions.index(move) for arrow, move in ARROWS.items() if move in actions}


def outcome(frame: Frame, named: bool = False) -> tuple[str, ...]:
    """Say how an episode ended, beside the best possible; `named` says whose it was."""
    who = [frame.who] if named else []
    who_is_paid = "paid" if named else "you were paid"
    lines = [*who, _earned(who_is_paid, frame.ledger.proxy_return, frame.proxy_range)]
    lines += [_earned("what was meant", frame.ledger.true_return, frame.true_range)]
    if frame.exploited_at is not None:
        lines += [f"the loophole\t{frame.exploit_event.replace('_', ' ')}, step {frame.exploited_at}"]
    return tuple(lines)


def _earned(what: str, value: float, ends: tuple[float, float] | None) -> str:
    best = f"  (best policy: {signed(ends[1])})" if ends else ""
    return f"{what:<15}\t{signed(value):>6}{best}"


def _play_lines(game: Game, source: TextIO, stream: TextIO) -> None:
    """Play one episode, a line of letters a turn."""
    prompt = ", ".join(f"{key} {name}" for key, name in game.letters.items())
    while not game.done:
        shown = "\n".join(text(frame) for frame in game.frames)
        stream.write(f"{shown}\n{prompt}, quit to end> ")
        stream.flush()
        line = source.readline()
        if not line or line.strip().lower() in ENDINGS:
            break
        for letter in line.strip().lower():
            if game.done:
                break
            if letter in game.keys:
                game.press(letter)
            else:
                stream.write(f"no action has the key {letter!r}\n")
    over = [replace(frame, true_hidden=False) for frame in game.frames]
    told = [line for frame in over for line in outcome(frame, named=len(over) > 1)]
    stream.write("\n".join(["", *map(text, over), "", *told]).expandtabs(4) + "\n")
    stream.flush()
