"""Cards: the committed ones are those that would be written, and what they say is right."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from alignment_gym import exact
from alignment_gym.agents import RECIPES
from alignment_gym.core import dials, world_class
from alignment_gym.experiments.collected import COLUMNS, write_records
from alignment_gym.reports import markdown
from alignment_gym.reports.worlds import cards, pictures, published, world_card
from alignment_gym.reports.worlds.analysis import lowest_true_score, smallest_loss, solution_parts
from tests.every import DEMOS, WORLDS, levels, timed_solution
from tests.tiny import Table, bandit

ROOT = Path(__file__).parent.parent.parent
QUICK = "ShutdownButton-v0"


page_of = cache(world_card.world_page)


@pytest.mark.parametrize("env_id", WORLDS)
def test_committed_cards_are_not_stale(env_id):
    assert cards.stale_cards(ROOT, [env_id]) == [], "run `make cards`"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("cards")
    cards.write_cards(out, [QUICK])
    return out


def test_written_cards_are_fresh(folder):
    assert cards.stale_cards(folder, [QUICK]) == []


def test_a_picture_of_something_else_is_stale(folder, tmp_path):
    shown = np.asarray(Image.open(folder / "envs" / f"{QUICK}.png"))
    for name, picture in (("smoothed", shown.astype(int) + 3), ("turned", shown[::-1]), ("cut", shown[:-2])):
        Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8)).save(tmp_path / f"{name}.png")
    (tmp_path / "torn.png").write_bytes((folder / "envs" / f"{QUICK}.png").read_bytes()[:200])
    drawn = pictures.card_picture(QUICK)
    told = {
        name: pictures.shows(tmp_path / f"{name}.png", drawn) for name in ("smoothed", "turned", "cut", "torn", "gone")
    }
    assert told == {"smoothed": True, "turned": False, "cut": False, "torn": False, "gone": False}


def test_cards_are_the_same_twice(folder, tmp_path):
    cards.write_cards(tmp_path, [QUICK])
    for path in folder.rglob("*.*"):
        assert (tmp_path / path.relative_to(folder)).read_bytes() == path.read_bytes()


@pytest.mark.parametrize("env_id", WORLDS)
def test_a_world_card_names_all_that_the_world_has(env_id):
    text, world = page_of(env_id), world_class(env_id)
    named = [*(f"`{event}`" for event in world.events), *(f"| `{dial.name}` |" for dial in dials(world))]
    for word in (*named, *levels(env_id), *world.card.sources, *world.card.history, world.card.loophole):
        assert word in text


@pytest.mark.parametrize(("env_id", "demo"), DEMOS)
def test_a_demo_stands_in_its_card_with_its_returns(env_id, demo):
    found = next(each for each in world_class(env_id).card.demos if each.name == demo)
    row = next(line for line in page_of(env_id).splitlines() if line.startswith(f"| {demo} |"))
    assert f"| {markdown.number(found.proxy_return)} | {markdown.number(found.true_return)} |" in row


@pytest.mark.parametrize(("hack", "says"), [(True, "2 agents paid the proxy, 2 hacked."), (False, "none hacked. A")])
def test_a_card_tells_what_trained_agents_did(tmp_path, hack, says):
    scores = dict.fromkeys(COLUMNS, 0.25) | {"hack": hack, "worse_than_random": False, "exact": True}
    names = {"env": QUICK, "level": "workshop", "recipe": "ppo", "reward": "proxy", "key": "0", "tables": None}
    names |= {"dials": "{}", "settings": "{}", "steps": 200_000, "unseen_observations": 0, "schema_version": 2}
    made = [{**scores, **names, "seed": seed, "proxy_score": score} for seed, score in enumerate((0.95, 0.5))]
    other = made[0] | {"settings": '{"lanes": 64}', "key": "1"}
    write_records([*made, other], tmp_path / published.RESULTS)
    found = published.published(tmp_path)
    assert found == [each | {"curve": []} for each in made]
    text = world_card.world_page(QUICK, found)
    assert says in text
    assert "| ppo | proxy | 2 | 1/2 |" in text
    assert "Trained agents" not in world_card.world_page("BoatRace-v0", found)


def test_a_card_has_the_published_geometry_of_its_own_levels(tmp_path):
    header = ["env", "level", "verdict", "class_near_optimal", *published.ON_CARDS, "angle"]
    rows = [[QUICK, "workshop", "hackable", "D", "0.444", *["0.5"] * 6, "", "1.5707963267948966"]]
    rows.append(["Another-v0", "room", "equivalent", "", *["1"] * 8, ""])
    path = tmp_path / published.GEOMETRY / "descriptors.csv"
    path.parent.mkdir(parents=True)
    path.write_text("\n".join(",".join(row) for row in [header, *rows]), encoding="utf-8")
    text = world_card.world_page(QUICK, (), published.described(tmp_path))
    assert "| workshop | hackable | D | 0.444 | 0.5 | 0.5 | 0.5 | 0.5 | 0.5 | 0.5 | - | 90 |" in text
    assert "Another" not in text
    assert "## Geometry of the proxy" not in world_card.world_page(QUICK)
    assert cards.stale_cards(tmp_path, [QUICK])


def test_facts_of_several_levels_are_those_of_the_world():
    one, both = (
        world_card.card_facts("ShutdownButton", level, {"horizon": 9}) for level in ("workshop", "workshop,cellar")
    )
    assert both["level"] == "workshop,cellar"
    for name in ("id", "description", "dials", "events"):
        assert both[name] == one[name], name
    assert both["solution"]["states"] == 2 * one["solution"]["states"]


def test_a_recipes_card_names_every_hyperparameter(folder):
    for name, recipe in RECIPES.items():
        text = (folder / "agents" / f"{name}.md").read_text(encoding="utf-8")
        for key in ("steps", "lanes", "discount", "rise", *recipe.settings):
            assert f"| `{key}` |" in text


def test_a_solution_reads_as_it_is():
    solution, _ = timed_solution(QUICK, "workshop")
    text = "\n".join(solution_parts(solution))
    assert f"Class {solution.class_name}, " in text
    assert markdown.number(solution.anchors.proxy_max) in text
    for margin in solution.certificate:
        assert f"| {margin.condition} | {markdown.number(margin.loss)} |" in text


def test_the_lowest_true_score_is_that_of_the_truly_worst_policy():
    solution, _ = timed_solution(QUICK, "workshop")
    found = solution.anchors
    worst = (found.true_min - found.true_reference) / (found.true_max - found.true_reference)
    assert lowest_true_score(solution) == pytest.approx(worst)


def test_an_undefined_number_has_its_reason():
    solution = exact.solve(bandit((1.0, 0.0), (0.0, 0.0)))
    text = "\n".join(solution_parts(solution))
    assert "Class: none, a reward is the same for every policy." in text
    assert "undefined: a reward is the same for every policy (true)" in text
    assert "nan" not in text
    assert np.isnan(smallest_loss(solution))


def test_a_failed_certificate_says_so():
    assert "Certificate: **no**" in "\n".join(solution_parts(exact.solve(bandit((1.0, 0.0), (1.0, 0.0)))))
    assert "Certificate: **yes**" in "\n".join(solution_parts(exact.solve(bandit((1.0, 0.0), (0.0, 1.0)))))


def test_hidden_states_are_told():
    world = Table(
        proxy=((1.0, 0.0), (0.0, 1.0)),
        true=((0.0, 1.0), (1.0, 0.0)),
        follows=(((0.5, 0.5), (0.5, 0.5)),) * 2,
        start=(0.5, 0.5),
        looks=(0, 0),
        horizon=2,
    )
    assert "does not see every state" in "\n".join(solution_parts(exact.solve(world)))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-1e-12, "0"),
        (1 / 3, "0.3333"),
        (-0.03125, "-0.03125"),
        (43.999999999999, "44"),
        (12345.6, "12346"),
        (float("nan"), "undefined"),
        (None, "undefined"),
    ],
)
def test_numbers_have_four_digits(value, text):
    assert markdown.number(value) == text
