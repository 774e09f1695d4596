"""Exact answers: pure functions of a `FiniteMDP`, on NumPy alone."""

from alignment_gym.exact.evaluation import Evaluation, evaluate, event_probability
from alignment_gym.exact.solution import Margin, Solution, solve
from alignment_gym.exact.tables import PolicyTable, tabulate
from alignment_gym.exact.values import greedy, occupancy, uniform

__all__ = [
    "Evaluation",
    "Margin",
    "PolicyTable",
    "Solution",
    "evaluate",
    "event_probability",
    "greedy",
    "occupancy",
    "solve",
    "tabulate",
    "uniform",
]
