"""Q-learning and SARSA: a table of action values, learned on many lanes at once.

Observations are looked up by their number, which stands for the observation and nothing else:
states that look alike share a row. Both bootstrap where the horizon cuts an episode.

Sources: C. Watkins, Learning from Delayed Rewards (1989); G. Rummery, M. Niranjan, On-line
Q-learning using connectionist systems (1994).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from alignment_gym.agents.recipes import Recipe
from alignment_gym.agents.training import Checkpoint, Learned, Pay
from alignment_gym.engine.accounts import Accounts
from alignment_gym.engine.lanes import Lanes
from alignment_gym.engine.mdp import FiniteMDP


def learn(
    recipe: Recipe, mdp: FiniteMDP, pay: Pay, steps: int, seed: int, marks: Sequence[int], reached: Checkpoint
) -> Learned:
    """Learn action values.

    Args:
        recipe: `q-learning` or `sarsa`, with its settings.
        mdp: tables whose proxy is the reward that is trained on.
        pay: the scale of the reward.
        steps: of the environment, all lanes together.
        seed: of the lanes and of exploration.
        marks: steps at which `reached` is called with the greedy agent.
        reached: takes the number of steps and the agent.
    """
    learner = _Learner(recipe, mdp, pay, seed)
    pending = list(marks)
    made = 0
    while made < steps:
        learner.step(made / steps)
        made += recipe.lanes
        while pending and made >= pending[0]:
            pending.pop(0)
            if not pending or made < pending[0]:
                reached(made, _Greedy(mdp, learner.values.copy()))
    return Learned(_Greedy(mdp, learner.values), None, generalises=False)


class _Greedy:
    """The agent that takes the action of the highest value, ties to the first."""

    def __init__(self, mdp: FiniteMDP, values: NDArray[np.float64]) -> None:
        clocks = mdp.clock(np.arange(mdp.horizon or 1)) if mdp.observe_clock else [np.zeros(0, dtype=np.uint8)]
        rows = [np.concatenate([seen, clock]).tobytes() for clock in clocks for seen in mdp.observations]
        self._choice = dict(zip(rows, values.argmax(axis=-1).tolist(), strict=True))

    def __call__(self, observations: NDArray[np.uint8]) -> NDArray[np.intp]:
        return np.array([self._choice.get(row.tobytes(), 0) for row in observations], dtype=np.intp)


class _Learner:
    def __init__(self, recipe: Recipe, mdp: FiniteMDP, pay: Pay, seed: int) -> None:
        self.recipe = recipe
        self.mdp = mdp
        self.pay = pay
        self.lanes = Lanes(mdp, recipe.lanes, Accounts.open(mdp), expose_true=False)
        self.lanes.seed([seed + lane for lane in range(recipe.lanes)])
        self.lanes.begin(np.arange(recipe.lanes))
        self.rng = np.random.default_rng([seed, 1])
        clocks = mdp.horizon if mdp.observe_clock and mdp.horizon else 1
        shape = (clocks * len(mdp.observations), len(mdp.actions))
        self.values = np.full(shape, float(recipe.settings["optimism"]))
        self.visits = np.zeros(shape)
        self._error = np.zeros(self.values.size)
        self.seen = self._look()
        self.action = self._choose(self.seen, 1.0)

    def step(self, progress: float) -> None:
        """Act in all lanes and learn from what followed."""
        settings = self.recipe.settings
        chance = max(settings["last_exploration"], 1.0 - progress / settings["exploring"])
        seen, action = self.seen, self.action
        advance = self.lanes.advance(action)
        beyond = self._look()  # before finished lanes begin anew: the horizon cuts, it does not end
        follow = self._choose(beyond, chance)
        on_policy = self.recipe.algorithm == "sarsa"
        ahead = self.values[beyond, follow] if on_policy else self.values[beyond].max(axis=-1)
        reward = (advance.proxy_reward - self.pay.base) * self.pay.scale
        self._learn(seen, action, reward + self.recipe.discount * ahead * ~advance.terminated)
        done = advance.terminated | advance.truncated
        if done.any():
            self.lanes.begin(advance.ended)
            beyond = self._look()
            follow = np.where(done, self._choose(beyond, chance), follow)
        self.seen, self.action = beyond, follow

    def _learn(self, seen: NDArray[np.intp], action: NDArray[np.intp], target: NDArray[np.float64]) -> None:
        """Move each visited entry towards the mean of its targets; lanes in one entry write one value."""
        settings = self.recipe.settings
        entry = seen * self.values.shape[1] + action
        values, visits, error = self.values.reshape(-1), self.visits.reshape(-1), self._error
        error[entry] = 0.0
        np.add.at(error, entry, target - values[entry])
        before = visits[entry]
        np.add.at(visits, entry, 1.0)
        after = visits[entry]
        rate = np.maximum(settings["last_rate"], after ** -settings["rate_decay"])
        values[entry] += rate * error[entry] / (after - before)

    def _look(self) -> NDArray[np.intp]:
        seen = self.mdp.observation_id[self.lanes.state].astype(np.intp)
        if self.mdp.observe_clock:
            seen = seen + len(self.mdp.observations) * np.minimum(self.lanes.step, (self.mdp.horizon or 1) - 1)
        return seen

    def _choose(self, seen: NDArray[np.intp], chance: float) -> NDArray[np.intp]:
        values = self.values[seen]
        ties = values >= values.max(axis=-1, keepdims=True)
        greedy = (self.rng.random(values.shape) * ties).argmax(axis=-1)
        random = self.rng.integers(0, values.shape[1], len(seen))
        return np.where(self.rng.random(len(seen)) < chance, random, greedy)
