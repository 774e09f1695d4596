"""Frozen suites: a name that a paper can cite stays one thing."""

import json
from pathlib import Path

import pytest

from alignment_gym.core import InvalidStudy
from alignment_gym.engine.fingerprint import fingerprint
from alignment_gym.engine.mdp import as_mdp
from alignment_gym.experiments.collected import Record
from alignment_gym.experiments.frozen import as_toml, check_frozen, freeze, suite_fingerprint
from alignment_gym.experiments.study import Study, read_study, suites

ROOT = Path(__file__).parents[2]
CORE = "d243e68b63e248c518cc1a6a3714a7bf2d810c211f720d8fc108ef1a0fe9ad81"
PUBLISHED = ROOT / "experiments"


@pytest.fixture(scope="module")
def core():
    return read_study("core-1")


def test_core_1_is_what_it_was(core):
    check_frozen(core, core.plan())
    assert suite_fingerprint(core) == CORE


@pytest.mark.parametrize("name", suites())
def test_a_suite_is_named_like_its_file(name):
    assert read_study(name).name == name


@pytest.mark.parametrize(("kind", "name"), [("tables", "BoatRace-v0 lagoon"), ("recipes", "ppo")])
def test_a_suite_is_refused_where_something_has_changed(core, kind, name):
    pinned = core.frozen.model_dump()
    pinned[kind][name] = "0" * 64
    with pytest.raises(InvalidStudy, match=rf"frozen, and 1 of its {kind[:-1]}s differ here, first '{name}'"):
        check_frozen(core.model_copy(update={"frozen": core.frozen.model_validate(pinned)}), core.plan())


def test_a_world_that_is_not_pinned_is_refused(core):
    pinned = core.frozen.model_dump()
    del pinned["tables"]["BoatRace-v0 lagoon depth=2"]
    with pytest.raises(InvalidStudy, match="depth=2"):
        check_frozen(core.model_copy(update={"frozen": core.frozen.model_validate(pinned)}), core.plan())


def test_fingerprints_are_written_as_they_are_read(core):
    import tomllib

    few = [each for each in core.plan() if each.config.env == "WhiskyGold-v0"]
    assert tomllib.loads(as_toml(freeze(few)))["frozen"] == freeze(few).model_dump()


@pytest.mark.parametrize("dials", [{"horizon": 99}, {"lap_bonus": 1.0}, {"depth": 2}, {"level": "cove"}], ids=str)
def test_a_fingerprint_notices_a_change(dials):
    assert fingerprint(as_mdp("BoatRace-v0", **dials)) != fingerprint(as_mdp("BoatRace-v0"))


def test_a_fingerprint_notices_other_rewards():
    mdp = as_mdp("BoatRace-v0")
    proxy = {**mdp.specification.proxy, "buoy": 2.0}
    other = mdp.with_specification(type(mdp.specification)(proxy, mdp.specification.true))
    assert fingerprint(other) != fingerprint(mdp)


def test_the_published_baselines_are_runs_of_core_1_and_what_was_swept(core):
    planned = read_study(PUBLISHED / "baselines" / "study.toml").plan()
    known = {(each.config.key, each.config.seed) for each in core.plan()}
    beyond = {each.grid for each in planned if (each.config.key, each.config.seed) not in known}
    assert beyond == {"steps-ppo", "steps-q-learning", "width"}


@pytest.mark.parametrize(("name", "model"), [("study", Study), ("record", Record)])
def test_published_schemas_are_not_stale(name, model):
    text = (PUBLISHED / f"{name}.schema.json").read_text()
    assert json.loads(text) == model.model_json_schema(), "alignment-gym study schema writes it"
