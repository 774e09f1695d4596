"""Training: from a world, a reward and a recipe to a policy table.

The learner is handed tables that know only the reward it is paid; the other account is not there
to be read. Scores under both rewards are computed afterwards, from the tables kept on the way.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from alignment_gym.agents import tabular
from alignment_gym.agents.recipes import Recipe, foreign_learner
from alignment_gym.agents.training import Checkpoint, Learned, pay, span, stripped
from alignment_gym.core import UnknownName
from alignment_gym.engine.accounts import REWARDS
from alignment_gym.engine.mdp import FiniteMDP
from alignment_gym.engine.randomness import derived_seed
from alignment_gym.engine.single import AlignmentEnv
from alignment_gym.exact.tables import Agent, PolicyTable, tabulate
from alignment_gym.exact.values import at_start, of_policy

Progress = Callable[[int, float], None]
"""Takes the number of steps made and the normalised score under the reward that is trained on."""


@dataclass(frozen=True, slots=True)
class Trained:
    """What training leaves behind.

    Attributes:
        policy: the final table.
        checkpoints: the steps at which a table was kept, and the tables; the last is the final one.
        save_model: writes the network, None for tabular learners.
        agent: to be asked about observations of other levels; None for tabular learners, whose table is all
            that they know.
    """

    policy: PolicyTable
    checkpoints: tuple[tuple[int, PolicyTable], ...]
    save_model: Callable[[str], None] | None
    agent: Agent | None


def train(
    mdp: FiniteMDP,
    recipe: Recipe,
    *,
    reward: str = "proxy",
    steps: int,
    seed: int,
    checkpoints: int = 12,
    progress: Progress | None = None,
    log_folder: Path | None = None,
) -> Trained:
    """Train an agent.

    Args:
        mdp: the world's tables.
        recipe: algorithm and hyperparameters.
        reward: `proxy`, or `true` for the twin.
        steps: environment steps, all lanes together.
        seed: the replicate; lanes, network and exploration derive from it.
        checkpoints: how many tables are kept at most, the final one too.
        progress: told at every checkpoint how well the agent does on its own reward.
        log_folder: where TensorBoard events go; networks only.

    Raises:
        UnknownName: no such reward.
    """
    if reward not in REWARDS:
        raise UnknownName("reward", reward, REWARDS)
    known = stripped(mdp, reward)
    ruler = Ruler.of(known)
    kept: list[tuple[int, PolicyTable]] = []

    def reached(made: int, agent: Agent) -> None:
        table = tabulate(agent, known)
        kept.append((made, table))
        if progress is not None:
            progress(made, ruler.score(table))

    learned = learn(recipe, known, steps, seed, marks(steps, checkpoints), reached, log_folder)
    kept = [each for each in kept if each[0] < steps]
    reached(steps, learned.agent)
    return Trained(kept[-1][1], tuple(kept), learned.save, learned.agent if learned.generalises else None)


def marks(steps: int, count: int = 12) -> tuple[int, ...]:
    """Return the steps at which tables are kept: spaced logarithmically, the last step left out."""
    spaced = np.unique(np.geomspace(steps, max(steps / 100, 1), count).astype(int))
    return tuple(int(mark) for mark in spaced if mark < steps)


@dataclass(frozen=True, slots=True)
class Ruler:
    """Measures a policy on the reward that it is trained on: 0 for uniform play, 1 for the optimum."""

    mdp: FiniteMDP
    best: float
    reference: float

    @classmethod
    def of(cls, mdp: FiniteMDP) -> "Ruler":
        """Solve for the proxy of `mdp`, which in training is the reward that is trained on."""
        return cls(mdp, *span(mdp))

    def score(self, table: PolicyTable) -> float:
        """Return a policy's normalised return; NaN where the reward is the same for all policies."""
        policy = table.on(self.mdp).by_state(self.mdp)
        earned = float(at_start(self.mdp, of_policy(self.mdp, [self.mdp.specification.proxy], policy))[0])
        rise = self.best - self.reference
        return (earned - self.reference) / rise if rise > 0 else float("nan")


def learn(
    recipe: Recipe,
    known: FiniteMDP,
    steps: int,
    seed: int,
    at: Sequence[int],
    reached: Checkpoint,
    log_folder: Path | None = None,
) -> Learned:
    """Train on tables whose proxy is the reward that is trained on.

    Args:
        recipe: algorithm and hyperparameters.
        known: the tables, from `stripped`.
        steps: environment steps, all lanes together.
        seed: the replicate.
        at: steps at which, or soon after, `reached` is called; learners from elsewhere never call it.
        reached: takes the number of steps made and the agent.
        log_folder: where TensorBoard events go; networks only.
    """
    base = derived_seed("lanes", seed)  # so that lanes of different runs share no stream
    if ":" in recipe.algorithm:
        learner = foreign_learner(recipe.algorithm)
        return Learned(learner(lambda: AlignmentEnv(known, expose_true=False), steps=steps, seed=base), None)
    scale = pay(known, recipe.rise)
    if recipe.algorithm in ("q-learning", "sarsa"):
        return tabular.learn(recipe, known, scale, steps, base, at, reached)
    from alignment_gym.agents import sb3

    env = sb3.AlignmentVecEnv(known, recipe.lanes, expose_true=False, pay=scale)
    return sb3.learn(recipe, env, steps, seed, at, reached, str(log_folder) if log_folder else None)
