"""Whoever is to act: a run, a policy file, or a name, resolved to a table on a world."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alignment_gym.agents import Script, load_policy, script, scripted, untrained, untrained_names
from alignment_gym.agents.planner import PLANNED
from alignment_gym.core import InvalidPolicy, Mixture, UnknownName, World, dials, make_world, redialled, world_class
from alignment_gym.engine.growing import GrowingMDP
from alignment_gym.engine.mdp import FiniteMDP, compiled
from alignment_gym.engine.single import tables
from alignment_gym.exact import PolicyTable
from alignment_gym.exact.values import Array
from alignment_gym.experiments.config import RunConfig, read_config
from alignment_gym.experiments.run import read_result

REWARD_WORDS = {"proxy": "paid the proxy", "true": "paid what was meant"}


@dataclass(frozen=True, eq=False)
class Actor:
    """A policy and the world it acts in.

    Attributes:
        label: who it is, for people.
        mdp: the world's tables, which grow where the level is too large to be listed.
        policy: a table, or a script of its card.
        trained: the run that it comes from, where it comes from one.
    """

    label: str
    mdp: FiniteMDP | GrowingMDP
    policy: PolicyTable | Script
    trained: RunConfig | None = None

    @property
    def table(self) -> PolicyTable | Array:
        """The policy on what it observes, or a script's on states, (S, A) or (H, S, A).

        Raises:
            TooLargeToEnumerate: the level has no list of states.
        """
        if isinstance(self.policy, PolicyTable):
            return self.policy
        return scripted(as_listed(self.mdp), self.label)


def as_listed(mdp: FiniteMDP | GrowingMDP) -> FiniteMDP:
    """Return tables that list every state.

    Raises:
        TooLargeToEnumerate: the level has too many.
    """
    if isinstance(mdp, FiniteMDP):
        return mdp
    return compiled(mdp.world)


def find_actor(
    what: str, env: str | None = None, level: str | None = None, dials: dict[str, Any] | None = None
) -> Actor:
    """Resolve a run directory, a `policy.npz`, or a name such as `uniform` or `proxy-optimal`.

    Args:
        what: the path or name.
        env: the world; needed for names, otherwise the one that the policy was trained on.
        level: another level than the policy's.
        dials: other dials than the policy's.

    Raises:
        InvalidRun, InvalidPolicy, UnknownName: what it names can't act there.
    """
    path = Path(what)
    trained = None
    if path.is_dir():
        config = trained = read_config(path)
        read_result(path)
        table, known = load_policy(path / "policy.npz")
        home = config.env
        label = f"{config.recipe}, {REWARD_WORDS[config.reward]}"
    elif path.suffix == ".npz" or path.is_file():
        table, known = load_policy(path)
        home = table.env
        label = path.stem
    else:
        return _by_name(what, env, level, dials or {})
    wanted = env or home
    if world_class(wanted).card.id != table.env:
        raise InvalidPolicy(f"{what} was trained on {table.env}; it can't act in {wanted}")
    changes = dict(dials or {})
    mdp = compiled(make_world(wanted, level=level or table.level, **{**known, **changes}))
    return Actor(label, mdp, table, trained)


def find_companion(what: str, first: Actor, level: str | None = None, dials: dict[str, Any] | None = None) -> Actor:
    """Resolve who acts beside somebody: in the same world, on the same level, with the same dials.

    Args:
        what: as `find_actor` takes it.
        first: whom it acts beside.
        level: another level.
        dials: what is to be said of dials besides.

    Raises:
        InvalidRun, InvalidPolicy, UnknownName: what it names can't act there.
    """
    world = first.mdp.world
    assert world is not None, "found by an id or a policy's"
    return find_actor(what, first.mdp.name, level or world.level, _setting(world) | (dials or {}))


def _setting(world: World[Any]) -> dict[str, Any]:
    """Return all dials of a world, those of the first of a mixture's; whether the clock is seen is each agent's own."""
    part = _part(world)
    return {each.name: getattr(part, each.name) for each in dials(type(part)) if each.name != "observe_clock"}


def _part(world: World[Any]) -> World[Any]:
    """Return a world that stands for a mixture, or the world itself."""
    return world.parts[0] if isinstance(world, Mixture) else world


def _by_name(what: str, env: str | None, level: str | None, dials: dict[str, Any]) -> Actor:
    if env is None:
        names = ("uniform", *PLANNED)
        if what in names:
            raise InvalidPolicy(f"{what!r} acts in any world: say in which, with --env")
        raise UnknownName(
            "run directory, policy file or policy", what, (*names, "with --env also a demo, as `exploit`")
        )
    mdp = tables(env, level, dials)
    assert mdp.world is not None, "made from an id"
    named = what in [demo.name for demo in mdp.world.card.demos]
    if named:
        _check_plan(mdp.world, what)
    if named or (what == "uniform" and isinstance(mdp, GrowingMDP)):
        return Actor(what, mdp, script(mdp.world, what))
    mdp = compiled(mdp.world)  # what is too large is refused here
    if what not in untrained_names(mdp):
        raise UnknownName("run directory, policy file or policy", what, untrained_names(mdp))
    return Actor(what, mdp, untrained(mdp, what))


def _check_plan(world: World[Any], name: str) -> None:
    """Refuse to play a plan where it was not made for."""
    demo = world.card.demo(name)
    if not demo.is_plan:
        return
    changed = redialled(_part(world))
    if world.level != demo.level or changed:
        raise InvalidPolicy(
            f"{name!r} is a plan, a list of actions made for level {demo.level!r} at default dials; "
            f"here: {', '.join([f'level {world.level!r}', *changed])}"
        )
