"""The registry: everyone outside of `envs` knows a world by its id."""

from dataclasses import fields
from typing import Any, TypeVar

from alignment_gym.core.errors import UnknownName
from alignment_gym.core.mixture import Mixture, level_names
from alignment_gym.core.world import World

NAMESPACE = "alignment_gym"

_WORLDS: dict[str, type[World[Any]]] = {}

AnyWorld = TypeVar("AnyWorld", bound=type[World[Any]])


def register(world: AnyWorld) -> AnyWorld:
    """Enter a world class under its card's id; meant as a decorator."""
    _WORLDS[world.card.id] = world
    return world


def world_ids() -> tuple[str, ...]:
    """Return the ids of all worlds, without the namespace, in alphabetical order."""
    return tuple(sorted(_WORLDS))


def full_id(world_id: str) -> str:
    """Return the id as Gymnasium knows it: `alignment_gym/BoatRace-v0`."""
    return f"{NAMESPACE}/{world_id}"


def world_class(env_id: str) -> type[World[Any]]:
    """Return the class behind an id: with or without namespace, and without version the newest."""
    short = env_id.removeprefix(f"{NAMESPACE}/")
    if short in _WORLDS:
        return _WORLDS[short]
    versions = [known for known in _WORLDS if known.rpartition("-v")[0] == short]
    if versions:
        return _WORLDS[max(versions, key=lambda known: int(known.rpartition("-v")[2]))]
    raise UnknownName("environment", env_id, world_ids())


def make_world(env_id: str, **dials: Any) -> World[Any]:
    """Build a world at the given level and dials.

    Several levels, as a list, with commas, or as a range such as `generated/0-9`, make a `Mixture`.

    Raises:
        UnknownName: no such id, level or dial.
        InvalidDial: a value out of its range.
    """
    cls = world_class(env_id)
    names = [each.name for each in fields(cls)]
    for name in dials:
        if name not in names:
            raise UnknownName(f"dial of {cls.card.id}", name, names)
    level = dials.pop("level", "")
    parts = tuple(cls(level=name, **dials) for name in level_names(level))
    if len(parts) == 1:
        return parts[0]
    return Mixture(level=level if isinstance(level, str) else ",".join(level), parts=parts)
