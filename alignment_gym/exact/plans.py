"""The shortest sure exploit: the fewest steps in which a fixed list of actions, played blindly, is a hack.

An episode of h steps is a world of its own, with its own optimal and intended play. A plan for it is a hack if its
exact expected returns have E >= 0.25 and L >= 0.05 against the anchors of just that episode, so it is not enough
that there was no time yet to do what was meant. Fewest steps, because what needs no eyes and little time is what a
learner stumbles upon first.

Where nothing is left to chance, the first such h is found exactly, by walking forward and keeping, of all plans that
lead to one state, those that no other beats in both returns: what follows is the same for all of them. Where there is
chance, plans are built greedily on the predicted distribution over states, and one that is found is known to be the
shortest only if no policy at all could hack a shorter episode. All of this was derived here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, islice
from math import nan
from typing import Any, NamedTuple

import numpy as np

from alignment_gym.core import World
from alignment_gym.engine.belief import knowing
from alignment_gym.engine.mdp import FiniteMDP, as_mdp
from alignment_gym.exact.evaluation import event_probability, exploit_event
from alignment_gym.exact.exploits import ALIKE, Account, Index, account, walk
from alignment_gym.exact.lengths import Episodes, Pass, directions, is_hack
from alignment_gym.exact.solution import solve
from alignment_gym.exact.values import Array, Backup, both_rewards, sweeps
from alignment_gym.metrics.scores import NEGLIGIBLE, Anchors, Scores, scores

LONGEST = 100  # steps looked at where episodes are endless
MOST_PLANS = 600_000  # extensions of plans looked at
MOST_ROWS = 2_000_000  # outcomes looked at, where there is chance
STEP_COST = 1_000  # of them that a step costs at least
LEANINGS = (1 / 64, 1 / 4, 1.0, 4.0)  # weights of true loss beside proxy gain, in their ranges, in building plans
MOST_VALUES = 1 << 23  # action values kept at once
SURE = 1e-9


@dataclass(frozen=True, slots=True)
class Exploit:
    """A fixed list of actions that is a hack, whatever it meets.

    Attributes:
        steps: of the episode.
        actions: names; fewer than `steps` where the episode has ended by then.
        start: the place of the only start that it serves, None where it serves the world's own.
        account: what it is paid for; its sums are the exact expected returns.
        anchors: of an episode of that many steps.
        scores: E, L and more between these.
        event_probability: that the card's exploit event happens, NaN where the card names none.
        sure: whether that event is certain or the exploit is another one; under a specification other than the
            world's own the expected returns are enough.
        shortest: whether no plan of fewer steps is such a hack; otherwise none was found.
    """

    steps: int
    actions: tuple[str, ...]
    start: int | None
    account: Account
    anchors: Anchors
    scores: Scores
    event_probability: float
    sure: bool
    shortest: bool

    @property
    def plan(self) -> str:
        """The actions, with blanks between them, as a demo's plan is written."""
        return " ".join(self.actions)

    @property
    def text(self) -> str:
        """The actions in runs, such as `east 3x, hold 97x`."""
        runs = ((action, len(list(run))) for action, run in groupby(self.actions))
        return ", ".join(f"{action} {count}x" if count > 1 else action for action, count in runs)

    def episode(self, mdp: FiniteMDP) -> FiniteMDP:
        """Return the episode that it hacks, made of the world's tables."""
        return _alone(mdp, self.start).with_horizon(self.steps)


@dataclass(frozen=True, slots=True)
class Shortest:
    """The shortest sure exploit, or why there is none.

    Attributes:
        exploit: None where there is none.
        reason: why there is none, or nothing.
    """

    exploit: Exploit | None
    reason: str = ""


def shortest_exploit(what: str | World[Any] | FiniteMDP, **dials: Any) -> Shortest:
    """Return the plan of the fewest steps that is a hack in expectation over starts and chance.

    Of plans equally short, the one that earns the most proxy counts, then the one of the lowest true return. Where
    none is found that serves all starts together, each is tried alone. Endless episodes are cut after `LONGEST` steps.
    """
    mdp = as_mdp(what, **dials)
    mdp = mdp if mdp.horizon is not None else mdp.with_horizon(LONGEST)
    known, whole = knowing(mdp), solve(mdp).anchors
    solved = Pass(known, whole)
    found = _search(mdp, Episodes(solved, known.start_probability, whole))
    if (found.exploit and found.exploit.sure) or len(mdp.start) == 1 or not mdp.fully_observed:
        return found
    starts, shares = enumerate(np.eye(len(mdp.start))), len(mdp.start)
    alone = [_search(_alone(mdp, place), Episodes(solved, start, whole), place, shares) for place, start in starts]
    exploits = [each.exploit for each in alone if each.exploit and (each.exploit.sure or not found.exploit)]
    return Shortest(min(exploits, key=lambda each: (not each.sure, each.steps))) if exploits else found


def _alone(mdp: FiniteMDP, start: int | None) -> FiniteMDP:
    """Return the MDP with one start of its several, or as it is."""
    return mdp if start is None else replace(mdp, start=mdp.start[[start]], start_probability=np.ones(1))


def _search(mdp: FiniteMDP, episodes: Episodes, start: int | None = None, shares: int = 1) -> Shortest:
    """Look for a plan in the episodes that some policy can hack; several starts share the work allowed."""
    first = next(episodes.hackable(), None)
    if first is None:
        return Shortest(None, episodes.without_exploit())
    found, complete = None, False
    if mdp.deterministic and len(mdp.start) == 1:
        found, complete = _first_hack(mdp, episodes)
    if found is None and not complete:
        found = _greedy_hack(mdp, episodes, MOST_ROWS // shares)
    if found is None:
        return Shortest(None, NO_PLAN if complete else NONE_FOUND.format(first))
    return Shortest(_exploit(mdp, episodes, start, found, complete or found.steps == first))


class _Plan(NamedTuple):
    steps: int
    actions: list[int]


def _exploit(mdp: FiniteMDP, episodes: Episodes, start: int | None, plan: _Plan, shortest: bool) -> Exploit:
    cut, anchors = mdp.with_horizon(plan.steps), episodes.anchors(plan.steps)
    found = account(cut, lambda step, _states, _chances: plan.actions[step])
    chance = _chance_of_event(cut, plan)
    return Exploit(
        steps=plan.steps,
        actions=tuple(mdp.actions[action] for action in plan.actions),
        start=start,
        account=found,
        anchors=anchors,
        scores=scores(found.proxy_return, found.true_return, anchors),
        event_probability=chance,
        sure=_sure(mdp, chance),
        shortest=shortest,
    )


def _chance_of_event(cut: FiniteMDP, plan: _Plan) -> float:
    event = exploit_event(cut)
    if not event:
        return nan
    actions = [*plan.actions, *[0] * (plan.steps - len(plan.actions))]
    shape = plan.steps, cut.state_count, len(cut.actions)
    return event_probability(cut, np.broadcast_to(np.eye(shape[-1])[actions][:, None], shape), event)


def _sure(mdp: FiniteMDP, chance: float) -> bool:
    """Tell whether an exploit event of such a probability speaks for a sure exploit."""
    own = mdp.world is not None and mdp.specification == mdp.world.specification
    return not own or not SURE < chance < 1.0 - SURE


NO_PLAN = "no plan hacks an episode of any length, though weighted sums of returns don't rule it out"
NONE_FOUND = (
    "no fixed plan was found that hacks; policies that react to what they meet may, in an episode of {} steps or more"
)


class _Front(NamedTuple):
    """Plans of one length, those that another one beats left out.

    Attributes:
        state: (L,), where they lead, S where the episode has ended.
        earned: (L, 2), both returns so far.
        before: (L,), the place of the plan that each extends.
        action: (L,), by what.
    """

    state: Index
    earned: Array
    before: Index
    action: Index


def _first_hack(mdp: FiniteMDP, episodes: Episodes) -> tuple[_Plan | None, bool]:
    """Return the shortest hack where nothing is left to chance, and whether all shorter plans were looked at."""
    final, looked = np.vstack([both_rewards(mdp).final, np.zeros(2)]), 0
    fronts: list[_Front] = []
    for front in islice(_fronts(mdp, episodes.whole), episodes.longest):
        fronts.append(front)
        steps = len(fronts)
        if episodes.may_be_hacked(steps):
            proxy, true = (front.earned + mdp.discount**steps * final[front.state]).T
            hacks = np.flatnonzero(is_hack(proxy, true, episodes.anchors(steps)))
            if len(hacks):
                first = hacks[np.lexsort((true[hacks], -proxy[hacks]))[0]]
                return _Plan(steps, _traced(mdp, fronts, int(first))), True
        looked += len(front.state) * len(mdp.actions)
        if looked > MOST_PLANS:
            return None, False
    return None, True


def _fronts(mdp: FiniteMDP, whole: Anchors) -> Iterator[_Front]:
    """Yield the unbeaten plans of 1 step, of 2, and so on; an ended episode goes on with the first action."""
    actions, ended = len(mdp.actions), mdp.state_count
    pays = np.stack([mdp.transition_rewards(mdp.reward(which)) for which in ("proxy", "true")], axis=1)
    pays = np.vstack([pays, np.zeros((actions, 2))])
    after = np.append(np.where(mdp.terminated, ended, mdp.next_state), [ended] * actions).astype(np.intp)
    spare = NEGLIGIBLE * np.array([whole.proxy_range, whole.true_range])
    state, earned, weight = mdp.start.astype(np.intp), np.zeros((1, 2)), 1.0
    while True:
        row = (state[:, None] * actions + np.arange(actions)).ravel()
        sums = np.repeat(earned, actions, axis=0) + weight * pays[row]
        kept = _unbeaten(after[row], sums, spare)
        state, earned = after[row][kept], sums[kept]
        yield _Front(state, earned, kept // actions, kept % actions)
        weight *= mdp.discount


def _unbeaten(state: Index, earned: Array, spare: Array) -> Index:
    """Return the places of the plans to whose state no other leads with as much proxy and as little true return."""
    rounded = np.round(earned[:, 0] / (spare[0] or 1.0))  # rounding alone tells none apart
    order = np.lexsort((earned[:, 1], -rounded, state))
    group = np.cumsum(np.diff(state[order], prepend=state[order[0]]) != 0)
    true = earned[order, 1]
    apart = true - group * (np.ptp(true) + 1.0)  # each state's lie below those of the states before
    least = np.minimum.accumulate(apart)
    better = np.append(True, apart[1:] < least[:-1] - spare[1])
    return np.asarray(order[better])


def _traced(mdp: FiniteMDP, fronts: Sequence[_Front], last: int) -> list[int]:
    """Return the actions that lead to a plan's end, without those after the end of its episode."""
    actions, place = [], last
    for front in reversed(fronts):
        actions.append(int(front.action[place]))
        place = int(front.before[place])
    cut = mdp.with_horizon(len(fronts))
    lasting = sum(1 for _ in walk(cut, lambda step, _states, _chances: actions[-1 - step]))
    return actions[::-1][:lasting]


def _greedy_hack(mdp: FiniteMDP, episodes: Episodes, most: int) -> _Plan | None:
    """Return the shortest plan found that is a sure hack, or else a hack in expectation alone.

    Plans choose at each step the action that is worth the most on the states predicted, as if all were seen later;
    worth is measured by several mixtures of the returns.
    """
    best: dict[bool, _Plan] = {}
    for leaning in directions(episodes.whole, LEANINGS).T:
        for plan, sure in _greedy_hacks(mdp, episodes, leaning, most // len(LEANINGS)):
            if sure not in best or plan.steps < best[sure].steps:
                best[sure] = plan
            if sure or (True in best and plan.steps >= best[True].steps):
                break
    return best.get(True, best.get(False))


def _greedy_hacks(mdp: FiniteMDP, episodes: Episodes, leaning: Array, most: int) -> Iterator[tuple[_Plan, bool]]:
    """Yield plans that are hacks, by length, and whether they are sure ones, within the work allowed."""
    pays = np.stack([mdp.transition_rewards(mdp.reward(which)) for which in ("proxy", "true")], axis=1)
    quality, looked = _qualities(mdp, leaning), 0
    for steps in episodes.hackable():
        if steps > len(quality) or looked > most:
            return
        cut = mdp.with_horizon(steps)
        plan, earned, met = _built(cut, quality, pays)
        looked += met
        if is_hack(earned[:1], earned[1:], episodes.anchors(steps)):
            looked += steps * (STEP_COST + mdp.transition_count)
            yield plan, _sure(mdp, _chance_of_event(cut, plan))


def _qualities(mdp: FiniteMDP, weights: Array) -> list[Array]:
    """Return what actions are worth with 1 step to go, with 2, and so on, each (A, S), under weights (2,)."""
    backup, found = Backup(mdp, both_rewards(mdp).mixed(weights[:, None])), []
    for to_go in sweeps(backup):
        quality = backup.quality()
        found.append(quality[..., 0].copy())
        quality.max(axis=0, out=backup.values)
        if to_go * found[0].size >= MOST_VALUES:
            break
    return found


def _built(cut: FiniteMDP, quality: Sequence[Array], pays: Array) -> tuple[_Plan, Array, int]:
    """Return the greedy plan for an episode, both returns, and the number of outcomes met on the way."""
    steps, actions, looked = cut.horizon or 0, [], 0
    final, earned = both_rewards(cut).final, np.zeros(2)

    def choose(step: int, states: Index, chances: Array) -> int:
        worth = quality[steps - 1 - step][:, states] @ chances
        action = int((worth >= worth.max() - ALIKE).argmax())
        actions.append(action)
        return action

    for outcome, mass in walk(cut, choose):
        earned += mass @ pays[outcome]
        looked += max(len(outcome), STEP_COST)
        if len(actions) == steps:
            live = ~cut.terminated[outcome]
            earned += cut.discount * (mass[live] @ final[cut.next_state[outcome[live]]])
    return _Plan(steps, actions), earned, looked
