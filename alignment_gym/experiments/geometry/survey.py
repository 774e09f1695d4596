"""The survey: every level analysed, the flagships' severity turned about, and the analysis timed as MDPs grow."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from time import process_time
from typing import Any

from alignment_gym.core import World, make_world, world_class, world_ids
from alignment_gym.engine.mdp import compile_world
from alignment_gym.exact.analysis import Analysis, analyse, angles_between
from alignment_gym.exact.frontier import NEAR
from alignment_gym.exact.sensitivity import Reading, sensitivity
from alignment_gym.experiments.geometry.cost import costs
from alignment_gym.experiments.geometry.descriptors import descriptors
from alignment_gym.experiments.geometry.growth import SIZES
from alignment_gym.experiments.records import nulled

FLAGSHIPS = ("BoatRace-v0", "SensorCleaner-v0", "ShutdownButton-v0")
QUICK_SIZES = SIZES[:4]


@dataclass(frozen=True, eq=False, slots=True)
class Survey:
    """What is exactly so of all worlds.

    Attributes:
        rows: a level each, facts and descriptors as JSON values.
        analyses: of each world's default level, or the first that can be enumerated.
        readings: of the flagships, by world.
        costs: rows of JSON values.
    """

    rows: list[dict[str, Any]]
    analyses: list[Analysis]
    readings: dict[str, tuple[Reading, ...]]
    costs: list[dict[str, Any]]


def parts(quick: bool = False) -> list[str]:
    """Return what a survey does, in order."""
    return [*(f"{world.card.id} {world.level}" for world in levels(quick)), "severity", "cost"]


def levels(quick: bool = False) -> list[World[Any]]:
    """Return every world on each of its fixed levels that can be enumerated, or, quickly, on the first of these."""
    found = []
    for env in world_ids():
        worlds = [make_world(env, level=level) for level in world_class(env).levels]
        known = [world for world in worlds if world.enumerable]
        found += known[:1] if quick else known
    return found


def survey(quick: bool = False, told: Callable[[str], None] = lambda _: None) -> Survey:
    """Analyse all levels, and measure what that costs.

    Args:
        quick: the first level of each world, no angles, small sizes.
        told: takes each part's name before it begins.
    """
    rows: list[dict[str, Any]] = []
    analyses: list[Analysis] = []
    for world in levels(quick):
        told(f"{world.card.id} {world.level}")
        found, seconds = _analysed(world, geometry=not quick)
        if world.card.id not in {row["env"] for row in rows}:
            analyses.append(found)
        rows.append({**_facts(found), "seconds": seconds, **nulled(descriptors(found))})
    told("severity")
    readings = {env: sensitivity(env) for env in FLAGSHIPS}
    told("cost")
    return Survey(rows, analyses, readings, costs(QUICK_SIZES if quick else SIZES))


def _analysed(world: World[Any], geometry: bool) -> tuple[Analysis, float]:
    """Return a level's analysis, and the processor seconds of compiling and analysing it without angles."""
    began = process_time()
    mdp = compile_world(world)
    found = analyse(mdp)
    _ = found.solution.stationary  # searched for when first asked about
    seconds = process_time() - began
    return replace(found, angles=angles_between(mdp)) if geometry else found, seconds


def _facts(found: Analysis) -> dict[str, Any]:
    return {
        "env": found.solution.env,
        "level": found.solution.level,
        "states": found.solution.states,
        "class": found.solution.class_name,
        "class_near_optimal": found.frontier.class_within(NEAR),
        "certified": found.solution.certified,
        "verdict": found.frontier.verdict,
        "vertices": len(found.frontier.vertices),
        "error": found.frontier.error,
    }
