"""`report` says of every run what it has to say: of those that were tested on other levels, what they lost."""

import json


def trained(call, *words):
    return json.loads(
        call("train", "CoinGoal", "--algo", "q-learning", "--steps", 2_000, "-o", "runs", *words, "--json").out
    )


def test_runs_that_were_tested_on_other_levels_have_their_own_report(call):
    trained(call, "--level", "train/0-1", "--test-level", "test/0-1")
    names = {line.rpartition("/")[2] for line in call("report", "runs", "-o", "out").out.split()}
    assert names == {"records.csv", "table.md", "generalisation.svg", "generalisation.png"}


def test_beside_others_it_has_a_folder_of_its_own(call):
    trained(call, "--level", "train/0-1", "--test-level", "test/0-1")
    trained(call)
    written = call("report", "runs", "-o", "out").out.split()
    assert {"out/records.csv", "out/plane.svg", "out/generalisation/records.csv"} <= set(written)
