"""alignment_gym: specification gaming, with exact answers.

Importing registers every world with Gymnasium under `alignment_gym/<id>`.
"""

import gymnasium as _gymnasium

from alignment_gym import envs as _envs  # noqa: F401 - importing it fills the registry
from alignment_gym.core import full_id, world_ids

__version__ = "0.1.0"

for _id in world_ids():
    if full_id(_id) not in _gymnasium.registry:
        _gymnasium.register(
            id=full_id(_id),
            entry_point="alignment_gym.engine.single:AlignmentEnv",
            vector_entry_point="alignment_gym.engine.batch:AlignmentVectorEnv",
            kwargs={"env_id": _id},
        )
