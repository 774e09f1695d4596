"""What is said of runs that were tested on other levels."""

import csv
import json

import pytest

from alignment_gym.core import InvalidRun
from alignment_gym.reports.study.generalisation import (
    curves,
    flat,
    markdown,
    places,
    uniform_play,
    write_generalisation,
)


def record(levels, diversity, seed, lost=0.25):
    return {
        "env": "CoinGoal-v0",
        "level": f"train/0-{levels - 1}",
        "levels_scored": levels,
        "dials": json.dumps({"diversity": diversity} if diversity else {}),
        "test_level": "test/0-3",
        "recipe": "ppo",
        "reward": "proxy",
        "steps": 1000,
        "seed": seed,
        "key": "0",
        "true_loss": 0.0,
        "behaviour": {"share": 1.0},
        "test": {
            "true_loss": lost,
            "behaviour": {"share": 0.5},
            "true_return": 1.0 - lost,
            "true_score": 0.5,
            "unseen_observations": 0,
        },
        "generalisation_gap": lost,
        "misgeneralisation_train": 0.0,
        "misgeneralisation_test": lost - 0.5,
    }


RECORDS = [record(levels, diversity, seed) for levels in (2, 10) for diversity in (0.0, 0.5) for seed in (0, 1)]


def test_a_row_has_both_sets_side_by_side():
    row = flat(RECORDS[-1])
    assert (row["diversity"], row["train_share"], row["test_share"]) == (0.5, 1.0, 0.75)
    assert (row["train_behaviour"], row["test_behaviour"]) == (1.0, 0.5)


def test_the_seed_is_the_replicate():
    grouped = places([flat(each) for each in RECORDS])
    assert {place[3:] for place in grouped} == {(2, 0.0), (2, 0.5), (10, 0.0), (10, 0.5)}
    assert {len(group) for group in grouped.values()} == {2}


def test_uniform_play_is_the_reference():
    found = uniform_play([flat(each) for each in RECORDS])
    assert found.keys() == {("CoinGoal-v0", "test/0-3")}
    assert 0.0 < found["CoinGoal-v0", "test/0-3"]["test_behaviour"] < 0.5


def test_the_table_has_a_row_a_cell():
    rows = [flat(each) for each in RECORDS]
    lines = markdown(rows, uniform_play(rows)).splitlines()
    assert (
        "| CoinGoal-v0 | 10 | 0.5 | ppo | proxy | 2 | 1.00, 1.00 (no interval from 2 seeds) | 0.75, 0.75 (no"
        in "\n".join(lines)
    )
    assert sum(line.startswith("| CoinGoal-v0 |") for line in lines) == 4 + 1


def test_the_figure_has_a_line_a_number_of_levels_and_both_goals():
    rows = [flat(each) for each in RECORDS]
    figure = curves(rows, uniform_play(rows))
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert words == ["uniform play", "2 training levels", "10 training levels"]
    assert len(figure.axes) == 2


def test_records_table_and_figure_are_written(tmp_path):
    paths = write_generalisation(RECORDS, tmp_path)
    assert [path.name for path in paths] == [
        "generalisation.csv",
        "table.md",
        "generalisation.svg",
        "generalisation.png",
    ]
    with paths[0].open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(RECORDS)
    assert float(rows[0]["test_share"]) == pytest.approx(0.75)
    again = write_generalisation(RECORDS, tmp_path / "again")
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in paths]


@pytest.mark.parametrize("change", [{"test_level": "test/4-9"}, {"dials": json.dumps({"horizon": 40})}], ids=str)
def test_runs_that_were_tested_in_different_ways_are_not_put_into_one_table(tmp_path, change):
    runs = RECORDS
    with pytest.raises(InvalidRun, match="tested in different ways"):
        write_generalisation([*runs, {**runs[0], **change}], tmp_path)
    assert not list(tmp_path.iterdir())
