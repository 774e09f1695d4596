"""alignment_gym: worlds that pay a proxy reward, hide the true objective, and are solved exactly.

Importing registers every world with Gymnasium under `alignment_gym/<id>`. `exact`, `tabulate`,
`register`, for worlds of your own, and `FiniteMDP`, for arrays, are here for short; the rooms below
(`core`, `engine`, `exact`, `agents`, ...) hold the rest.
"""

import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from alignment_gym import exact
    from alignment_gym.core import world_ids
    from alignment_gym.core.registry import AnyWorld
    from alignment_gym.engine.mdp import FiniteMDP
    from alignment_gym.exact import tabulate

__version__ = "0.1.0"
__all__ = ["FiniteMDP", "__version__", "exact", "register", "tabulate", "world_ids"]

_ROOMS = {"FiniteMDP": "alignment_gym.engine.mdp", "tabulate": "alignment_gym.exact", "world_ids": "alignment_gym.core"}


def register(world: "AnyWorld") -> "AnyWorld":
    """Enter a world class of your own, here and with Gymnasium; meant as a decorator.

    Then `gym.make("alignment_gym/<its id>")` makes it, and the command line knows it as `module:id`.

    Raises:
        InvalidWorld: the id has no version, or another class carries it.
    """
    from alignment_gym import core

    _tell_gymnasium(core.register(world).card.id)
    return world


def _register_worlds() -> None:
    from alignment_gym import envs  # noqa: F401 - importing it fills the registry
    from alignment_gym.core import world_ids

    for world_id in world_ids():
        _tell_gymnasium(world_id)


def _tell_gymnasium(world_id: str) -> None:
    import gymnasium

    from alignment_gym.core import full_id

    if full_id(world_id) not in gymnasium.registry:
        gymnasium.register(
            id=full_id(world_id),
            entry_point="alignment_gym.engine.single:AlignmentEnv",
            vector_entry_point="alignment_gym.engine.batch:AlignmentVectorEnv",
            kwargs={"env_id": world_id},
            order_enforce=False,  # the environment sees to both itself, at less cost a step
            disable_env_checker=True,
        )


def _only_shows_help() -> bool:
    """Tell whether this process is our command line and ends once it has shown help, which needs no world."""
    program = Path(sys.argv[0]).name if sys.argv else ""
    if program not in ("alignment-gym", "alignment-gym.exe") and sys.orig_argv[1:3] != ["-m", __name__]:
        return False
    words = sys.argv[1:] if program != "-m" else sys.orig_argv[3:]
    return not words or not {"-h", "--help", "--version"}.isdisjoint(words)


if not _only_shows_help():  # help takes a third of the time without Gymnasium and NumPy
    _register_worlds()


def __getattr__(name: str) -> Any:
    """Import what is here for short when it is first asked for."""
    if name == "exact":
        return import_module("alignment_gym.exact")
    if name in _ROOMS:
        return getattr(import_module(_ROOMS[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
