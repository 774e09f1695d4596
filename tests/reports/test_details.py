"""Details: what was run, with what, and what is not known, in Markdown and in LaTeX."""

import pytest

from alignment_gym.experiments.provenance import Environment, Provenance, Seconds, Trained
from alignment_gym.reports.study.details import LATEX, MARKDOWN, write_details
from alignment_gym.reports.study.paper import write_paper
from tests.reports.test_tables import PAID, TWINS, record

VERSIONS = {"alignment-gym": "0.1.0", "numpy": "2.4.6", "torch": None}

PLACES = ("", "narrow/", "floats/", "floats/narrow-")


def environment(runs=10, sha="a1" * 20):
    return Environment(runs=runs, versions=VERSIONS, python="3.11.7", platform="Linux_6", git_sha=sha, torch_threads=1)


def trained(steps=1000, total=20.0):
    seconds = Seconds(runs=10, total=total, median=2.0)
    settings = {"learning_rate": 0.006, "net_arch": [64, 64], "decay": True}
    return Trained(recipe="ppo", settings=settings, steps=steps, runs=10, seconds=seconds)


KNOWN = Provenance(runs=10, environments=[environment()], recipes=[trained()])


def told(tmp_path, records=(*PAID, *TWINS), provenance=KNOWN):
    """Return both texts, each in one line."""
    paths = write_details(records, provenance, tmp_path)
    assert [path.name for path in paths] == ["details.md", "details.tex"]
    return [" ".join(path.read_text(encoding="utf-8").split()) for path in paths]


def test_runs_arms_and_seeds_are_counted(tmp_path):
    for text in told(tmp_path):
        assert "10 runs: 5 paid the proxy, and 5 twins" in text
        assert "1 world, 2 cells" in text
        assert "seeds 0-4 in 2 cells." in text


def test_uneven_seeds_are_told(tmp_path):
    text, _ = told(tmp_path, [*PAID, *TWINS[:2]])
    assert "seeds 0-1 in 1 cell; seeds 0-4 in 1 cell." in text


def test_recipes_come_with_every_setting_and_all_their_steps(tmp_path):
    swept = KNOWN.model_copy(update={"recipes": [trained(), trained(4000)]})
    text, latex = told(tmp_path, provenance=swept)
    assert "`ppo`, 1000 steps in 10 runs, 2 s of training; 4000 steps in 10 runs, 2 s of training: " in text
    assert "`learning_rate = 0.006`, `net_arch = [64, 64]`, `decay = true`." in text
    assert r"\texttt{learning\_\allowbreak{}rate = 0.\allowbreak{}006}" in latex


def test_versions_platform_and_commit_are_told(tmp_path):
    text, latex = told(tmp_path)
    assert "10 runs: Python 3.11.7, alignment-gym 0.1.0, numpy 2.4.6, 1 thread of torch; `Linux_6`; commit" in text
    assert "commit `a1a1a1a1a1a1`" in text
    assert "torch None" not in text
    assert r"\texttt{Linux\_\allowbreak{}6}" in latex


def test_mixed_commits_are_all_named(tmp_path):
    mixed = KNOWN.model_copy(update={"environments": [environment(6), environment(4, "b2" * 20)]})
    text, _ = told(tmp_path, provenance=mixed)
    assert "made from 2 commits" in text
    assert "commit `a1a1a1a1a1a1`" in text
    assert "commit `b2b2b2b2b2b2`" in text


def test_what_is_not_recorded_is_said(tmp_path):
    text, _ = told(tmp_path, provenance=Provenance())
    assert "not recorded for 10 of 10 runs" in text
    assert "Settings were not recorded" in text
    text, _ = told(tmp_path, provenance=KNOWN.model_copy(update={"environments": [environment(7)]}))
    assert "not recorded for 3 of 10 runs" in text


@pytest.mark.parametrize(("seconds", "words"), [(90.0, "1.5 minutes"), (7200.0, "2.0 hours")])
def test_training_time_is_summed(tmp_path, seconds, words):
    text, _ = told(tmp_path, provenance=KNOWN.model_copy(update={"recipes": [trained(total=seconds)]}))
    assert f"training took {words} in all, summed over 10 runs." in text
    assert "of one core" not in text
    timed = trained().model_copy(update={"processor_seconds": Seconds(runs=4, total=seconds, median=1.0)})
    text, _ = told(tmp_path, provenance=KNOWN.model_copy(update={"recipes": [timed]}))
    assert f"Training and scoring took {words} of processor time, summed over 4 runs." in text


def test_tables_have_fingerprints_and_differences_are_told(tmp_path):
    same = [each | {"tables": "ab" * 32} for each in PAID]
    text, _ = told(tmp_path, same)
    assert "`BoatRace-v0`, level lagoon: `abababababab`." in text
    text, _ = told(tmp_path, [*same, *(each | {"tables": "cd" * 32} for each in TWINS)])
    assert "`abababababab`, `cdcdcdcdcdcd`; tables differ between runs." in text
    text, _ = told(tmp_path, [*same, *TWINS])
    assert "`abababababab`, not recorded for some runs." in text


def test_dials_and_test_levels_belong_to_the_world(tmp_path):
    text, _ = told(tmp_path, [record(dials='{"depth": 4}', test_level="test/0-9")])
    assert "level lagoon, depth=4, tested on test/0-9: not recorded." in text


def test_claims_depend_on_what_records_say(tmp_path):
    text, _ = told(tmp_path)
    assert "No learner saw" not in text
    assert "means of sampled episodes" not in text
    other = [each | {"expose_true": False, "exact": False, "checkpoints": 12} for each in PAID]
    text, _ = told(tmp_path, other)
    assert "No learner saw the true objective" in text
    assert "but for 5 runs, whose are means of sampled episodes" in text
    assert "scored at up to 12 checkpoints" in text


def test_hostile_names_are_escaped(tmp_path):
    text, latex = told(tmp_path, [record(env="A_B & 100%", level="c_#<1")])
    assert "`A_B & 100%`, level c\\_#\\<1: not recorded." in text
    assert r"\texttt{A\_\allowbreak{}B \& 100\%}, level c\_\#\textless{}1: not recorded." in latex
    assert LATEX.text("50 %") == r"50 \%"
    assert MARKDOWN.text("a_b*[c]") == r"a\_b\*\[c\]"


def test_a_paper_gets_all_of_it_and_twice_the_same(tmp_path):
    records = [*PAID, *TWINS]
    paths = [write_paper(records, KNOWN, tmp_path / name) for name in ("first", "second")]
    names = [[str(path.relative_to(tmp_path)).partition("/")[2] for path in each] for each in paths]
    assert names[0] == names[1]
    assert {*names[0]} == {
        "latex/details.tex",
        *(f"latex/{place}{name}.tex" for place in PLACES for name in ("scores", "severity", "effect")),
        *("details.md", "citation.bib", "provenance.json"),
    }
    assert [path.read_bytes() for path in paths[0]] == [path.read_bytes() for path in paths[1]]
