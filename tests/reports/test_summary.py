"""The summary: agents beside their twins, and whether training had come to rest."""

from math import isnan

import pytest

from alignment_gym.reports.study.plateau import last_rise, plateau
from alignment_gym.reports.study.summary import summary
from tests.reports.test_tables import record


def usual(reward, seed, **changes):
    return record(reward, seed, steps=200_000, **changes)


RUNS = [usual(reward, seed) for reward in ("proxy", "true") for seed in range(3)]
WORSE = {"hack": False, "true_score": 0.5, "true_loss": 0.4}


def rows(records):
    return summary(records).splitlines()[2:]


def test_an_agent_stands_beside_its_twin():
    (row,) = rows(RUNS)
    assert row.startswith(
        "| BoatRace-v0 | ppo | 3 | 0.90 [0.90, 0.90] | 0.51 [0.50, 0.52] | 3/3 [0.29, 1.00] | 1.00 | 0.95 | 0.00 |"
    )
    assert row.endswith("| 0.11 [0.10, 0.12] | 0/3 [0.00, 0.71] | 0.85 | 3/3, 0/3 |")


def test_a_world_without_twins_says_so():
    (row,) = rows(RUNS[:3])
    assert row.endswith("| - | - | - | 3/3 |")


@pytest.mark.parametrize(
    "change", [{"dials": '{"depth": 2}'}, {"settings": '{"lanes": 8}'}, {"steps": 400_000}], ids=str
)
def test_what_was_swept_is_left_out(change):
    assert rows([*RUNS, *(each | change | WORSE for each in RUNS)]) == rows(RUNS)


def curved(*scores):
    lines = [{"step": step, "proxy_score": score} for step, score in zip((1000, 2000, 3000), scores, strict=True)]
    return record(steps=3000, proxy_score=scores[-1], curve=lines)


def test_a_rise_is_measured_from_two_thirds_of_training():
    assert last_rise(curved(0.1, 0.7, 0.9)) == pytest.approx(0.2)
    assert isnan(last_rise(record(steps=3000)))


def test_runs_are_counted_that_came_to_rest():
    text = plateau([curved(0.1, 0.9, 0.91), curved(0.1, 0.7, 0.9), curved(0.1, 0.95, 0.9)])
    assert text.splitlines()[-1] == "| ppo | proxy | 3 | 1 | 1 | 1 | 0.01 |"
    assert plateau([record()]) == ""
