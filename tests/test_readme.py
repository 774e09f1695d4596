"""The README's Python runs, its links lead somewhere, and its table is the committed one."""

import csv
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_python_in_the_readme_runs(capsys):
    (block,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    exec(block, {})
    assert "Evaluation(" in capsys.readouterr().out


@pytest.mark.parametrize("target", re.findall(r"\]\(([^)#:]+)\)", README))
def test_links_in_the_readme_lead_somewhere(target):
    assert (ROOT / target).exists()


def test_rates_in_the_readme_are_those_of_the_records():
    with (ROOT / "experiments/first/records.csv").open() as file:
        records = [record for record in csv.DictReader(file) if record["dials"] == "{}"]
    for world, recipe, paid in re.findall(r"^\| (\w+-v0) \| ([\w-]+) \| (proxy|true)", README, flags=re.MULTILINE):
        group = [r for r in records if (r["env"], r["recipe"], r["reward"]) == (world, recipe, paid)]
        line = next(line for line in README.splitlines() if line.startswith(f"| {world} | {recipe} | {paid}"))
        assert f" {sum(r['hack'] == 'True' for r in group)}/{len(group)} " in line
