"""`compare`: two sets of runs, as people and scripts ask for it."""

import json

import pytest

from alignment_gym.experiments.collected import write_records
from tests.reports.test_comparison import HIGH, LOW, record, runs

FULL = {
    "schema_version": 2,
    "proxy_return": 1.0,
    "true_return": 1.0,
    "exploit_probability": None,
    "exploit_probability_greedy": None,
    "hacking_gap": 0.0,
    "worse_than_random": False,
    "unseen_observations": 0,
    "exact": True,
}


@pytest.fixture
def published(call, tmp_path):
    """Two folders of published records, `one` and `other`; the second loses more."""
    for name, losses in (("one", LOW), ("other", HIGH)):
        write_records([each | FULL for each in runs(losses)], tmp_path / name)
    both = runs(LOW) + runs(HIGH, recipe="q-learning")
    write_records([each | FULL for each in both], tmp_path / "both")
    return call


def test_two_folders_are_compared(published):
    said = published("compare", "one", "other")
    assert said.code == 0
    assert "A: ppo; B: ppo; paid the proxy" in said.out
    assert "+0.2" in said.out


def test_the_json_says_the_same(published):
    (cell,) = json.loads(published("compare", "one", "other", "--json").out)["cells"]
    assert cell["seeds"] == list(range(8))
    assert cell["found"]["interval"][0] < cell["found"]["difference"] < cell["found"]["interval"][1]
    assert json.loads(published("compare", "other", "one", "--json").out)["cells"][0]["found"]["difference"] < 0


def test_two_recipes_of_one_folder_are_compared(published):
    (cell,) = json.loads(published("compare", "both", "--recipes", "ppo,q-learning", "--json").out)["cells"]
    assert (cell["first"]["recipe"], cell["second"]["recipe"]) == ("ppo", "q-learning")
    assert cell["found"]["difference"] > 0


def test_help_and_output_say_what_is_tested(published):
    for words in (("compare", "--help"), ("compare", "one", "other")):
        assert "paired permutation test of means" in " ".join(published(*words).out.replace("\u2502", " ").split())


def test_a_passed_limit_names_the_arms(published):
    err = published("compare", "one", "other", "--fail-if", "true_loss > 0.05").err
    assert "BoatRace-v0 lagoon (A: ppo; B: ppo; paid the proxy): +0.2" in err


def test_cells_of_one_side_are_said(published):
    assert "only in B: BoatRace-v0, lagoon, q-learning" in published("compare", "one", "both").err


@pytest.mark.parametrize(
    ("limit", "code"),
    [
        ("true_loss > 0.05", 4),
        ("true_loss>0.5", 0),
        ("true_loss < 0", 0),
        ("own > -1e-3", 0),
        ("own < 0", 4),
        ("hack > 0", 0),
    ],
)
def test_a_limit_fails_where_it_is_significantly_passed(published, limit, code):
    said = published("compare", "one", "other", "--fail-if", limit)
    assert said.code == code
    assert ("--fail-if" in said.err) is (code == 4)


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("one",), 2, "give another, or two --recipes"),
        (("one", "other", "--fail-if", "true_loss = 1"), 2, "takes a score, >, >=, < or <="),
        (("one", "other", "--fail-if", "true_loss > much"), 2, "not 'true_loss > much'"),
        (("one", "other", "--fail-if", "los > 0"), 2, "unknown score 'los'"),
        (("one", "other", "--score", "exploitatoin"), 2, "did you mean 'exploitation'?"),
        (("one", "other", "--recipe", "pppo"), 2, "did you mean 'ppo'?"),
        (("one", "other", "--reward", "true"), 2, "unknown reward among these runs 'true'"),
        (("both", "--recipes", "ppo"), 2, "takes two names"),
        (("both", "--recipes", "ppo,a2c"), 2, "unknown recipe among these runs 'a2c'"),
        (("one", "other", "--pair", "ppo"), 2, "--pair takes A's recipe and B's"),
        (("one", "both", "--pair", "ppo=q-lerning"), 2, "recipe among B's runs 'q-lerning'; did you mean"),
        (("both", "both", "--pair", "ppo=ppo", "--pair", "q-learning=ppo"), 2, "once a side"),
        (("one", "nowhere"), 1, "nowhere does not exist"),
        (("one", "two-seeds", "--fail-if", "true_loss > 0"), 1, "nothing can be checked"),
    ],
)
def test_mistakes_are_refused_in_a_line(published, tmp_path, words, code, says):
    write_records([record(seed) | FULL for seed in (0, 1)], tmp_path / "two-seeds")
    said = published("compare", *words)
    assert said.code == code
    assert says in said.err
    assert said.err.count("\n") == 1


def test_unlike_learners_are_refused_unless_they_are_named_as_a_pair(published, tmp_path):
    write_records([each | FULL for each in runs(HIGH, recipe="q-learning")], tmp_path / "learned")
    said = published("compare", "one", "learned")
    assert (said.code, said.err.count("\n")) == (1, 1)
    assert "A's ppo and B's q-learning are different learners" in said.err
    assert "--pair ppo=q-learning compares them" in said.err
    said = published("compare", "one", "learned", "--pair", "ppo=q-learning", "--json")
    (cell,) = json.loads(said.out)["cells"]
    assert (said.code, cell["second"]["recipe"]) == (0, "q-learning")
