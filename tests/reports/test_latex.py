"""LaTeX tables: escaped, with their definitions, in parts that a page holds."""

import re

import pytest

from alignment_gym.agents import RECIPES
from alignment_gym.reports.citation import escaped
from alignment_gym.reports.markdown import ranges
from alignment_gym.reports.study.latex import (
    effect_table,
    scores_table,
    severity_table,
    write_latex,
)
from alignment_gym.reports.study.latex_shapes import Block, Table, narrow, parts
from alignment_gym.reports.tables import cells
from tests.reports.test_tables import PAID, TWINS, record

USUAL = {"steps": RECIPES["ppo"].steps}
SPECIAL = re.compile(r"(?<!\\)[%#_&$]")


def rows(table):
    return [row for block in table.blocks for row in block.rows]


def test_a_hostile_name_is_escaped():
    assert escaped("A_B & 100%") == r"A\_B \& 100\%"
    assert escaped("\\{}~^<>|#$") == (
        r"\textbackslash{}\{\}\textasciitilde{}\textasciicircum{}\textless{}\textgreater{}\textbar{}\#\$"
    )


def test_names_from_records_are_escaped_in_tables():
    names = {"env": "A_B & 100%", "level": "c#1", "recipe": "my_module:learn"}
    table = scores_table(cells([record(**names)]))
    assert table.blocks[0].title == r"A\_B \& 100\% c\#1"
    (row,) = table.blocks[0].rows
    assert row[0] == r"my\_module:learn"
    (text,) = parts(table)
    body = [line for line in text.splitlines() if r"A\_B" in line or r"my\_module" in line]
    assert len(body) == 2
    assert all(not SPECIAL.search(line.replace(" & ", "")) for line in body)


def test_numbers_come_with_intervals_and_minus_signs():
    table = severity_table(cells([each | {"true_score": -0.25} for each in PAID]))
    ((_, paid, seeds, proxy, true, _, worse),) = rows(table)
    assert (paid, seeds, proxy) == ("proxy", "5", "0.95 [0.95, 0.95]")
    assert true == "$-$0.25 [$-$0.25, $-$0.25]"
    assert worse == "0/5 [0.00, 0.52]"


def test_what_is_undefined_is_a_dash():
    table = scores_table(cells([each | {"exploitation": None, "hack": None} for each in PAID]))
    ((_, _, _, exploitation, loss, hacks, *_),) = rows(table)
    assert (exploitation, hacks) == ("--", "--")
    assert loss == "0.52 [0.50, 0.54]"


def test_an_effect_is_claimed_or_the_reason_is_given():
    ((_, seeds, effect, reason),) = rows(effect_table(cells([*PAID, *TWINS])))
    assert (seeds, reason) == ("5, 5", "")
    assert effect.startswith("0.40 [")
    weak = [each | {"true_score": 0.7} for each in TWINS]
    ((_, _, effect, reason),) = rows(effect_table(cells([*PAID, *weak])))
    assert (effect, reason) == ("--", r"twins, T 0.700 \textless{} 0.8")


def test_swept_settings_and_steps_name_the_recipe_and_dials_the_world():
    usual, wide = record(**USUAL), record(**USUAL, settings='{"net_arch": [8]}')
    deep, long = record(**USUAL, dials='{"depth": 4}'), record(steps=1000)
    table = scores_table(cells([usual, wide, long, deep]))
    assert [block.title for block in table.blocks] == [
        "BoatRace-v0 lagoon, depth=1 (default)",
        "BoatRace-v0 lagoon, depth=4",
    ]
    assert [row[0] for row in rows(table)] == ["ppo", r"ppo, net\_arch=[8]", "ppo, 1000 steps", "ppo"]


def test_a_table_begins_with_what_its_caption_says(tmp_path):
    write_latex([*PAID, *TWINS], tmp_path)
    text = (tmp_path / "scores.tex").read_text()
    comment, begun, rest = text.partition(r"\begingroup")
    assert begun
    assert all(line.startswith("% ") for line in comment.splitlines())
    assert "% n = 5 seeds an arm." in comment
    assert "Clopper-Pearson" in comment
    assert "evaluated exactly" in " ".join(comment.split())
    assert r"\documentclass" not in text
    assert [rest.count(rule) for rule in (r"\toprule", r"\midrule", r"\bottomrule")] == [1, 1, 1]


def test_sampled_runs_are_told_from_exact_ones():
    caption = " ".join(scores_table(cells([each | {"exact": False} for each in PAID])).caption)
    assert "5 runs are not exact" in caption
    assert "evaluated exactly" not in caption


def test_a_long_table_comes_in_parts_that_keep_worlds_whole():
    blocks = [Block(f"world {place}", [["a"], ["b"], ["c"]]) for place in range(5)]
    texts = parts(Table(["x"], blocks, []), lines=10)
    assert [text.count(r"\textit") for text in texts] == [2, 2, 1]
    assert [text.count("a \\\\\n") for text in texts] == [2, 2, 1]
    assert texts[0].startswith("% Part 1 of 3.\n")


def test_a_world_that_no_page_holds_goes_on_with_its_title():
    texts = parts(Table(["x"], [Block("world", [[str(place)] for place in range(7)])], []), lines=5)
    assert [re.findall(r"\\textit{(.*?)}", text) for text in texts] == [["world"], ["world (continued)"]]
    assert [re.findall(r"^(\d) ", text, re.M) for text in texts] == [list("0123"), list("456")]


def test_parts_of_a_former_report_are_removed(tmp_path):
    many = [record(env=f"World{place}-v0", seed=seed) for place in range(40) for seed in range(1)]
    long = {path.name for path in write_latex(many, tmp_path) if path.parent == tmp_path and "scores" in path.name}
    assert long == {"scores-1.tex", "scores-2.tex", "scores-3.tex"}
    write_latex(PAID, tmp_path)
    assert [path.name for path in tmp_path.glob("scores*")] == ["scores.tex"]


def test_there_is_no_effect_without_twins(tmp_path):
    assert {path.name for path in write_latex(PAID, tmp_path) if path.parent == tmp_path} == {
        "scores.tex",
        "severity.tex",
    }


def test_aggregates_say_which_worlds_and_seeds(tmp_path):
    worlds = ("BoatRace-v0", "CoinGoal-v0")
    write_latex([record(env=env, seed=seed, **USUAL) for env in worlds for seed in range(3)], tmp_path)
    text = " ".join((tmp_path / "aggregates.tex").read_text().replace("\n% ", " ").split())
    assert "worlds BoatRace-v0 lagoon, CoinGoal-v0 lagoon; seeds 0-2." in text
    assert r"\textit{$1 - L$: 1 arm, 2 worlds, 3 seeds}" in text
    assert "ppo & proxy & -- & 1.00 [1.00, 1.00] & 1.00 [1.00, 1.00] & --" in text, "a rate has no IQM"


@pytest.mark.parametrize(
    ("numbers", "text"), [((), ""), ((3,), "3"), ((0, 1, 2), "0-2"), ((0, 1, 3, 5, 6), "0-1, 3, 5-6")]
)
def test_runs_of_numbers_read_as_ranges(numbers, text):
    assert ranges(numbers) == text


def test_a_long_name_is_broken_and_takes_more_lines():
    table = scores_table(cells([record(recipe="some_package.some_module:learner", **USUAL)]))
    (row,) = rows(table)
    assert row[0].startswith(r"\parbox[t]{11em}{\raggedright some\_\allowbreak{}package.\allowbreak{}some")
    tall = Block("world", [row] * 10)
    short = Block("world", [["ppo", *row[1:]]] * 10)
    assert [len(parts(Table(table.head, [block], []), lines=12)) for block in (short, tall)] == [1, 2]


def test_too_few_seeds_are_shown_as_they_are():
    table = scores_table(cells([each | {"true_loss": each["true_loss"] - 0.6} for each in PAID[:2]]))
    ((_, _, _, _, loss, *_),) = rows(table)
    assert loss == "$-$0.10, $-$0.09"
    assert "No interval from fewer than 3 seeds" in " ".join(table.caption)
    assert "No interval" not in " ".join(scores_table(cells(PAID)).caption)


def test_a_narrow_table_has_intervals_below_and_what_was_paid_too():
    (row, *_) = rows(narrow(scores_table(cells(PAID))))
    cell = r"\begin{tabular}[t]{@{}l@{}}"
    assert row[0] == cell + r"ppo\\{}proxy\end{tabular}"
    assert row[2] == cell + r"0.52\\{}[0.50, 0.54]\end{tabular}"
    assert row[-1] == "5/5"


def test_a_float_has_a_caption_and_a_label_and_later_parts_point_to_the_first(tmp_path):
    many = [record(env=f"World{place}-v0") for place in range(40)]
    write_latex(many, tmp_path)
    first, second = ((tmp_path / "floats" / f"scores-{place}.tex").read_text() for place in (1, 2))
    assert first.startswith(r"\begin{table*}[tp]")
    assert first.endswith("\\end{table*}\n")
    assert r"E $\geq$ 0.25 and L $\geq$ 0.05" in first
    assert r"\texttt{proxy} is paid the proxy" in first
    assert [re.findall(r"\\label{(.*?)}", text) for text in (first, second)] == [["tab:scores-1"], ["tab:scores-2"]]
    assert r"Continued from Table~\ref{tab:scores-1}." in second
    assert (tmp_path / "floats/narrow-scores-1.tex").read_text().startswith(r"\begin{table}[tp]")


def test_a_negative_number_in_a_reason_has_a_minus_sign():
    weak = [each | {"true_score": -0.7} for each in TWINS]
    ((*_, reason),) = rows(effect_table(cells([*PAID, *weak])))
    assert reason == r"twins, T $-$0.700 \textless{} 0.8"
