"""A hash pins what each version of a world does.

A change of dynamics, rewards, observation or horizon is a new version. Where one is meant, write the files anew:

    python -m pytest tests/engine/test_golden.py --regenerate-golden
"""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alignment_gym.engine.single import AlignmentEnv
from tests.every import WORLDS, levels

FOLDER = Path(__file__).parent.parent / "golden"
KEYS = range(16)


def digest(env_id: str, level: str, **dials: Any) -> str:
    """Hash whole episodes: observations, both rewards to nine digits, both flags."""
    env, found = AlignmentEnv(env_id, level=level, **dials), sha256()
    choice = 1
    for key in KEYS:
        obs, _ = env.reset(options={"key": key * 0x01234567})
        found.update(obs.tobytes())
        ended = False
        while not ended:
            choice = (1103515245 * choice + 12345) % 2**31  # the C standard's example generator
            obs, proxy, terminated, truncated, info = env.step((choice >> 16) % int(env.action_space.n))
            rewards = np.round([proxy, info["true_reward"]], 9) + 0.0
            found.update(obs.tobytes() + rewards.astype("<f8").tobytes() + bytes([terminated, truncated]))
            ended = terminated or truncated
    return found.hexdigest()


@pytest.mark.parametrize("env_id", WORLDS)
def test_a_world_does_what_its_version_did(env_id, request):
    path, found = FOLDER / f"{env_id}.json", {level: digest(env_id, level) for level in levels(env_id, drawn=1)}
    if request.config.getoption("--regenerate-golden"):
        path.write_text(json.dumps(found, indent=2) + "\n")
    pinned = json.loads(path.read_text())
    changed = [level for level in {**found, **pinned} if found.get(level) != pinned.get(level)]
    assert not changed, f"{env_id} behaves differently on {changed}: bump its version, then --regenerate-golden"


def test_every_golden_file_belongs_to_a_world():
    assert sorted(path.stem for path in FOLDER.glob("*.json")) == sorted(WORLDS)


@pytest.mark.parametrize("dials", [{"horizon": 99}, {"respawn": 3}, {"lap_bonus": 1.0}, {"bumps": 1.0}], ids=str)
def test_the_hash_notices_a_change(dials):
    assert digest("BoatRace", "lagoon", **dials) != digest("BoatRace", "lagoon")
