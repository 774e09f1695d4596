"""A frame is a scene with the episode's accounts beside it, as data."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from alignment_gym.core import Cell, Scene
from alignment_gym.core.maps import STEPS
from alignment_gym.render.sight import Sight

LINES_KEPT = 10
TRAIL_KEPT = 14  # cells
UNEXPLAINED = 1e-6  # of a reward: less is rounding

Range = tuple[float, float]
Weights = tuple[tuple[str, float], ...]
"""Names of events, and what one of each is worth."""


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
        proxy_extremes, true_extremes: the lowest and highest returns so far, 0 included.
        trail: where the one who acts was last, oldest first.
        sight: what was in sight so far, None where nobody kept it.
    """

    step: int = 0
    proxy_return: float = 0.0
    true_return: float = 0.0
    lines: tuple[Line, ...] = ()
    first_seen: Mapping[str, int] = field(default_factory=dict)
    proxy_extremes: Range = (0.0, 0.0)
    true_extremes: Range = (0.0, 0.0)
    trail: tuple[Cell, ...] = ()
    sight: Sight | None = None

    def after(
        self,
        action: str,
        events: Mapping[str, float],
        proxy_reward: float,
        true_reward: float,
        scene: Scene | None = None,
    ) -> "Ledger":
        """Return the ledger one step later; the scene then reached lengthens the trail."""
        line = Line(self.step + 1, action, events, proxy_reward, true_reward)
        proxy_return, true_return = self.proxy_return + proxy_reward, self.true_return + true_reward
        here = () if scene is None or not scene.sprites else (scene.sprites[-1].cell,)
        return Ledger(
            step=line.step,
            proxy_return=proxy_return,
            true_return=true_return,
            lines=(line, *self.lines)[:LINES_KEPT],
            first_seen=dict.fromkeys(events, line.step) | dict(self.first_seen),
            proxy_extremes=_widened(self.proxy_extremes, proxy_return),
            true_extremes=_widened(self.true_extremes, true_return),
            trail=(*self.trail, *here)[-TRAIL_KEPT:],
            sight=self.sight if scene is None or self.sight is None else self.sight.after(scene),
        )

    @property
    def heading(self) -> str:
        """The direction of the last step, if it was one."""
        return self.lines[0].action if self.lines and self.lines[0].action in STEPS else ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One event of a step: its name, what it paid, what it was worth, and whether it marks the exploit."""

    name: str
    paid: float
    meant: float
    marks: bool


@dataclass(frozen=True, slots=True)
class Terms:
    """What events are worth: the weights of both accounts, the exploit's event, and whether the true one is covered."""

    proxy: Weights
    true: Weights
    exploit_event: str
    true_hidden: bool


@dataclass(frozen=True, slots=True)
class Frame:
    """All that one picture shows.

    Attributes:
        scene: the world; its last sprite is the one who acts.
        title: its name.
        ledger: the accounts.
        horizon: steps in an episode, 0 without end.
        proxy, true: the weights of events.
        exploit_event: the event that marks the exploit.
        who: who acts, such as `PPO, paid the proxy`.
        proxy_range, true_range: what the worst and the best policy earn on average, if known.
        true_hidden: whether the true account stays covered, as in play.
    """

    scene: Scene
    title: str
    ledger: Ledger
    horizon: int
    proxy: Mapping[str, float]
    true: Mapping[str, float]
    exploit_event: str
    who: str = ""
    proxy_range: Range | None = None
    true_range: Range | None = None
    true_hidden: bool = False

    @property
    def exploited_at(self) -> int | None:
        """The first step of the exploit, None before it or where it stays covered."""
        return None if self.true_hidden else self.ledger.first_seen.get(self.exploit_event)

    @property
    def sight(self) -> Sight:
        """What was in sight up to now, at least this scene."""
        return self.ledger.sight or Sight().after(self.scene)

    def entries(self, line: Line) -> list[Entry]:
        """Return a step's weighed events, as `entries` does."""
        terms = Terms(tuple(self.proxy.items()), tuple(self.true.items()), self.exploit_event, self.true_hidden)
        return entries(line, terms)


@dataclass(frozen=True, slots=True)
class Moment:
    """One picture of a contact sheet: what it is called, and the frame."""

    name: str
    frame: Frame


@dataclass(frozen=True, slots=True)
class Strip:
    """An episode in a few moments, in order."""

    name: str
    moments: tuple[Moment, ...]


@dataclass(frozen=True, slots=True)
class Idea:
    """What stands above the strips.

    Attributes:
        title: the world's name.
        meant: what the designer wants.
        paid: what the proxy pays for.
        loophole: how the two come apart.
    """

    title: str
    meant: str
    paid: str
    loophole: str


def entries(line: Line, terms: Terms) -> list[Entry]:
    """Return a step's weighed events, each with what it was paid and worth, and the exploit.

    What no event explains, such as a learned reward's pay, comes first, under no name.
    """
    paid, worth = line.proxy_reward, line.true_reward
    pays, means = dict(terms.proxy), dict(terms.true)
    found = []
    for name, amount in sorted(line.events.items(), key=lambda event: event[0] == "step"):
        proxy, true = pays.get(name, 0.0) * amount, means.get(name, 0.0) * amount
        paid, worth = paid - proxy, worth - true
        marks = name == terms.exploit_event and not terms.true_hidden
        if proxy or marks or (true and not terms.true_hidden):
            found.append(Entry(_counted(name, amount), proxy, true, marks))
    rest = abs(paid) > UNEXPLAINED or (abs(worth) > UNEXPLAINED and not terms.true_hidden)
    return [Entry("", paid, worth, False), *found] if rest or not found else found


def instrument(scene: Scene) -> str:
    """Say whose picture the sensor's view is."""
    if scene.sensor is not None and scene.sensor.title:
        return scene.sensor.title
    kinds = {sprite.kind for sprite in scene.sprites}
    return "what the camera sees" if "camera" in kinds else "what the sensor shows"


def _widened(extremes: Range, value: float) -> Range:
    return min(extremes[0], value), max(extremes[1], value)


def _counted(name: str, amount: float) -> str:
    words = name.replace("_", " ")
    return words if amount == 1.0 else f"{words} {amount:g}" if amount == int(amount) else words


def signed(value: float) -> str:
    """Return a number with its sign: `+12.30`, `-0.05`, `0.00`."""
    rounded = round(value, 2) + 0.0
    digits = f"{abs(rounded):.2f}" if abs(rounded) < 1000 else f"{abs(rounded):.0f}"
    return digits if rounded == 0 else ("+" if rounded > 0 else "-") + digits


def weighed(weights: Mapping[str, float]) -> str:
    """Return what an account pays for: `buoy +1, step -0.05`."""
    shown = [f"{name.replace('_', ' ')} {weight:+.4g}" for name, weight in weights.items() if weight]
    return ", ".join(shown) or "nothing"
