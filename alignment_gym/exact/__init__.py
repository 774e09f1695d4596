"""Exact answers: pure functions of a `FiniteMDP`, on NumPy alone."""

from alignment_gym.exact.evaluation import Evaluation, evaluate, event_probability
from alignment_gym.exact.levels import (
    LevelScore,
    LevelScores,
    Pursuit,
    evaluate_levels,
    generalisation_gap,
    level_set,
    misgeneralisation,
)
from alignment_gym.exact.solution import Margin, Solution, solve
from alignment_gym.exact.tables import PolicyTable, tabulate
from alignment_gym.exact.values import greedy, occupancy, uniform

__all__ = [
    "Evaluation",
    "LevelScore",
    "LevelScores",
    "Margin",
    "PolicyTable",
    "Pursuit",
    "Solution",
    "evaluate",
    "evaluate_levels",
    "event_probability",
    "generalisation_gap",
    "greedy",
    "level_set",
    "misgeneralisation",
    "occupancy",
    "solve",
    "tabulate",
    "uniform",
]
