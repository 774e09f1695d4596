"""A world's card: what was intended, what goes wrong, and who said so first."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from alignment_gym.core.errors import UnknownName

Structure = Literal["immediate", "delayed", "irreversible", "contextual", "hidden"]

FAILURE_MODES = (
    "specification-gaming",
    "sensor-tampering",
    "shutdown",
    "oversight",
    "side-effects",
    "misgeneralisation",
    "distribution-shift",
    "reward-tampering",
    "self-modification",
    "measure-gaming",
    "manipulation",
    "power-seeking",
    "externality",
    "control",
)


@dataclass(frozen=True, slots=True)
class Demo:
    """One scripted way to behave, with the returns it earns.

    Attributes:
        name: `intended`, `exploit`, or what else it shows.
        policy: `(world, state) -> action name`, or a plan: names of actions with blanks between
            them, the last of which is repeated to the end.
        key: the 32-bit episode key of the sample episode.
        proxy_return, true_return: what the episode with that key earns.
        expected_proxy, expected_true: the exact expectations over all keys.
        level: the level it plays.
    """

    name: str
    policy: Callable[[Any, Any], str] | str
    key: int
    proxy_return: float
    true_return: float
    expected_proxy: float
    expected_true: float
    level: str

    @property
    def is_plan(self) -> bool:
        """Whether it is a list of actions, which fits its own level alone."""
        return isinstance(self.policy, str)

    def action(self, world: Any, state: Any, step: int) -> str:
        """Return the name of the action taken in a state, after so many steps of the episode."""
        if not isinstance(self.policy, str):
            return self.policy(world, state)
        plan = self.policy.split()
        return plan[min(step, len(plan) - 1)]


@dataclass(frozen=True, slots=True)
class Card:
    """What a reader needs to know of a world and a machine can't compute.

    Attributes:
        id: name with version, such as `BoatRace-v0`.
        title: a few words.
        intent: what the designer wanted.
        proxy: what is paid instead, in words.
        loophole: what the proxy pays for and the designer did not want.
        why: why the wrong answer pays.
        analogue: the real system that it stands for.
        failure_modes: tags out of `FAILURE_MODES`.
        structure: how the exploit works.
        sources: where the story comes from, with arXiv ids.
        exploit_event: the event whose occurrence marks the exploit; empty where there is none.
        demos: scripted policies with their returns.
        history: a sentence a version.
        parity: what the world equals step for step, if anything.
        parity_levels: the levels on which it does.
        uncertified: why the world claims no certificate; empty where it claims one.
        behaviour: the event of a goal that an agent may have learned instead of the intended one;
            for evaluation only. Empty where there is none.
    """

    id: str
    title: str
    intent: str
    proxy: str
    loophole: str
    why: str
    analogue: str
    failure_modes: tuple[str, ...]
    structure: Structure
    sources: tuple[str, ...]
    exploit_event: str
    demos: tuple[Demo, ...] = ()
    history: tuple[str, ...] = ("v0: first version.",)
    parity: str | None = None
    parity_levels: tuple[str, ...] = ()
    uncertified: str = ""
    behaviour: str = ""

    def demo(self, name: str) -> Demo:
        """Return the demo of that name.

        Raises:
            UnknownName: there is none.
        """
        for demo in self.demos:
            if demo.name == name:
                return demo
        raise UnknownName("demo", name, [demo.name for demo in self.demos])
