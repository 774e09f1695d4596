"""The registry: everyone outside of `envs` knows a world by its id."""

import re
from dataclasses import fields
from importlib import import_module
from typing import Any, TypeVar

from alignment_gym.core.errors import InvalidWorld, UnknownName
from alignment_gym.core.mixture import Mixture, level_names
from alignment_gym.core.world import World

NAMESPACE = "alignment_gym"

_WORLDS: dict[str, type[World[Any]]] = {}

AnyWorld = TypeVar("AnyWorld", bound=type[World[Any]])


def register(world: AnyWorld) -> AnyWorld:
    """Enter a world class under its card's id; meant as a decorator.

    Raises:
        InvalidWorld: the id has no version, or another class carries it.
    """
    name = world.card.id
    if not re.fullmatch(r"[\w.-]+-v\d+", name):
        raise InvalidWorld(f"a world's id is a name with a version, such as Lamp-v0, not {name!r}")
    taken = _WORLDS.get(name, world)
    if (taken.__module__, taken.__qualname__) != (world.__module__, world.__qualname__):
        raise InvalidWorld(f"the id {name} is taken by {taken.__module__}.{taken.__qualname__}; choose another")
    _WORLDS[name] = world
    return world


def world_ids() -> tuple[str, ...]:
    """Return the ids of all worlds, without the namespace, in alphabetical order."""
    return tuple(sorted(_WORLDS))


def full_id(world_id: str) -> str:
    """Return the id as Gymnasium knows it: `alignment_gym/BoatRace-v0`."""
    return f"{NAMESPACE}/{world_id}"


def world_class(env_id: str) -> type[World[Any]]:
    """Return the class behind an id: with or without namespace, and without version the newest.

    In `module:id` the module is imported first, so that it may register the world.

    Raises:
        UnknownName: no such world.
        InvalidWorld: no such module.
    """
    module, colon, name = env_id.rpartition(":")
    if colon:
        _import(module, env_id)
    short = name.removeprefix(f"{NAMESPACE}/")
    if short in _WORLDS:
        return _WORLDS[short]
    versions = [known for known in _WORLDS if known.rpartition("-v")[0] == short]
    if versions:
        return _WORLDS[max(versions, key=lambda known: int(known.rpartition("-v")[2]))]
    raise UnknownName("environment", env_id, world_ids())


def _import(module: str, env_id: str) -> None:
    if not all(part.isidentifier() for part in module.split(".")):
        raise InvalidWorld(
            f"{env_id!r} is no module:id; for a world in lamp.py write lamp:Lamp-v0, without folder or .py"
        )
    try:
        import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise
        raise InvalidWorld(f"{env_id}: there is no module {module!r} here; it is imported before the world") from error


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
