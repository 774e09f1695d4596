"""Policies as files: `policy.npz` holds arrays and words, and is read without unpickling anything."""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from alignment_gym.core import InvalidPolicy
from alignment_gym.core.files import replacing
from alignment_gym.exact.tables import PolicyTable

SCHEMA = 1


def save_policy(path: Path, table: PolicyTable, dials: dict[str, Any] | None = None) -> None:
    """Write a policy atomically.

    Args:
        path: where to.
        table: the policy.
        dials: those that its world was made with.
    """
    words = {"schema": SCHEMA, "env": table.env, "level": table.level, "dials": dials or {}}
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(
            file,
            observations=table.observations,
            probabilities=table.probabilities,
            words=np.array(json.dumps(words, sort_keys=True)),
        )


def load_policy(path: Path) -> tuple[PolicyTable, dict[str, Any]]:
    """Read a policy and its world's dials.

    Raises:
        InvalidPolicy: no such file, or not one that `save_policy` wrote.
    """
    try:
        with path.open("rb") as content, np.load(content, allow_pickle=False) as file:
            observations, probabilities = file["observations"], file["probabilities"]
            words = json.loads(str(file["words"]))
        table = PolicyTable(words["env"], words["level"], observations, probabilities.astype(np.float64))
        dials = dict(words["dials"])
    except FileNotFoundError as error:
        raise InvalidPolicy(f"there is no policy at {path}") from error
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise InvalidPolicy(f"{path} is no complete policy.npz; train again or copy it again") from error
    _check(path, table)
    return table, dials


def _check(path: Path, table: PolicyTable) -> None:
    seen, chosen = table.observations, table.probabilities
    fits = seen.ndim == 2 and chosen.ndim in (2, 3) and chosen.shape[-2] == len(seen)
    if not fits or not np.isfinite(chosen).all() or (chosen < 0).any() or np.abs(chosen.sum(-1) - 1).max() > 1e-6:
        raise InvalidPolicy(f"{path} holds no distributions over actions: {seen.shape} and {chosen.shape}")
