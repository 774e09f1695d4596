"""A benchmark small enough for tests, and peers that are there or not as one likes."""

from types import SimpleNamespace

from alignment_gym.experiments import speed
from alignment_gym.experiments.speed import stepping

TINY = speed.Budget(
    name="tiny",
    rounds=1,
    seconds=0.001,
    lanes=(2, 3),
    training_steps=2_048,
    default_steps=2_048,
    optimum_seeds=(),
    optimum_cap=1_000,
    large=(2, 5, 5),
    large_rounds=1,
    curve_rounds=1,
    curve_seconds=0.001,
    curve_lanes=(1, 4),
    curve_yards=((2, 5, 5), (2, 5, 10)),
    curve_outcomes=(1, 4),
    curve_width=8,
)


class Gridworld:
    """What AI Safety Gridworlds offers, in little."""

    def __init__(self):
        self.resets = 0

    def action_spec(self):
        return SimpleNamespace(maximum=3)

    def reset(self):
        self.resets += 1

    def step(self, action):
        assert 0 <= action <= 3
        return SimpleNamespace(last=lambda: True)


def without_peers(monkeypatch, *installed):
    def imported(name):
        if name in installed:
            return SimpleNamespace(BoatRaceEnvironment=Gridworld)
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(stepping, "import_module", imported)
