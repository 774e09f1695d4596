"""What a conformance check raises."""

from alignment_gym.core import AlignmentGymError


class NonConformance(AlignmentGymError):
    """A world or a batch breaks a rule that a conformance check tries."""


def demand(holds: object, otherwise: str) -> None:
    """Raise `NonConformance` with a message unless a condition holds."""
    if not holds:
        raise NonConformance(otherwise)
