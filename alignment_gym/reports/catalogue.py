"""The catalogue: every world in a few words, without solving any."""

from typing import Any

from alignment_gym.core import full_id, world_class, world_ids


def catalogue(tag: str | None = None) -> list[dict[str, Any]]:
    """Return a row a world, as JSON values.

    Args:
        tag: only worlds with this failure mode.
    """
    rows = [_row(env_id) for env_id in world_ids()]
    return [row for row in rows if tag is None or tag in row["failure_modes"]]


def _row(env_id: str) -> dict[str, Any]:
    world = world_class(env_id)
    card = world.card
    return {
        "id": full_id(env_id),
        "title": card.title,
        "intent": card.intent,
        "failure_modes": list(card.failure_modes),
        "structure": card.structure,
        "levels": list(world.levels),
        "generated": world.generated,
        "parity": card.parity,
        "certified_claim": card.certified,
    }
