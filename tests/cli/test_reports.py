"""`report` says of every run what it has to say: of those that were tested on other levels, what they lost."""

import json
from pathlib import Path


def trained(call, *words):
    return json.loads(
        call("train", "CoinGoal", "--algo", "q-learning", "--steps", 2_000, "-o", "runs", *words, "--json").out
    )


def test_runs_that_were_tested_on_other_levels_have_their_own_report(call):
    trained(call, "--level", "train/0-1", "--test-level", "test/0-1")
    names = {line.rpartition("/")[2] for line in call("report", "runs", "-o", "out").out.split()}
    own = {"generalisation.csv", "table.md", "generalisation.svg", "generalisation.png"}
    assert names == {*own, "records.csv", "records.jsonl", "curves.jsonl.gz", "findings.md", "index.html"}


def test_beside_others_it_has_a_folder_of_its_own(call):
    trained(call, "--level", "train/0-1", "--test-level", "test/0-1")
    trained(call)
    written = call("report", "runs", "-o", "out").out.split()
    assert {"out/records.csv", "out/figures/plane.svg", "out/generalisation/generalisation.csv"} <= set(written)
    page = Path("out/index.html").read_text(encoding="utf-8")
    assert 'href="generalisation/"' in page
    assert "not tested" in page
    assert "out/figures/losses.svg" not in written, "the world has no surplus, so that E is undefined"


def test_what_training_passed_through_is_drawn_where_the_curves_say_so(call):
    for reward in ("proxy", "true"):
        call("train", "BoatRace", "--algo", "q-learning", "--steps", 2_000, "--reward", reward, "-o", "runs")
    assert {"out/figures/losses.svg", "out/figures/pressure.svg"} <= set(
        call("report", "runs", "-o", "out").out.split()
    )
    table = Path("out/table.md").read_text(encoding="utf-8")
    assert "## Misspecification effect" in table
    assert "## Pressure" in table
    for path in Path("runs").rglob("curve.jsonl"):  # as earlier versions wrote them
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        for line in lines:
            del line["kl"], line["chi_squared"]
        path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    written = call("report", "runs", "-o", "old").out.split()
    assert "old/figures/losses.svg" in written
    assert "old/figures/pressure.svg" not in written
    assert "## Pressure" not in Path("old/table.md").read_text(encoding="utf-8")
