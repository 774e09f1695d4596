"""A level's tables as JSON: whoever has them and an episode's key can play it exactly, and plan, without Python.

Numbers are those of the engine, so that sums taken in its order give its returns to the last bit. Schema, format 1;
S states, A actions, N outcomes, rows numbered `state * A + action`; `emitted`, `payments`, `chances` are kept once
and pointed at by number::

    format          1
    env, level, title, horizon
    card            {intent, proxy, loophole, why, analogue}
    actions         names
    keys            names of keys by action: letters, and `up`, `right`, `down`, `left`
    events          names
    exploit_event   the event that marks the exploit, or ""
    weights         {proxy: {event: weight}, true: {event: weight}}
    start           {state: [...], bound: [...]}: the first state whose bound exceeds the draw of step 0
    scene           (S), numbers in an atlas, which is none of this; empty without one
    observation     (S), what the agent sees, by number
    ending          (S), rows of `endings`
    endings         [proxy reward, true reward, emitted, succeeded 0/1]: what the horizon adds to the last step
    emitted         [[event's number, amount], ...], without zeros
    tables          what follows, see below
    beliefs         None, or where states are hidden {tables, start: [...], observed: (B)}: what the agent can know, as
                    states of its own, and what it sees in each; a belief's followers differ in what is seen or in
                    `terminated`
    ranges          {proxy: [worst, best], true: [worst, best]}: expected returns
    ties            {proxy: [low, high], true: [low, high]}: the proxy return of true-optimal policies, the true
                    return of proxy-optimal ones
    tolerance       {proxy, true}: action values closer than this are tied
    demos           [{name, key, actions, proxy_return, true_return}], of this level

    tables.chance   (S * A), rows of `chances`
    tables.chances  [[upper bounds on the 32-bit draw], [probabilities]], one a follower
    tables.next     (N), next states, rows laid end to end
    tables.payment  (N), rows of `payments`
    tables.payments [proxy reward, true reward, emitted or -1, terminated 0/1], final events of a termination included
    tables.final    (S), only of beliefs: [proxy, true] that the horizon is expected to add

The draw of step t is `engine.randomness.draw(key, t)`.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from alignment_gym.core import Demo, InvalidWorld, World, redialled
from alignment_gym.engine.accounts import Accounts
from alignment_gym.engine.belief import observing
from alignment_gym.engine.lookups import named
from alignment_gym.engine.mdp import FiniteMDP
from alignment_gym.engine.single import AlignmentEnv
from alignment_gym.exact.ties import TOLERANCE, over_optimal, scale_of
from alignment_gym.viewing.atlas import NONE, Atlas, Collected
from alignment_gym.viewing.episode import ranges
from alignment_gym.viewing.keyboard import bindings

FORMAT = 1


def export(mdp: FiniteMDP, atlas: Atlas | None = None) -> dict[str, Any]:
    """Return a level as data for JSON; see the module's docstring.

    Args:
        mdp: compiled from a world.
        atlas: where the pictures of its states go; none leaves them out.

    Raises:
        InvalidWorld: tables that no world was compiled to, or without a horizon.
        TooLargeToEnumerate: states are hidden, and there are too many beliefs about them.
    """
    world = mdp.world
    if world is None or mdp.horizon is None:
        raise InvalidWorld(f"{mdp.name} has no world or no horizon; only worlds with both can be played on a page")
    accounts, emitted = Accounts.open(mdp), Collected()
    ending, endings = _endings(mdp, accounts, emitted)
    return {
        "format": FORMAT,
        "env": world.card.id,
        "level": world.level,
        "title": world.card.title,
        "horizon": mdp.horizon,
        "card": {name: getattr(world.card, name) for name in ("intent", "proxy", "loophole", "why", "analogue")},
        "actions": list(mdp.actions),
        "keys": keys(mdp),
        "events": list(mdp.events),
        "exploit_event": world.card.exploit_event,
        "weights": {which: dict(mdp.reward(which)) for which in ("proxy", "true")},
        "start": {"state": mdp.start.tolist(), "bound": mdp.start_bounds.tolist()},
        "scene": [] if atlas is None else [atlas.add(world.draw(state)) for state in mdp.states],
        "observation": mdp.observation_id.tolist(),
        "ending": ending,
        "endings": endings,
        "tables": _tables(mdp, accounts, emitted),
        "emitted": emitted.made,
        "beliefs": _beliefs(mdp),
        **_solved(mdp),
        "demos": [_unrolled(mdp, demo) for demo in world.card.demos if fits(demo, world)],
    }


def keys(mdp: FiniteMDP) -> list[list[str]]:
    """Return the names of the keys of each action, letters first."""
    bound = bindings(AlignmentEnv(mdp))
    return [[key for key, chosen in bound.items() if chosen == action] for action in range(len(mdp.actions))]


def fits(demo: Demo, world: World[Any]) -> bool:
    """Tell whether a demo plays this level: a plan serves only the map that it was made for."""
    return demo.level == world.level and not (demo.is_plan and redialled(world))


def played(mdp: FiniteMDP, demo: Demo) -> Iterator[tuple[int, dict[str, Any]]]:
    """Play a demo under its key, and yield each step's action and info."""
    env = AlignmentEnv(mdp)
    env.reset(options={"key": demo.key})
    over, step = False, 0
    while not over:
        action = mdp.actions.index(demo.action(mdp.world, env.state, step))
        _, _, terminated, truncated, info = env.step(action)
        over, step = terminated or truncated, step + 1
        yield action, info


def _unrolled(mdp: FiniteMDP, demo: Demo) -> dict[str, Any]:
    steps = list(played(mdp, demo))
    last = steps[-1][1]
    return {
        "name": demo.name,
        "key": demo.key,
        "actions": [action for action, _ in steps],
        "proxy_return": last["proxy_return"],
        "true_return": last["true_return"],
    }


def _tables(mdp: FiniteMDP, accounts: Accounts, emitted: Collected | None = None) -> dict[str, Any]:
    """Lay out what follows; events are told where `emitted` is there to take them."""
    chances, payments = Collected(), Collected()
    kinds = _payments(mdp, accounts, emitted)
    bounds, probabilities, offset = mdp.bounds.tolist(), mdp.probability.tolist(), mdp.offset.tolist()
    chance = []
    for low, high in pairwise(offset):
        row = [bounds[low:high], probabilities[low:high]]
        chance.append(chances.enter((tuple(row[0]), tuple(row[1])), row))
    payment = [payments.enter(tuple(kind), kind) for kind in kinds]
    return {
        "chance": chance,
        "chances": chances.made,
        "next": mdp.next_state.tolist(),
        "payment": payment,
        "payments": payments.made,
    }


def _payments(mdp: FiniteMDP, accounts: Accounts, emitted: Collected | None) -> Iterator[list[Any]]:
    places = zip(
        accounts.proxy.tolist(),
        accounts.true.tolist(),
        mdp.event_id.tolist(),
        mdp.next_state.tolist(),
        mdp.terminated.tolist(),
        strict=True,
    )
    known: dict[tuple[int, int], int] = {}
    for proxy, true, kind, state, terminated in places:
        source = (kind, state if terminated else NONE)
        if emitted is not None and source not in known:
            row = mdp.event_rows[kind] + (mdp.final[state] if terminated else 0.0)
            known[source] = _emitted(mdp, row.tolist(), emitted)
        yield [proxy, true, known.get(source, NONE), int(terminated)]


def _emitted(mdp: FiniteMDP, row: list[float], emitted: Collected) -> int:
    pairs = [[mdp.events.index(name), amount] for name, amount in named(mdp.events, row).items()]
    return emitted.enter(tuple(map(tuple, pairs)), pairs)


def _endings(mdp: FiniteMDP, accounts: Accounts, emitted: Collected) -> tuple[list[int], list[Any]]:
    endings, ending = Collected(), []
    paid = zip(accounts.proxy_final.tolist(), accounts.true_final.tolist(), strict=True)
    for state, (proxy, true) in enumerate(paid):
        row = [proxy, true, _emitted(mdp, mdp.final[state].tolist(), emitted), int(mdp.succeeded[state])]
        ending.append(endings.enter(tuple(row), row))
    return ending, endings.made


def _beliefs(mdp: FiniteMDP) -> dict[str, Any] | None:
    """Return what the agent can know, where that is less than everything."""
    if mdp.fully_observed:
        return None
    known = observing(mdp)
    accounts = Accounts.open(known)
    final = zip(accounts.proxy_final.tolist(), accounts.true_final.tolist(), strict=True)
    beliefs: tuple[Any, ...] = known.states
    return {
        "start": known.start.tolist(),
        "observed": [int(mdp.observation_id[belief[0][0]]) for belief in beliefs],
        "tables": _tables(known, accounts) | {"final": [list(each) for each in final]},
    }


def _solved(mdp: FiniteMDP) -> dict[str, Any]:
    known, found = observing(mdp), dict(zip(("proxy", "true"), ranges(mdp), strict=True))
    scale = {which: scale_of(ends[1], ends[0]) for which, ends in found.items() if ends is not None}
    ties = {}
    for which, other in (("proxy", "true"), ("true", "proxy")):
        left_open = over_optimal(known, mdp.reward(which), mdp.reward(other), scale[which])
        ties[other] = [left_open.low, left_open.high]
    return {
        "ranges": {which: list(ends) for which, ends in found.items() if ends is not None},
        "ties": ties,
        "tolerance": {which: TOLERANCE * size for which, size in scale.items()},
    }
