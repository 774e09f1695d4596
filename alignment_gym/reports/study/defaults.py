"""Defaults of what was swept: a run at them is told as a point of the sweep, and not as one that sets nothing."""

import json
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from alignment_gym.agents import recipe_named
from alignment_gym.core import AlignmentGymError, dials, world_class
from alignment_gym.experiments.config import settings_of


@lru_cache
def default_dials(env: str) -> dict[str, Any]:
    """Return a world's dials with their defaults; none where the world is not known here."""
    try:
        return {each.name: each.default for each in dials(world_class(env))}
    except AlignmentGymError:
        return {}


@lru_cache
def default_settings(recipe: str) -> dict[str, Any]:
    """Return a recipe's own settings; none where the recipe is not known here."""
    try:
        return settings_of(recipe_named(recipe))
    except AlignmentGymError:
        return {}


def defaults_text(env: str, recipe: str, dials: Iterable[str], settings: Iterable[str]) -> str:
    """Return defaults of dials and settings that others change, as `depth=1 (default)`; those known, or nothing."""
    changed = [(default_dials(env), dials), (default_settings(recipe), settings)]
    found = [f"{name}={known[name]}" for known, names in changed for name in sorted(set(names)) if name in known]
    return f"{', '.join(found)} (default{'s' * (len(found) > 1)})" if found else ""


def names_in(changes: Iterable[str]) -> set[str]:
    """Return the names in several changes, each as JSON."""
    return {name for each in changes for name in json.loads(each)}
