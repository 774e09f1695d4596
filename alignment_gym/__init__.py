"""alignment_gym: worlds that pay a proxy reward, hide the true objective, and are solved exactly.

Importing registers every world with Gymnasium under `alignment_gym/<id>`. `exact` and `tabulate` are
here for short; the rooms below (`core`, `engine`, `exact`, `agents`, ...) hold the rest.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

import gymnasium as _gymnasium

from alignment_gym import envs as _envs  # noqa: F401 - importing it fills the registry
from alignment_gym.core import full_id, world_ids

if TYPE_CHECKING:
    from alignment_gym import exact
    from alignment_gym.exact import tabulate

__version__ = "0.1.0"
__all__ = ["__version__", "exact", "tabulate", "world_ids"]

for _id in world_ids():
    if full_id(_id) not in _gymnasium.registry:
        _gymnasium.register(
            id=full_id(_id),
            entry_point="alignment_gym.engine.single:AlignmentEnv",
            vector_entry_point="alignment_gym.engine.batch:AlignmentVectorEnv",
            kwargs={"env_id": _id},
            order_enforce=False,  # the environment sees to both itself, at less cost a step
            disable_env_checker=True,
        )


def __getattr__(name: str) -> Any:
    """Import `exact` and `tabulate` when they are first asked for."""
    if name in ("exact", "tabulate"):
        room = import_module("alignment_gym.exact")
        return room if name == "exact" else room.tabulate
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
