"""A frame is a scene with the episode's accounts beside it, as data."""

from collections.abc import Mapping
from dataclasses import dataclass

from alignment_gym.core import Scene

LINES_KEPT = 6


@dataclass(frozen=True, slots=True)
class Line:
    """One step of the ledger: what was done, what it emitted, what it paid."""

    step: int
    action: str
    events: Mapping[str, float]
    proxy_reward: float
    true_reward: float


@dataclass(frozen=True, slots=True)
class Ledger:
    """An episode's accounts up to now.

    Attributes:
        step: steps made.
        proxy_return, true_return: so far.
        lines: the last steps, newest first.
        first_seen: the first step that emitted each event.
    """

    step: int = 0
    proxy_return: float = 0.0
    true_return: float = 0.0
    lines: tuple[Line, ...] = ()
    first_seen: Mapping[str, int] | None = None

    def after(self, action: str, events: Mapping[str, float], proxy_reward: float, true_reward: float) -> "Ledger":
        """Return the ledger one step later."""
        line = Line(self.step + 1, action, events, proxy_reward, true_reward)
        return Ledger(
            step=line.step,
            proxy_return=self.proxy_return + proxy_reward,
            true_return=self.true_return + true_reward,
            lines=(line, *self.lines)[:LINES_KEPT],
            first_seen={name: line.step for name in events} | dict(self.first_seen or {}),
        )


@dataclass(frozen=True, slots=True)
class Frame:
    """All that one picture shows.

    Attributes:
        scene: the world.
        title: its name.
        ledger: the accounts.
        horizon: steps in an episode, 0 without end.
        proxy, true: the weights of events.
        exploit_event: the event that marks the exploit.
        who: who acts, such as `PPO, paid the proxy`.
    """

    scene: Scene
    title: str
    ledger: Ledger
    horizon: int
    proxy: Mapping[str, float]
    true: Mapping[str, float]
    exploit_event: str
    who: str = ""
