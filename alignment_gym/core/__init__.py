"""The contract that worlds are written to."""

from alignment_gym.core.card import FAILURE_MODES, Card, Demo
from alignment_gym.core.errors import (
    AlignmentGymError,
    InvalidDial,
    InvalidPolicy,
    InvalidRun,
    InvalidScores,
    InvalidStudy,
    InvalidWorld,
    TooLargeToEnumerate,
    UnknownName,
)
from alignment_gym.core.mixture import Mixture
from alignment_gym.core.registry import full_id, make_world, register, world_class, world_ids
from alignment_gym.core.scene import Cell, Cone, Meter, Scene, Sprite, Tint
from alignment_gym.core.specification import Specification
from alignment_gym.core.world import Chances, Outcome, World, dial, dials, generated_index, redialled

__all__ = [
    "FAILURE_MODES",
    "AlignmentGymError",
    "Card",
    "Cell",
    "Chances",
    "Cone",
    "Demo",
    "InvalidDial",
    "InvalidPolicy",
    "InvalidRun",
    "InvalidScores",
    "InvalidStudy",
    "InvalidWorld",
    "Meter",
    "Mixture",
    "Outcome",
    "Scene",
    "Specification",
    "Sprite",
    "Tint",
    "TooLargeToEnumerate",
    "UnknownName",
    "World",
    "dial",
    "dials",
    "full_id",
    "generated_index",
    "make_world",
    "redialled",
    "register",
    "world_class",
    "world_ids",
]
