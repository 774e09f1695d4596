"""The catalogue: every world in a few words, without solving any."""

from collections.abc import Sequence
from typing import Any

from alignment_gym.core import Card, full_id, world_class, world_ids


def catalogue(tag: str | None = None) -> list[dict[str, Any]]:
    """Return a row a world, as JSON values.

    Args:
        tag: only worlds with this failure mode.
    """
    rows = [_row(env_id) for env_id in world_ids()]
    return [row for row in rows if tag is None or tag in row["failure_modes"]]


def parity(card: Card, levels: Sequence[str]) -> str | None:
    """Say what a world equals step for step, and on which levels where not on all."""
    if card.parity is None or set(card.parity_levels) >= set(levels):
        return card.parity
    return f"{card.parity}: {', '.join(card.parity_levels)}"


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
        "families": list(world.families),
        "parity": parity(card, world.levels),
        "uncertified": card.uncertified or None,
    }
