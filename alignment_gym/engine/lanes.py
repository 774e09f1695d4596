"""Many episodes of one world side by side: gathers from the tables, no Python a lane.

The Gymnasium and the SB3 batch are thin faces of this. Every array that is handed out is fresh.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from alignment_gym.engine.accounts import Accounts
from alignment_gym.engine.mdp import FiniteMDP
from alignment_gym.engine.randomness import SCALE, mix_array, step_hashes

KEYS_AHEAD = 64  # episode keys drawn at once from a lane's generator


class Advance(NamedTuple):
    """What one step of all lanes brought; arrays are (lanes,)."""

    place: NDArray[np.intp]  # the transitions taken
    proxy_reward: NDArray[np.float64]
    true_reward: NDArray[np.float64]
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]


class Lanes:
    """The present states, steps, keys and returns of `count` episodes."""

    def __init__(self, mdp: FiniteMDP, count: int, accounts: Accounts) -> None:
        self.mdp = mdp
        self.count = count
        self.accounts = accounts
        self.state = np.zeros(count, dtype=np.intp)
        self.step = np.zeros(count, dtype=np.int64)
        self.key = np.zeros(count, dtype=np.uint32)
        self.proxy_return = np.zeros(count)
        self.true_return = np.zeros(count)
        self._actions = len(mdp.actions)
        self._hashes = step_hashes(mdp.horizon or 0)
        self._widest = int(np.diff(mdp.offset).max())
        self._rngs: list[np.random.Generator] = []
        self._keys = np.zeros((count, KEYS_AHEAD), dtype=np.uint32)
        self._used = np.full(count, KEYS_AHEAD)

    @property
    def seeded(self) -> bool:
        """Whether the lanes have generators."""
        return bool(self._rngs)

    def seed(self, seeds: list[int]) -> None:
        """Give every lane a generator of its own, the one that the single environment would have."""
        self._rngs = [np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed))) for seed in seeds]
        self._used[:] = KEYS_AHEAD

    def reseed(self, seeds: list[int | None], which: NDArray[np.bool_]) -> None:
        """Give new generators to the lanes of a mask (lanes,) that have a seed; the others go on with theirs."""
        for lane in np.flatnonzero(which):
            seed = seeds[lane]
            if seed is not None:
                self._rngs[lane] = np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed)))
                self._used[lane] = KEYS_AHEAD

    def begin(self, which: NDArray[np.bool_], key: int | None = None) -> None:
        """Start new episodes in the lanes of a mask (lanes,), each with its next key, or all with `key`."""
        lanes = np.flatnonzero(which)
        self.key[lanes] = self._next_keys(lanes) if key is None else np.uint32(key % SCALE)
        drawn = self._draws(lanes, np.zeros(len(lanes), dtype=np.int64))
        first = np.searchsorted(self.mdp.start_bounds, drawn.astype(np.uint64), side="right")
        self.state[lanes] = self.mdp.start[first]
        self.step[lanes] = 0
        self.proxy_return[lanes] = 0.0
        self.true_return[lanes] = 0.0

    def advance(self, actions: NDArray[np.integer], moving: NDArray[np.bool_] | None = None) -> Advance:
        """Take one action in each lane; lanes outside of `moving` stand still and are paid nothing."""
        mdp, accounts = self.mdp, self.accounts
        row = self.state * self._actions + actions
        place = mdp.offset[row]
        self.step += 1
        if self._widest > 1:
            place = self._chosen(place, mdp.offset[row + 1])
        state = mdp.next_state[place].astype(np.intp)
        terminated = mdp.terminated[place]
        truncated = (self.step == mdp.horizon) & ~terminated
        proxy_reward = accounts.proxy[place] + truncated * accounts.proxy_final[state]
        true_reward = accounts.true[place] + truncated * accounts.true_final[state]
        if moving is not None:
            state = np.where(moving, state, self.state)
            self.step -= ~moving
            proxy_reward, true_reward = proxy_reward * moving, true_reward * moving
            terminated, truncated = terminated & moving, truncated & moving
        self.state = state
        self.proxy_return += proxy_reward
        self.true_return += true_reward
        return Advance(place, proxy_reward, true_reward, terminated, truncated)

    def observe(self) -> NDArray[np.uint8]:
        """Return the lanes' observations, (lanes, D)."""
        seen = self.mdp.observations[self.mdp.observation_id[self.state]]
        return np.concatenate([seen, self.mdp.clock(self.step)], axis=-1) if self.mdp.observe_clock else seen

    def _draws(self, lanes: NDArray[np.intp], steps: NDArray[np.int64]) -> NDArray[np.uint32]:
        return mix_array(self.key[lanes] ^ self._hashes[steps])

    def _chosen(self, low: NDArray[np.intp], high: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return the first transitions in [low, high) whose upper bound exceeds the draw, by bisection."""
        drawn = self._draws(np.arange(self.count), self.step).astype(np.uint64)
        high = high - 1  # the last one's bound exceeds every draw
        for _ in range((self._widest - 1).bit_length()):
            middle = (low + high) >> 1
            beyond = self.mdp.bounds[middle] <= drawn
            low = np.where(beyond, np.minimum(middle + 1, high), low)
            high = np.where(beyond, high, middle)
        return low

    def _next_keys(self, lanes: NDArray[np.intp]) -> NDArray[np.uint32]:
        for lane in lanes[self._used[lanes] == KEYS_AHEAD]:
            self._keys[lane] = self._rngs[lane].integers(0, SCALE, size=KEYS_AHEAD, dtype=np.uint32)
            self._used[lane] = 0
        keys = self._keys[lanes, self._used[lanes]]
        self._used[lanes] += 1
        return np.asarray(keys, dtype=np.uint32)
