"""What can be refused, in the user's words: one line that names the value and the way out."""

from collections.abc import Iterable
from difflib import get_close_matches


class AlignmentGymError(Exception):
    """The root of everything that this package refuses."""


class InvalidWorld(AlignmentGymError):
    """A world breaks its contract: probabilities, observations, events or its map."""


class InvalidDial(AlignmentGymError):
    """A constructor argument is unknown or out of its range."""


class InvalidPolicy(AlignmentGymError):
    """A policy table does not fit the world, or its file can't be read."""


class InvalidRun(AlignmentGymError):
    """A run directory is not one, or is incomplete."""


class InvalidStudy(AlignmentGymError):
    """A study file can't be read, contradicts itself, or asks for what does not exist."""


class InvalidScores(AlignmentGymError):
    """Numbers that no statistic is taken of: NaN, none at all, ragged, or out of range."""


class TooLargeToEnumerate(AlignmentGymError):
    """A world has more states or transitions than exact analysis allows."""


class UnknownName(AlignmentGymError):
    """A name that nothing carries; the message offers the nearest one."""

    def __init__(self, kind: str, value: str, options: Iterable[str]) -> None:
        options = list(options)
        super().__init__(f"unknown {kind} {value!r}; {suggestion(value, options)}")


def suggestion(value: str, options: Iterable[str]) -> str:
    """Say which of `options` was probably meant, or list them."""
    options = list(options)
    near = get_close_matches(value.lower(), [option.lower() for option in options], n=1, cutoff=0.6)
    if near:
        meant = next(option for option in options if option.lower() == near[0])
        return f"did you mean {meant!r}?"
    return "there are: " + ", ".join(options)
