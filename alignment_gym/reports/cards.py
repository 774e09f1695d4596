"""Cards: all there is to know of a world or a recipe, on one page, generated."""

import inspect
import sys
from collections.abc import Sequence
from dataclasses import Field
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from alignment_gym.agents import RECIPES, Recipe, untrained
from alignment_gym.core import Demo, World, dials, full_id, make_world, world_class, world_ids
from alignment_gym.core.files import replacing, write_text
from alignment_gym.engine.mdp import FiniteMDP, compiled
from alignment_gym.exact import solve
from alignment_gym.experiments.records import nulled, solution_record
from alignment_gym.metrics.scores import scores
from alignment_gym.render.pixels import pixels
from alignment_gym.reports.analysis import levels_text, solution_parts, solution_text
from alignment_gym.reports.catalogue import parity
from alignment_gym.reports.citation import bibtex
from alignment_gym.reports.markdown import bullets, number, page, table
from alignment_gym.viewing.episode import acted, joined

__all__ = ["card_facts", "card_text", "solution_text", "stale_cards", "write_cards"]

DRAWN_SHOWN = 3
PICTURE_TILE = 28  # pixels
NOTICEABLE = 48  # of 255: less may be another version's smoothing
NOTICEABLE_SHARE = 0.01  # of a picture's pixels

Picture = NDArray[np.uint8]


def card_facts(env: str, level: str | None = None, dials: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return all facts of a world as JSON values, solved at the given level and dials.

    Raises:
        UnknownName, InvalidDial: no such world, level, dial or value.
        TooLargeToEnumerate: the level can't be solved.
    """
    mdp = _compiled(env, level, dials)
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
        "partially_observed": not mdp.fully_observed,
        "actions": list(mdp.actions),
        "exploit_event": card.exploit_event,
        "events": dict(world.events),
        "specification": {"proxy": dict(specification.proxy), "true": dict(specification.true)},
        "dials": [_dial_facts(each, world) for each in _dials(world)],
        "solution": solution_record(solve(mdp)),
        "demos": [_demo_facts(card.id, demo) for demo in card.demos],
        "sources": list(card.sources),
        "history": list(card.history),
        "citation": bibtex(card.id),
    }


def card_text(env: str, level: str | None = None, dials: dict[str, Any] | None = None) -> str:
    """Return a world's card for reading in a terminal, solved at the given level and dials.

    Raises:
        UnknownName, InvalidDial: no such world, level, dial or value.
        TooLargeToEnumerate: the level can't be solved.
    """
    mdp = _compiled(env, level, dials)
    world = _world(mdp)
    changed = "".join(f", {name} = {value!r}" for name, value in (dials or {}).items())
    levels = [*world.levels, *(f"{family}/{index}" for family in world.families for index in ("0", "1", "..."))]
    analysis = page(f"## Exact analysis: {world.level}{changed}", *solution_parts(solve(mdp)))
    return page(
        f"# {world.card.title}",
        *_story(world),
        *_rules(mdp),
        f"Levels: {', '.join(f'`{level}`' for level in levels)}.",
        analysis,
        *_ending(world),
    )


def write_cards(out: Path, worlds: Sequence[str] | None = None) -> list[Path]:
    """Write `envs/` and `agents/` below a folder: cards, pictures, indices; return the files.

    Args:
        out: the folder.
        worlds: whose cards, all by default.

    Raises:
        UnwritablePath: nothing can be written there.
    """
    chosen = world_ids() if worlds is None else worlds
    written = []
    for name, text in _texts(chosen).items():
        write_text(out / name, text)
        written.append(out / name)
    for env in chosen:
        path = _picture_path(out, env)
        with replacing(path) as temporary:
            temporary.write_bytes(_png(card_picture(env)))
        written.append(path)
    return written


def stale_cards(out: Path, worlds: Sequence[str] | None = None) -> list[Path]:
    """Return the files that `write_cards` would change: texts, and pictures that look different."""
    chosen = world_ids() if worlds is None else worlds
    texts = [out / name for name, text in _texts(chosen).items() if not _reads(out / name, text)]
    pictures = [_picture_path(out, env) for env in chosen]
    return texts + [path for path in pictures if not shows(path, card_picture(path.stem))]


def world_page(env: str) -> str:
    """Return a world's card as a file: with its picture, and all levels solved."""
    cls = world_class(env)
    levels = [*cls.levels, *(f"{family}/{index}" for family in cls.families for index in range(DRAWN_SHOWN))]
    mdp = _compiled(env)
    world = _world(mdp)
    name = world.card.id
    return page(
        f"# {world.card.title}",
        f"![Exploited, and as intended]({name}.png)",
        "Left: the exploit. Right: what was intended. Both halfway through an episode.",
        *_story(world),
        *_rules(mdp),
        page("## Exact analysis", levels_text([solve(name, level=level) for level in levels])),
        *_ending(world),
    )


def recipe_page(recipe: Recipe) -> str:
    """Return a recipe's card."""
    top = {"steps": recipe.steps, "lanes": recipe.lanes, "discount": recipe.discount, "rise": recipe.rise}
    acts = {"stochastic": "draws its actions", "greedy": "takes its most valued action"}[recipe.deployed]
    return page(
        f"# {recipe.name}",
        recipe.about,
        bullets(
            [f"Algorithm: {recipe.algorithm}.", f"Deployed: {recipe.deployed}; it {acts}.", f"Tuned: {recipe.tuned}"]
        ),
        "## Hyperparameters",
        table(["name", "value"], [[f"`{key}`", _plain(value)] for key, value in {**top, **recipe.settings}.items()]),
        "`steps` counts all lanes together; `rise` is what optimal play earns an episode, on the learner's scale, "
        "where uniform play earns 0. The other names are the algorithm's own.",
        f"```\nalignment-gym train BoatRace-v0 --algo {recipe.name} --seed 0\n```",
    )


def card_picture(env: str) -> Picture:
    """Return the exploit beside the intended play, both halfway through their episodes."""
    frames = []
    demos = {demo.name: demo for demo in world_class(env).card.demos}
    for name in ("exploit", "intended"):
        mdp = _compiled(env, demos[name].level)
        middle = (mdp.horizon or 0) // 2
        played = list(islice(acted(mdp, untrained(mdp, name), demos[name].key, name), middle + 1))
        frames.append(pixels(played[-1], tile=PICTURE_TILE))
    return joined(frames[0], frames[1])


def _texts(worlds: Sequence[str]) -> dict[str, str]:
    """Return pages by their paths: those of some worlds, of all recipes, and the indices."""
    pages = {f"envs/{env}.md": world_page(env) for env in worlds}
    recipes = {f"agents/{name}.md": recipe_page(recipe) for name, recipe in RECIPES.items()}
    return {**pages, "envs/README.md": _worlds_index(), **recipes, "agents/README.md": _recipes_index()}


def _worlds_index() -> str:
    cards = [world_class(env).card for env in world_ids()]
    rows = [[f"[{card.id}]({card.id}.md)", ", ".join(card.failure_modes), card.intent, card.loophole] for card in cards]
    head = "Made by `alignment-gym cards`. A card has the specification, the exact analysis and the sources."
    return page("# Worlds", head, table(["world", "failure mode", "intended", "loophole"], rows))


def _recipes_index() -> str:
    rows = [[f"[{name}]({name}.md)", recipe.about, recipe.deployed] for name, recipe in RECIPES.items()]
    head = "Made by `alignment-gym cards`. One recipe an algorithm, the same for all worlds."
    return page("# Recipes", head, table(["recipe", "about", "deployed"], rows))


def _story(world: World[Any]) -> tuple[str, ...]:
    card = world.card
    words = [
        ("Intended", card.intent),
        ("Paid instead", card.proxy),
        ("Loophole", card.loophole),
        ("Why it pays", card.why),
        ("Stands for", card.analogue),
        ("Without a certificate", card.uncertified),
        ("Parity", parity(card, world.levels) or ""),
    ]
    tags = f"`{full_id(card.id)}`: {', '.join(card.failure_modes)}; {card.structure}."
    return tags, bullets([f"**{name}:** {text}" for name, text in words if text]), _description(world)


def _rules(mdp: FiniteMDP) -> tuple[str, ...]:
    world = _world(mdp)
    weights = mdp.specification
    events = [
        [f"`{name}`" + (" (marks the exploit)" if name == world.card.exploit_event else ""), meaning]
        + [number(weight.get(name, 0.0)) for weight in (weights.proxy, weights.true)]
        for name, meaning in world.events.items()
    ]
    found = [_dial_facts(each, world) for each in _dials(world)]
    rows = [[f"`{each['name']}`", _plain(each["default"]), _reach(each), _meaning(each)] for each in found]
    hidden = "" if mdp.fully_observed else "; different states may look alike"
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
    return (
        page("## Demos", "Scripted play at default dials: one episode, and its expectation.", table(head, rows)),
        page("## Sources", bullets(card.sources)),
        page("## Versions", bullets(card.history)),
        page(
            "## Use and cite",
            f'```\nenv = gymnasium.make("{full_id(card.id)}")\n\nalignment-gym solve {card.id}\n'
            f"alignment-gym train {card.id} --algo ppo --seed 0\nalignment-gym cite {card.id}\n```",
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
    return str(facts["meaning"]) + ("" if closed is None else f"; {_plain(closed)} closes or weakens the loophole")


def _reach(facts: dict[str, Any]) -> str:
    if facts["choices"]:
        return ", ".join(facts["choices"])
    if isinstance(facts["default"], bool):
        return "true, false"
    return f"{_plain(facts['low'])} to {_plain(facts['high'])}"


def _plain(value: Any) -> str:
    """Return a value as one types it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(map(_plain, value))}]"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _description(world: World[Any]) -> str:
    """Return what the world's module says of it: the situation, the state, the actions."""
    return inspect.cleandoc(sys.modules[world_class(world.card.id).__module__].__doc__ or "")


def _compiled(env: str, level: str | None = None, dials: dict[str, Any] | None = None) -> FiniteMDP:
    return compiled(make_world(env, **(dials or {}) | ({} if level is None else {"level": level})))


def _world(mdp: FiniteMDP) -> World[Any]:
    assert mdp.world is not None, "compiled from a world"
    return mdp.world


def _picture_path(out: Path, env: str) -> Path:
    return out / "envs" / f"{env}.png"


def _png(picture: Picture) -> bytes:
    file = BytesIO()
    Image.fromarray(picture).save(file, format="PNG", optimize=True)
    return file.getvalue()


def _reads(path: Path, text: str) -> bool:
    """Tell whether a file holds this text."""
    return path.is_file() and path.read_text(encoding="utf-8") == text


def shows(path: Path, picture: Picture) -> bool:
    """Tell whether a file shows this picture, but for what fonts and smoothing change."""
    if not path.is_file():
        return False
    try:
        with Image.open(path) as file:
            there = np.asarray(file.convert("RGB"))
    except OSError:  # what Pillow raises for a damaged file
        return False
    if there.shape != picture.shape:
        return False
    differs = np.abs(there.astype(np.int16) - picture).max(axis=-1) > NOTICEABLE
    return bool(differs.mean() <= NOTICEABLE_SHARE)
