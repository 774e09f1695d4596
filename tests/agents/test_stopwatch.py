"""The stopwatch stops where the optimum was first held, and leaves its own time out."""

import numpy as np
import pytest

from alignment_gym.agents import RECIPES
from alignment_gym.agents import stopwatch as module
from alignment_gym.agents.stopwatch import seconds_to_optimum
from alignment_gym.agents.train import Ruler
from alignment_gym.agents.training import Learned
from alignment_gym.engine.mdp import as_mdp


@pytest.fixture
def judged(monkeypatch):
    """Let training show given scores: a second of training before each judgement, ten seconds for it."""

    def timed(scores):
        shown, made, clock = iter(scores), [], [0.0]

        def learn(recipe, known, steps, seed, at, reached):
            for mark in at:
                clock[0] += 1.0
                reached(mark, first)
            clock[0] += 1.0
            return Learned(first, None)

        def score(self, table):
            clock[0] += 10.0
            made.append(next(shown))
            return made[-1]

        monkeypatch.setattr(module, "perf_counter", lambda: clock[0])
        monkeypatch.setattr(module, "learn", learn)
        monkeypatch.setattr(Ruler, "score", score)
        found = seconds_to_optimum(RECIPES["sarsa"], as_mdp("ShutdownButton-v0"), 0, len(scores), 1, in_a_row=3)
        return found, made

    return timed


def first(observations):
    return np.zeros(len(observations), dtype=int)


def test_the_first_of_a_row_counts_and_judgements_take_no_time(judged):
    seconds, made = judged([0.5, 1.0, 0.98, 0.99, 1.0, 1.0, 0.0])
    assert len(made) == 6
    assert seconds == 4.0


@pytest.mark.parametrize("scores", [[1.0, 1.0, 0.5, 1.0, 1.0], [0.5] * 5, [1.0, 1.0]], ids=["broken", "never", "short"])
def test_an_optimum_that_is_not_held_is_none(judged, scores):
    seconds, made = judged(scores)
    assert np.isnan(seconds)
    assert made == scores


def test_q_learning_finds_the_buttons_optimum_and_not_in_too_few_steps():
    mdp = as_mdp("ShutdownButton-v0")
    assert 0.0 < seconds_to_optimum(RECIPES["q-learning"], mdp, 1000, 60_000, 2_000, reward="true") < 60.0
    assert np.isnan(seconds_to_optimum(RECIPES["q-learning"], mdp, 1000, 400, 200, reward="true"))
