"""The stopwatch: how long a recipe needs until it plays its own reward to the optimum.

Scores are exact, so a policy that has reached the optimum is seen to have, without episodes of
evaluation; their time is left out.
"""

from dataclasses import dataclass
from time import perf_counter

from alignment_gym.agents.recipes import Recipe
from alignment_gym.agents.train import Ruler, learn
from alignment_gym.agents.training import stripped
from alignment_gym.engine.mdp import FiniteMDP
from alignment_gym.exact.tables import Agent, tabulate


def seconds_to_optimum(
    recipe: Recipe,
    mdp: FiniteMDP,
    seed: int,
    steps: int,
    every: int,
    *,
    reward: str = "proxy",
    score: float = 0.99,
    in_a_row: int = 5,
) -> float:
    """Return the seconds of training until a recipe reaches the optimum of its own reward, and stays.

    Training is judged every so many steps and ends with the last judgement needed. A first rollout
    is made beforehand, as torch imports a part of itself only then.

    Args:
        recipe: algorithm and hyperparameters; schedules run over `steps`.
        mdp: the world's tables.
        seed: the replicate.
        steps: of the environment at most, all lanes together.
        every: steps between two judgements, or a rollout where that is longer.
        reward: `proxy`, or `true` for the twin.
        score: the normalised return of the deployed policy that counts as the optimum.
        in_a_row: judgements that must find it there; the first of them is returned.

    Returns:
        Seconds on the wall, judgements left out; NaN where `steps` do not suffice.
    """
    known = stripped(mdp, reward)
    learn(recipe, known, 1, seed, (), lambda *_: None)
    watch = _Stopwatch(Ruler.of(known), score, in_a_row, perf_counter())
    try:
        learned = learn(recipe, known, steps, seed, range(every, steps, every), watch.judge)
        watch.judge(steps, learned.agent)
    except _SustainedError:
        return watch.reached
    return float("nan")


class _SustainedError(Exception):
    """The optimum was held for as long as was asked: training can end."""


@dataclass(slots=True)
class _Stopwatch:
    """Stands still while it judges."""

    ruler: Ruler
    score: float
    in_a_row: int
    began: float
    aside: float = 0.0
    held: int = 0
    reached: float = float("nan")

    def judge(self, _made: int, agent: Agent) -> None:
        """Score the agent, and end training once enough judgements in a row found it at the optimum."""
        now = perf_counter()
        if self.ruler.score(tabulate(agent, self.ruler.mdp)) < self.score:
            self.held = 0
        else:
            if self.held == 0:
                self.reached = now - self.began - self.aside
            self.held += 1
            if self.held == self.in_a_row:
                raise _SustainedError
        self.aside += perf_counter() - now
