"""Tables of runs: what is said of a cell, and what is not claimed."""

import json

import pytest

from alignment_gym.core import InvalidRun
from alignment_gym.experiments.collected import COLUMNS, collect, read_curve, write_records
from alignment_gym.reports.tables import markdown, misspecification_effect, pressure

UNTOLD = ("proxy_return", "true_return", "exploitation", "hack", "exploit_probability", "chi_squared")


def record(reward="proxy", seed=0, env="BoatRace-v0", **changes):
    lost = {"proxy": 0.5, "true": 0.1}[reward]
    scores = {
        "env": env,
        "level": "lagoon",
        "dials": "{}",
        "settings": "{}",
        "recipe": "ppo",
        "reward": reward,
        "steps": 1000,
        "seed": seed,
        "exploitation": 0.9,
        "true_loss": lost + 0.01 * seed,
        "hack": reward == "proxy",
        "exploit_probability": 1.0,
        "proxy_score": 0.95 if reward == "proxy" else 0.3,
        "true_score": 0.0 if reward == "proxy" else 0.85,
        "hacking_gap": 0.95,
        "worse_than_random": False,
    }
    return scores | changes


def curve(losses=(0.6, 0.2, 0.5), true=(-0.2, 0.6, 0.0), proxy=(0.1, 0.4, 0.9), kl=(0.5, 2.0, 8.0)):
    names = ("step", "true_loss", "true_score", "proxy_score", "kl")
    rows = zip((100, 200, 400), losses, true, proxy, kl, strict=True)
    return [dict(zip(names, row, strict=True)) for row in rows]


def row_of(text, heading):
    part = text.partition(f"## {heading}")[2].partition("\n## ")[0]
    return [line for line in part.splitlines() if line.startswith("| BoatRace-v0")]


PAID = [record(seed=seed) for seed in range(5)]
TWINS = [record("true", seed=seed) for seed in range(5)]


def test_scores_without_a_reference_come_first():
    text = markdown([*PAID, *TWINS])
    headings = [line[3:] for line in text.splitlines() if line.startswith("## ")]
    assert headings == ["Exploitation and true loss", "Misspecification effect", "Severity, against uniform play"]
    assert "| ppo | proxy | 5 | 0.90 [0.90, 0.90] | 0.52 " in row_of(text, headings[0])[0]


def test_the_misspecification_effect_is_the_difference_of_both_arms():
    found, reason = misspecification_effect(PAID, TWINS)
    assert reason == ""
    assert found.value == pytest.approx(0.4)
    assert 0.37 <= found.low < 0.4 < found.high <= 0.43
    (row,) = row_of(markdown([*PAID, *TWINS]), "Misspecification")
    assert row.startswith("| BoatRace-v0 lagoon | default | ppo | 5, 5 | 0.40 [")


@pytest.mark.parametrize(
    ("paid", "twins", "says"),
    [
        ({"proxy_score": 0.799}, {}, "paid the proxy, P 0.799 < 0.8"),
        ({}, {"true_score": 0.7}, "twins, T 0.700 < 0.8"),
        ({"proxy_score": None}, {}, "P undefined"),
        ({"true_loss": None}, {}, "undefined"),
    ],
)
def test_no_effect_is_claimed_where_an_arm_did_not_learn_its_own_reward(paid, twins, says):
    arms = [record(**paid) for _ in range(3)], [record("true", **twins) for _ in range(3)]
    found, reason = misspecification_effect(*arms)
    assert found is None
    assert says in reason
    assert reason in markdown([*arms[0], *arms[1]])


def test_it_is_the_median_seed_that_must_have_learned():
    weak = [record(seed=seed, proxy_score=score) for seed, score in enumerate((0.1, 0.2, 0.8, 0.9, 0.9))]
    assert misspecification_effect(weak, TWINS)[0] is not None


def test_no_effect_is_said_of_an_arm_alone():
    assert "Misspecification" not in markdown(PAID)
    assert "Misspecification" not in markdown([*PAID, *(record("true", env="SensorCleaner-v0") for _ in range(3))])


def test_a_run_tells_what_its_checkpoints_passed_through():
    found = pressure(record(curve=curve()))
    assert found["drop"] == pytest.approx(0.3)
    assert (found["onset_proxy_score"], found["onset_kl"], found["final_kl"]) == (0.4, 2.0, 8.0)
    assert found["gap_area"] == pytest.approx((0.3 - 0.2 + 0.9) / 3)
    assert found["hump"]
    assert not pressure(record(curve=curve(losses=(0.6, 0.5, 0.2))))["hump"]
    assert pressure(record()) is None
    assert pressure(record(curve=[])) is None


def test_what_rests_on_an_undefined_score_is_undefined():
    found = pressure(record(curve=curve(true=(None, None, None))))
    assert (found["onset_proxy_score"], found["onset_kl"], found["gap_area"]) == (None, None, None)
    assert found["drop"] == pytest.approx(0.3)


def test_pressure_is_said_of_the_seeds_that_kept_their_checkpoints():
    runs = [each | {"curve": curve() if each["seed"] < 3 else []} for each in PAID]
    (row,) = row_of(markdown(runs), "Pressure")
    assert "| ppo | proxy | 3 | 0.30 [0.30, 0.30] | 0.40 [0.40, 0.40] | 2.00 [2.00, 2.00] | 0.33 " in row
    assert row.endswith("| 8.00 [8.00, 8.00] | 3/3 [0.29, 1.00] |")
    assert "## Pressure" not in markdown(PAID)


def test_records_are_read_back_as_they_were_written(tmp_path):
    rest = dict.fromkeys(COLUMNS) | {"proxy_return": 1.0, "true_return": 2.0, "unseen_observations": 0}
    paid = [rest | each | {"exact": True, "key": "0", "schema_version": 2, "curve": curve()} for each in PAID]
    runs = [each | {"curve": [line | dict.fromkeys(UNTOLD) for line in each["curve"]]} for each in paid]
    table = write_records(runs, tmp_path)[0].read_text()
    assert "curve" not in table
    assert len(table.splitlines()) == 6
    assert collect(tmp_path).records == runs


def test_a_damaged_curve_is_refused(tmp_path):
    assert read_curve(tmp_path) == []
    path = tmp_path / "curve.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in curve()))
    assert read_curve(tmp_path) == curve()
    path.write_text('{"step": 100, ')
    with pytest.raises(InvalidRun, match=r"curve\.jsonl is damaged"):
        read_curve(tmp_path)


def test_too_few_seeds_show_what_each_has_and_no_interval():
    (row,) = row_of(markdown([*PAID[:2], *TWINS]), "Misspecification")
    assert row.endswith("| 2, 5 | 0.39 (no interval from 2 seeds) |")
    text = markdown(PAID[:2])
    assert "| 2 | 0.90, 0.90 (no interval from 2 seeds) | 0.50, 0.51 (no interval from 2 seeds) | 2/2 [0.16, " in text
    assert "0.50 (no interval from 1 seed)" in markdown(PAID[:1])
    assert "no interval" not in markdown(PAID[:3])


def test_a_run_at_the_defaults_of_a_sweep_is_told_as_a_point_of_it():
    deep = [record(seed=seed, dials='{"depth": 3}') for seed in range(3)]
    first, second = row_of(markdown([*PAID, *deep]), "Exploitation and true loss")
    assert first.startswith("| BoatRace-v0 lagoon | depth=1 (default) | ppo |")
    assert second.startswith("| BoatRace-v0 lagoon | depth=3 | ppo |")
    wide = [record(settings='{"net_arch": [8]}')]
    assert "| depth=1, net_arch=[64, 64] (defaults) | ppo |" in markdown([*PAID, *deep, *wide])
    elsewhere = [record(env="SensorCleaner-v0", dials='{"depth": 3}')]
    assert "| BoatRace-v0 lagoon | default |" in markdown([*PAID, *elsewhere])
