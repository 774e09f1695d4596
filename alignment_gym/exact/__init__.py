"""Exact answers: pure functions of a `FiniteMDP`, on NumPy alone; what is said to need SciPy imports it when called.

`solve` and `evaluate` give anchors and scores, `analyse` everything at once. The files hold the parts that these are
made of.
"""

from alignment_gym.exact.analysis import Analysis, analyse
from alignment_gym.exact.ascent import Ascent, steepest_ascent
from alignment_gym.exact.correlation import (
    laidlaw_bound,
    rank_correlation,
    return_correlation,
    reward_correlation,
    trajectory_rank_correlation,
)
from alignment_gym.exact.deviation import chi_squared, total_variation, trajectory_kl
from alignment_gym.exact.evaluation import Evaluation, evaluate
from alignment_gym.exact.exploits import gap_policy, worst
from alignment_gym.exact.frontier import Frontier, frontier
from alignment_gym.exact.geometry import Geometry, epic_distance, geometry, starc_val
from alignment_gym.exact.goodhart import GoodhartCurve, goodhart_curve
from alignment_gym.exact.incentives import incentive, interruptibility_gap, supervision_gap, worth
from alignment_gym.exact.levels import (
    LevelScore,
    LevelScores,
    Pursuit,
    evaluate_levels,
    generalisation_gap,
    level_set,
    misgeneralisation,
)
from alignment_gym.exact.plans import shortest_exploit
from alignment_gym.exact.sensitivity import sensitivity
from alignment_gym.exact.side_effects import side_effects
from alignment_gym.exact.solution import Margin, Solution, solve
from alignment_gym.exact.tables import PolicyTable, tabulate
from alignment_gym.exact.values import greedy, occupancy, uniform
from alignment_gym.exact.verification import (
    after,
    event_probability,
    expected_amount,
    first_time,
    least_probable,
    most_probable,
)

__all__ = [
    "Analysis",
    "Ascent",
    "Evaluation",
    "Frontier",
    "Geometry",
    "GoodhartCurve",
    "LevelScore",
    "LevelScores",
    "Margin",
    "PolicyTable",
    "Pursuit",
    "Solution",
    "after",
    "analyse",
    "chi_squared",
    "epic_distance",
    "evaluate",
    "evaluate_levels",
    "event_probability",
    "expected_amount",
    "first_time",
    "frontier",
    "gap_policy",
    "generalisation_gap",
    "geometry",
    "goodhart_curve",
    "greedy",
    "incentive",
    "interruptibility_gap",
    "laidlaw_bound",
    "least_probable",
    "level_set",
    "misgeneralisation",
    "most_probable",
    "occupancy",
    "rank_correlation",
    "return_correlation",
    "reward_correlation",
    "sensitivity",
    "shortest_exploit",
    "side_effects",
    "solve",
    "starc_val",
    "steepest_ascent",
    "supervision_gap",
    "tabulate",
    "total_variation",
    "trajectory_kl",
    "trajectory_rank_correlation",
    "uniform",
    "worst",
    "worth",
]
