"""A report's LaTeX compiles in a plain two-column article, with booktabs and nothing else."""

import os
import re
import subprocess
from shutil import which

import pytest

from alignment_gym.agents import RECIPES
from alignment_gym.experiments.config import settings_of
from alignment_gym.experiments.provenance import Environment, Provenance, Seconds, Trained
from alignment_gym.reports.study.paper import write_paper
from tests.reports.test_tables import record

pytestmark = pytest.mark.latex

COLUMN_WIDTH = 240.0  # points
WIDEST = 20.0  # points: how far a box may stick out
HOSTILE = 'A_B & 100%~^\\{}<c>|#"'  # and no $, which in italics needs a font that may be missing
WORLDS = ("BoatRace-v0", "SensorCleaner-v0", "ImpossibleDelivery-v0", HOSTILE)
PROGRAM = "pdflatex"
ADVICE = "pdflatex is missing: apt-get install texlive-latex-base texlive-latex-recommended"


def records():
    """Return runs of many arms, with sweeps, hostile names, undefined scores and arms that learned nothing."""
    plain = [
        record(reward, seed, env, recipe=recipe, steps=RECIPES[recipe].steps, tables="ab" * 32)
        for env in WORLDS
        for recipe in RECIPES
        for reward in ("proxy", "true")
        for seed in range(2)
    ]
    swept = [
        record(reward, seed, steps=RECIPES["ppo"].steps, **{kind: value})
        for kind, values in {"dials": ('{"depth": 8}',), "settings": ('{"net_arch": [256, 256]}',)}.items()
        for value in values
        for reward in ("proxy", "true")
        for seed in range(2)
    ]
    weak = [each | {"dials": '{"depth": 64}', "proxy_score": -12.3456, "exploitation": None} for each in swept]
    foreign = [record(recipe="some_package.some_module:learner_with_a_long_name", steps=0)]
    return [*plain, *swept, *weak, *foreign]


def provenance():
    versions = {"alignment-gym": "0.1.0", "stable-baselines3": "2.9.2", "torch": "2.13.0+cpu"}
    platform = "Linux-6.18.44-generic-x86_64-with-glibc2.36"
    environments = [
        Environment(runs=9, versions=versions, python="3.11.7", platform=platform, git_sha="0123456789" * 4)
    ]
    recipes = [
        Trained(
            recipe=name,
            settings=settings_of(recipe),
            steps=recipe.steps,
            runs=9,
            seconds=Seconds(runs=9, total=9e4, median=9.0),
        )
        for name, recipe in RECIPES.items()
    ]
    return Provenance(runs=9, environments=environments, recipes=recipes)


def document(folder):
    """Return an article in two columns that inputs every file of a folder, tables across both columns."""
    names = sorted(path.stem for path in folder.glob("*.tex"))
    tables = [rf"\begin{{table*}}[p]\input{{{name}}}\caption{{{name}}}\end{{table*}}" for name in names]
    body = [r"\input{details}" if name == "details" else table for name, table in zip(names, tables, strict=True)]
    packages = [r"\documentclass[twocolumn]{article}", r"\usepackage{booktabs}"]
    return "\n".join([*packages, r"\begin{document}", *body, r"\clearpage", r"\end{document}"])


def compiled(folder):
    """Compile `all.tex` and return the log, in lines that are not wrapped."""
    assert which(PROGRAM), ADVICE
    words = [PROGRAM, "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "all.tex"]
    unwrapped = os.environ | {"max_print_line": "10000"}
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, errors="replace", env=unwrapped)
    log = (folder / "all.log").read_text(errors="replace") if (folder / "all.log").exists() else done.stdout
    assert done.returncode == 0, log[-3000:]
    return log


def too_wide(log):
    return [float(found) for found in re.findall(r"Overfull \\[hv]box \(([\d.]+)pt", log) if float(found) > WIDEST]


def test_everything_compiles_and_fits(tmp_path):
    write_paper(records(), provenance(), tmp_path)
    folder = tmp_path / "latex"
    names = {path.stem for path in folder.glob("*.tex")}
    assert {"details", "aggregates", "scores-1", "severity-1"} <= names
    (folder / "all.tex").write_text(document(folder))
    log = compiled(folder)
    assert too_wide(log) == []
    assert "Float too large" not in log
    assert "Missing character" not in log
    assert "Output written on all.pdf" in log


def test_the_test_notices_errors_and_wide_boxes(tmp_path):
    (tmp_path / "all.tex").write_text(r"\documentclass{article}\begin{document}A_B\end{document}")
    with pytest.raises(AssertionError, match="Missing \\$ inserted"):
        compiled(tmp_path)
    (tmp_path / "all.tex").write_text(
        r"\documentclass{article}\begin{document}\noindent\rule{500pt}{1pt}\end{document}"
    )
    assert too_wide(compiled(tmp_path))


def test_narrow_tables_are_no_wider_than_a_column_and_floats_fit_with_their_captions(tmp_path):
    write_paper(records(), provenance(), tmp_path)
    folder = tmp_path / "latex"
    slim, floats = (sorted(path.stem for path in (folder / name).glob("*.tex")) for name in ("narrow", "floats"))
    assert {"scores", "severity", "effect", "aggregates"} <= {name.partition("-")[0] for name in slim}
    assert {"scores-1", "narrow-scores-1"} <= set(floats)
    body = [rf"\sbox\wide{{\input{{narrow/{name}}}}}\typeout{{WIDTH \the\wd\wide}}" for name in slim]
    body += [rf"\input{{floats/{name}}}\clearpage" for name in floats] + [r"See \ref{tab:scores-1}."]
    lines = [r"\documentclass[twocolumn]{article}", r"\usepackage{booktabs}", r"\newsavebox\wide"]
    (folder / "all.tex").write_text("\n".join([*lines, r"\begin{document}", *body, r"\end{document}"]))
    compiled(folder)
    log = compiled(folder)
    widths = [float(found) for found in re.findall(r"^WIDTH ([\d.]+)pt", log, re.M)]
    assert len(widths) == len(slim)
    assert max(widths) <= COLUMN_WIDTH
    assert too_wide(log) == []
    assert not [words for words in ("Float too large", "Missing character", "undefined", "multiply") if words in log]
