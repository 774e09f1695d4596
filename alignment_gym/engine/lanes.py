"""Many episodes of one world side by side: gathers from the tables, no Python a lane.

The Gymnasium and the SB3 batch are thin faces of this. Every array that is handed out is fresh.
A step that ends no episode does nothing for ends: as long as no lane can reach its horizon, and
no transition terminates, both flags are zeros without a look.
"""

import sys
from typing import Any, NamedTuple

import numpy as np
from gymnasium.error import ResetNeeded
from numpy.typing import NDArray

from alignment_gym.core import InvalidDial
from alignment_gym.engine.accounts import Accounts, Weights
from alignment_gym.engine.gathers import gathers
from alignment_gym.engine.growing import GrowingMDP
from alignment_gym.engine.mdp import FiniteMDP
from alignment_gym.engine.pool import Pool
from alignment_gym.engine.randomness import SCALE, draws, step_hashes
from alignment_gym.engine.views import View

KEYS_AHEAD = 64  # episode keys drawn at once from a lane's generator
DRAWS_AHEAD = 4096  # draws made at once, all lanes together

NO_LANES: NDArray[np.intp] = np.zeros(0, dtype=np.intp)


class Advance(NamedTuple):
    """What one step of all lanes brought; arrays are (lanes,)."""

    proxy_reward: NDArray[np.float64]
    true_reward: NDArray[np.float64]
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    ended: NDArray[np.intp]  # the lanes whose episode ended


class Lanes:
    """The present states, keys and returns of `count` episodes."""

    def __init__(
        self,
        mdp: FiniteMDP | GrowingMDP,
        count: int,
        accounts: Accounts | Weights,
        expose_true: bool = True,
        view: View | None = None,
    ) -> None:
        """Begin with no episodes.

        Args:
            mdp: the tables.
            count: of the lanes.
            accounts: what is paid.
            expose_true: whether anybody asks for the true account; where nobody does and the proxy
                is paid, it is not kept, and the true reward of a step stands for nothing.
            view: what is observed in place of features.
        """
        self.mdp = mdp
        self.view = view
        self.gathers = gathers(mdp, accounts)
        self.pays_true = accounts.paid == "true"
        self._both = expose_true or self.pays_true
        self.state = np.zeros(count, dtype=np.intp)
        self.key = np.zeros(count, dtype=np.uint32)
        self.proxy_return = np.zeros(count)
        self.true_return = np.zeros(count)
        self._actions = len(mdp.actions)
        self._shape = (count,)
        self._limit = np.array(self._actions, dtype=np.uint64)
        self._beyond = np.zeros(count, dtype=np.bool_)
        self._horizon = mdp.horizon or sys.maxsize
        self._now = 0  # steps of all lanes together
        self._began = np.zeros(count, dtype=np.int64)  # when each lane's episode did
        self._due = 0  # no horizon is reached before
        self._row = np.zeros(count, dtype=np.intp)
        self._kind = np.zeros(count, dtype=np.intp)
        self._none = np.zeros(count, dtype=np.bool_)
        self._last = np.zeros(count, dtype=np.bool_)  # whether the last transitions terminate
        self._pay = Pool((count,), np.float64)
        self._flags = Pool((count,), np.bool_)
        self._seen = Pool((count, self.gathers.seen.shape[1]), np.uint8)
        self._emitted = Pool((count, len(mdp.events)), np.float64)
        self._hashes = step_hashes(np.arange((mdp.horizon or 0) + 1))
        self._drawn: NDArray[np.intp] = np.zeros((min(max(DRAWS_AHEAD // count, 1), KEYS_AHEAD), count), dtype=np.intp)
        self._drawn_from = 0  # the time of the first row of draws
        self._ahead = 0  # rows that hold draws
        self._rngs: list[np.random.Generator] = []
        self._unbegun = set(range(count))
        self._keys = np.zeros((count, KEYS_AHEAD), dtype=np.uint32)
        self._used = np.full(count, KEYS_AHEAD)

    @property
    def step(self) -> NDArray[np.int64]:
        """Steps made in the lanes' episodes, (lanes,)."""
        return self._now - self._began

    @property
    def seeded(self) -> bool:
        """Whether the lanes have generators."""
        return bool(self._rngs)

    def seed(self, seeds: list[int]) -> None:
        """Give every lane a generator of its own, the one that the single environment would have."""
        self._rngs = [_generator(seed) for seed in seeds]
        self._used[:] = KEYS_AHEAD

    def reseed(self, seeds: list[int | None], which: NDArray[np.bool_]) -> None:
        """Give new generators to the lanes of a mask (lanes,) that have a seed; the others go on with theirs."""
        named = [(lane, seeds[lane]) for lane in np.flatnonzero(which).tolist()]
        fresh = {lane: _generator(seed) for lane, seed in named if seed is not None}
        for lane, rng in fresh.items():
            self._rngs[lane] = rng
            self._used[lane] = KEYS_AHEAD

    def begin(self, lanes: NDArray[np.intp], key: int | None = None, at_next: bool = False) -> None:
        """Start new episodes in some lanes, each with its next key, or all with `key`.

        Args:
            lanes: which.
            key: a 32-bit key for all of them.
            at_next: whether they stand still in the next step, and begin with it.
        """
        keys = self._next_keys(lanes) if key is None else np.full(len(lanes), int(key) % SCALE, dtype=np.uint32)
        self.key[lanes] = keys
        self.state[lanes] = self._starts(keys)
        self.proxy_return[lanes] = 0.0
        self.true_return[lanes] = 0.0
        self._began[lanes] = self._now + at_next
        if self._unbegun:
            self._unbegun.difference_update(lanes.tolist())
        self._ahead = 0  # what was drawn ahead was for other episodes

    def _starts(self, keys: NDArray[np.uint32]) -> NDArray[np.int32]:
        if len(self.mdp.start) == 1:
            return self.mdp.start
        drawn = draws(keys, self._hashes[:1])
        return self.mdp.start[np.searchsorted(self.mdp.start_bounds, drawn.astype(np.uint64), side="right")]

    def checked(self, actions: Any) -> NDArray[np.int64]:
        """Return actions as an array (lanes,).

        Raises:
            ResetNeeded: lanes in which no episode has begun.
            InvalidDial: another shape or type, or an action out of range; the lane is named.
        """
        if self._unbegun:
            raise ResetNeeded(f"lanes {sorted(self._unbegun)} have no episode yet: call reset() before step()")
        chosen = np.asarray(actions)
        if chosen.dtype != np.int64 or chosen.shape != self._shape:
            if chosen.dtype.kind not in "iu" or chosen.shape != self._shape:
                raise InvalidDial(
                    f"actions are whole numbers of shape {self._shape}, not {chosen.dtype} of shape {chosen.shape}"
                )
            chosen = chosen.astype(np.int64)
        beyond = np.greater_equal(chosen.view(np.uint64), self._limit, out=self._beyond)  # what is negative is large
        if np.count_nonzero(beyond):
            lane = int(beyond.argmax())
            raise InvalidDial(
                f"lane {lane}: action {chosen[lane]} is out of range; {self.mdp.name} has 0 to {self._actions - 1}"
            )
        return chosen

    def advance(self, actions: NDArray[np.integer], still: NDArray[np.intp] = NO_LANES) -> Advance:
        """Take one action in each lane; those in `still` stand still and are paid nothing."""
        tables = self.gathers
        waiting = self.state[still] if len(still) else None
        self._now += 1
        row = np.multiply(self.state, self._actions, out=self._row)
        row += actions
        tables.follow(row, row if tables.deterministic else self._draw(), self.state, self._kind, self._last)
        proxy_reward = self._pay.take(tables.proxy, self._kind)
        true_reward = self._pay.take(tables.true, self._kind) if self._both else proxy_reward
        if waiting is not None:
            self.state[still] = waiting
            proxy_reward[still] = 0.0
            true_reward[still] = 0.0
            self._last[still] = False
        terminated = self._flags.copy(self._last)
        truncated, ended = self._ends(terminated)
        if tables.pays_finally and len(ended):
            lanes = np.flatnonzero(truncated)
            proxy, true = tables.final_pay(self.state[lanes])
            proxy_reward[lanes] += proxy
            if self._both:
                true_reward[lanes] += true
        self.proxy_return += proxy_reward
        if self._both:
            self.true_return += true_reward
        return Advance(proxy_reward, true_reward, terminated, truncated, ended)

    def _ends(self, terminated: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
        """Return which lanes the horizon cuts off, (lanes,), and the numbers of all whose episode ended."""
        if self._now >= self._due:
            self._due = int(self._began.min()) + self._horizon  # it can only have come later since the last look
        if self._now < self._due:
            ends = self.gathers.ends and np.count_nonzero(terminated)
            return self._flags.copy(self._none), np.flatnonzero(terminated) if ends else NO_LANES
        truncated = self._began == self._now - self._horizon
        if not self.gathers.ends:
            return truncated, truncated.nonzero()[0]
        truncated &= ~terminated
        return truncated, (terminated | truncated).nonzero()[0]

    def returns(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the proxy and, where it is kept, the true return so far, (lanes,) each."""
        proxy_return = self._pay.copy(self.proxy_return)
        return proxy_return, self._pay.copy(self.true_return) if self._both else proxy_return

    def events(self, advance: Advance) -> NDArray[np.float64]:
        """Return what the last step emitted, (lanes, E)."""
        emitted = self._emitted.take(self.gathers.events, self._kind)
        if self.gathers.pays_finally and len(advance.ended):
            lanes = np.flatnonzero(advance.truncated)
            emitted[lanes] += self.gathers.final_events(self.state[lanes])
        return emitted

    def observe(self) -> Any:
        """Return the lanes' observations: features (lanes, D), what a view shows (lanes, ...), or a tuple of texts."""
        if self.view is not None:
            return self.view.batch(self.state, self.step)
        seen = self._seen.take(self.gathers.seen, self.state)
        return np.concatenate([seen, self.mdp.clock(self.step)], axis=-1) if self.mdp.observe_clock else seen

    def _draw(self) -> NDArray[np.intp]:
        """Return the present step's draws, (lanes,); as long as no episode begins, more and more are made at once."""
        place = self._now - self._drawn_from
        if place >= self._ahead:
            rows = min(2 * place, len(self._drawn)) if self._ahead else 1
            self._drawn_from, self._ahead, place = self._now, rows, 0
            steps = np.arange(self._now, self._now + rows)[:, None] - self._began
            endless = self.mdp.horizon is None
            hashes = step_hashes(steps) if endless else self._hashes.take(steps, mode="clip")
            self._drawn[:rows] = draws(self.key, hashes)
        drawn: NDArray[np.intp] = self._drawn[place]
        return drawn

    def _next_keys(self, lanes: NDArray[np.intp]) -> NDArray[np.uint32]:
        for lane in lanes[self._used[lanes] == KEYS_AHEAD]:
            self._keys[lane] = self._rngs[lane].integers(0, SCALE, size=KEYS_AHEAD, dtype=np.uint32)
            self._used[lane] = 0
        keys = self._keys[lanes, self._used[lanes]]
        self._used[lanes] += 1
        return np.asarray(keys, dtype=np.uint32)


def taken(observations: Any, lane: int) -> Any:
    """Return one lane's observation out of those of all, to be kept."""
    return observations[lane] if isinstance(observations, tuple) else observations[lane].copy()


def _generator(seed: int) -> np.random.Generator:
    """Return the generator that Gymnasium makes of a seed."""
    if seed < 0:
        raise InvalidDial(f"seed {seed} is out of range; seeds are not negative")
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed)))
