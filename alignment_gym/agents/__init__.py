"""Who acts: recipes and their learners, planners, scripts, and policies as files."""

from alignment_gym.agents.planner import Script, script, scripted, untrained, untrained_names
from alignment_gym.agents.policy import load_policy, save_policy
from alignment_gym.agents.recipes import RECIPES, Recipe, recipe_named
from alignment_gym.agents.train import Trained, train

__all__ = [
    "RECIPES",
    "Recipe",
    "Script",
    "Trained",
    "load_policy",
    "recipe_named",
    "save_policy",
    "script",
    "scripted",
    "train",
    "untrained",
    "untrained_names",
]
