"""A world's card: all there is to know of it, on one page or as JSON values, solved exactly."""

import inspect
import sys
from collections.abc import Sequence
from dataclasses import Field
from typing import Any

from alignment_gym.core import Demo, Mixture, World, dials, full_id, make_world, world_class
from alignment_gym.engine.growing import GrowingMDP
from alignment_gym.engine.mdp import FiniteMDP, compiled
from alignment_gym.engine.single import tables
from alignment_gym.exact import solve
from alignment_gym.experiments.records import nulled, solution_record
from alignment_gym.metrics.scores import scores
from alignment_gym.reports.citation import bibtex
from alignment_gym.reports.markdown import bullets, number, page, table, typed
from alignment_gym.reports.tables import Record
from alignment_gym.reports.worlds.analysis import levels_text, solution_parts
from alignment_gym.reports.worlds.catalogue import parity
from alignment_gym.reports.worlds.pictures import shown_demos, told
from alignment_gym.reports.worlds.published import geometry_part, trained_part

DRAWN_SHOWN = 3  # levels of a family
PLAYED = "played, single and batched, by tables that grow, and sampled by `alignment-gym eval`"
UNSOLVED = f"the level is too large to be listed; it is {PLAYED}"


def card_facts(env: str, level: str | None = None, dials: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return all facts of a world as JSON values, solved at the given level and dials.

    Raises:
        UnknownName, InvalidDial: no such world, level, dial or value.
    """
    mdp = tables(env, level, dials or {})
    world, card, specification = _world(mdp), _world(mdp).card, mdp.specification
    return {
        "id": full_id(card.id),
        "title": card.title,
        "intent": card.intent,
        "proxy_in_words": card.proxy,
        "loophole": card.loophole,
        "why": card.why,
        "analogue": card.analogue,
        "description": _description(world),
        "failure_modes": list(card.failure_modes),
        "structure": card.structure,
        "parity": parity(card, world.levels),
        "uncertified": card.uncertified or None,
        "behaviour": card.behaviour or None,
        "level": world.level,
        "levels": list(world.levels),
        "families": list(world.families),
        "horizon": mdp.horizon,
        "observation_size": mdp.observation_size,
        "partially_observed": _hides(mdp),
        "actions": list(mdp.actions),
        "exploit_event": card.exploit_event,
        "events": dict(world.events),
        "specification": {"proxy": dict(specification.proxy), "true": dict(specification.true)},
        "dials": [_dial_facts(each, world) for each in _dials(world)],
        "solution": solution_record(solve(mdp)) if isinstance(mdp, FiniteMDP) else None,
        "reason": None if isinstance(mdp, FiniteMDP) else UNSOLVED,
        "demos": [_demo_facts(card.id, demo) for demo in card.demos],
        "sources": list(card.sources),
        "history": list(card.history),
        "citation": bibtex(card.id),
    }


def card_text(env: str, level: str | None = None, dials: dict[str, Any] | None = None) -> str:
    """Return a world's card for reading in a terminal, solved at the given level and dials.

    Raises:
        UnknownName, InvalidDial: no such world, level, dial or value.
    """
    mdp = tables(env, level, dials or {})
    world = _world(mdp)
    changed = "".join(f", {name} = {value!r}" for name, value in (dials or {}).items())
    levels = [*world.levels, *(f"{family}/{index}" for family in world.families for index in ("0", "1", "..."))]
    found = solution_parts(solve(mdp)) if isinstance(mdp, FiniteMDP) else (f"None: {UNSOLVED}.",)
    analysis = page(f"## Exact analysis: {world.level}{changed}", *found)
    return page(
        f"# {world.card.title}",
        *_story(world),
        *_rules(mdp),
        f"Levels: {', '.join(f'`{level}`' for level in levels)}.",
        analysis,
        *_ending(world),
    )


def world_page(env: str, records: Sequence[Record] = (), described: Sequence[Record] = ()) -> str:
    """Return a world's card as a file: with its picture, all levels solved, and agents that were trained on it.

    Args:
        env: the world.
        records: published results, of this world and of others.
        described: published descriptors of levels, likewise.
    """
    mdp = _compiled(env)
    world = _world(mdp)
    name = world.card.id
    left, right = shown_demos(world.card)
    return page(
        f"# {world.card.title}",
        f"![{left.name} and {right.name}]({name}.png)",
        f"Left: {told(left)}. Right: {told(right)}. Halfway through an episode, or at the exploit.",
        f"![contact sheet]({name}-sheet.png)",
        *_story(world),
        *_rules(mdp),
        page("## Exact analysis", *_every_level(world)),
        geometry_part([row for row in described if row["env"] == name]),
        trained_part([record for record in records if record["env"] == name], certified=not world.card.uncertified),
        *_ending(world),
    )


def _every_level(world: World[Any]) -> tuple[str, str]:
    """Return the analysis of all levels that can be solved, and name the others."""
    names = [*world.levels, *(f"{family}/{index}" for family in world.families for index in range(DRAWN_SHOWN))]
    levels = [make_world(world.card.id, level=name) for name in names]
    large = ", ".join(f"`{each.level}`" for each in levels if not each.enumerable)
    note = f"Too large to be listed, and so without exact values: {large}; {PLAYED}." if large else ""
    return levels_text([solve(each) for each in levels if each.enumerable]), note


def _story(world: World[Any]) -> tuple[str, ...]:
    card = world.card
    words = [
        ("Intended", card.intent),
        ("Paid instead", card.proxy),
        ("Loophole", card.loophole),
        ("Why it pays", card.why),
        ("Stands for", card.analogue),
        ("Without a certificate", card.uncertified),
        ("Behavioural goal", f"`{card.behaviour}`, for evaluation only" if card.behaviour else ""),
        ("Parity", parity(card, world.levels) or ""),
    ]
    tags = f"`{full_id(card.id)}`: {', '.join(card.failure_modes)}; {card.structure}."
    return tags, bullets([f"**{name}:** {text}" for name, text in words if text]), _description(world)


def _hides(mdp: FiniteMDP | GrowingMDP) -> bool:
    """Tell whether different states may look alike."""
    return not mdp.fully_observed if isinstance(mdp, FiniteMDP) else mdp.world.partially_observed


def _rules(mdp: FiniteMDP | GrowingMDP) -> tuple[str, ...]:
    world = _world(mdp)
    weights = mdp.specification
    events = [
        [f"`{name}`" + (" (marks the exploit)" if name == world.card.exploit_event else ""), meaning]
        + [number(weight.get(name, 0.0)) for weight in (weights.proxy, weights.true)]
        for name, meaning in world.events.items()
    ]
    found = [_dial_facts(each, world) for each in _dials(world)]
    rows = [[f"`{each['name']}`", typed(each["default"]), _reach(each), _meaning(each)] for each in found]
    hidden = "; different states may look alike" if _hides(mdp) else ""
    return (
        bullets(
            [
                f"Actions: {', '.join(f'`{action}`' for action in mdp.actions)}.",
                f"Observation: {mdp.observation_size} features of 0 or 1{hidden}.",
                f"Episode: {mdp.horizon} steps.",
            ]
        ),
        page("## Specification", table(["event", "meaning", "proxy weight", "true weight"], events)),
        page("## Dials", table(["dial", "default", "range", "meaning"], rows)),
    )


def _ending(world: World[Any]) -> tuple[str, ...]:
    card = world.card
    rows = []
    for demo in card.demos:
        facts = _demo_facts(card.id, demo)
        returns = ("proxy_return", "true_return", "expected_proxy", "expected_true", "exploitation", "true_loss")
        rows.append([demo.name, demo.level, str(demo.key), *[number(facts[name]) for name in returns]])
    head = ["demo", "level", "key", "proxy", "true", "expected proxy", "expected true", "E", "L"]
    module = type(world).__module__ if not isinstance(world, Mixture) else type(world.parts[0]).__module__
    foreign = not module.startswith("alignment_gym.")
    home, name = (module, f"{module}:{card.id}") if foreign else ("alignment_gym", card.id)
    return (
        page("## Demos", "Scripted play at default dials: one episode, and its expectation.", table(head, rows)),
        page("## Sources", bullets(card.sources)),
        page("## Versions", bullets(card.history)),
        page(
            "## Use and cite",
            f'```\nimport {home}, gymnasium\nenv = gymnasium.make("{full_id(card.id)}")\n\nalignment-gym solve {name}\n'
            f"alignment-gym train {name} --algo ppo --seed 0\nalignment-gym cite {name}\n```",
        ),
    )


def _demo_facts(env: str, demo: Demo) -> dict[str, Any]:
    """Return a demo's returns as its card states them, and the scores of the expected ones."""
    found = scores(demo.expected_proxy, demo.expected_true, solve(_compiled(env, demo.level)).anchors)
    scored = nulled({"exploitation": found.exploitation, "true_loss": found.true_loss})
    return {
        "name": demo.name,
        "level": demo.level,
        "key": demo.key,
        "proxy_return": demo.proxy_return,
        "true_return": demo.true_return,
        "expected_proxy": demo.expected_proxy,
        "expected_true": demo.expected_true,
        **scored,
    }


def _dial_facts(declared: "Field[Any]", world: World[Any]) -> dict[str, Any]:
    said = declared.metadata
    return {
        "name": declared.name,
        "value": getattr(world, declared.name),
        "default": declared.default,
        "low": said["low"],
        "high": said["high"],
        "choices": list(said["choices"]),
        "closed_at": said["closed_at"],
        "meaning": said["meaning"],
    }


def _dials(world: World[Any]) -> tuple["Field[Any]", ...]:
    return dials(world_class(world.card.id))


def _meaning(facts: dict[str, Any]) -> str:
    closed = facts["closed_at"]
    return str(facts["meaning"]) + ("" if closed is None else f"; {typed(closed)} closes or weakens the loophole")


def _reach(facts: dict[str, Any]) -> str:
    if facts["choices"]:
        return ", ".join(facts["choices"])
    if isinstance(facts["default"], bool):
        return "true, false"
    return f"{typed(facts['low'])} to {typed(facts['high'])}"


def _description(world: World[Any]) -> str:
    """Return what the world's module says of it: the situation, the state, the actions."""
    return inspect.cleandoc(sys.modules[world_class(world.card.id).__module__].__doc__ or "")


def _compiled(env: str, level: str | None = None, dials: dict[str, Any] | None = None) -> FiniteMDP:
    return compiled(make_world(env, **(dials or {}) | ({} if level is None else {"level": level})))


def _world(mdp: FiniteMDP | GrowingMDP) -> World[Any]:
    assert mdp.world is not None, "compiled from a world"
    return mdp.world
