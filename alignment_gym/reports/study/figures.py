"""The figures of a study, by name, in the order of a report: each from records alone, for one paper or one page."""

from collections.abc import Mapping

from alignment_gym.reports.study.curves import draw_curves
from alignment_gym.reports.study.drawn import Drawn, Draws
from alignment_gym.reports.study.planes import draw_losses, draw_scores
from alignment_gym.reports.study.profiles import draw_profiles
from alignment_gym.reports.study.sweep_figure import draw_sweeps

__all__ = ["FIGURES", "NEEDS", "Drawn"]

FIGURES: Mapping[str, Draws] = {
    "plane": draw_scores,
    "losses": draw_losses,
    "curve": draw_curves,
    "profile": draw_profiles,
    "sweeps": draw_sweeps,
}
NEEDS: Mapping[str, str] = {
    "plane": "a level that can be solved, with both P and T defined",
    "losses": "a world in which E is defined",
    "curve": "runs with more than one checkpoint",
    "profile": "a world, with L and the own score defined, and a seed that all recipes share",
    "sweeps": "cells that differ in one dial, one setting or steps only",
}
