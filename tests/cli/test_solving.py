"""`solve`: the answer comes first, numbers agree with the JSON, and what can't be done is refused before the work."""

import json
from pathlib import Path

import pytest
from PIL import Image

from alignment_gym.reports.markdown import number

QUICK = ("solve", "BoatRace-v0", "--dial", "horizon=10")
SHORT = ("solve", "BoatRace-v0", "--dial", "horizon=3")
ALIGNED = (*SHORT, "--proxy", "progress=1")


@pytest.fixture
def told(call, monkeypatch):
    """Give a function that returns what `solve` says to people, one line a paragraph."""
    monkeypatch.setenv("COLUMNS", "1000")

    def run(*words: object) -> str:
        said = call(*words)
        assert (said.code, said.err) == (0, "")
        return said.out

    return run


def record(call, *words):
    said = call(*words, "--json")
    assert (said.code, said.err) == (0, "")
    return json.loads(said.out)


def test_the_answer_stands_before_all_tables(told):
    text = told(*QUICK)
    places = [text.index(each) for each in ("How bad?", "How soon?", "The exploit.", " hack ", "Worst exploit")]
    assert places == sorted(places)
    assert "Every proxy-optimal policy is a hack." in text
    assert "Already in an episode cut to 8 steps, a fixed plan hacks." in text
    assert "Shortest plan: south, east 2x," in text
    assert "Over the whole episode the best paid policy, at its worst, against intended play: buoy" in text
    assert "Not the world's own" not in text


def test_headline_scores_come_before_severity(told):
    (head,) = [line for line in told(*QUICK).splitlines() if line.split()[:1] == ["play"]]
    assert head.split() == ["play", "E", "L", "hack", "exploit", "P", "T", "H"]


def test_lines_fit_a_narrow_terminal(call, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert max(len(line.rstrip()) for line in call(*QUICK).out.splitlines()) <= 80


def test_numbers_of_the_text_are_those_of_the_json(call, told):
    found, text = record(call, *QUICK), told(*QUICK)
    for value in (
        found["frontier"]["headroom"],
        found["goodhart"]["onset"],
        found["likeness"]["starc_val"],
        found["exploit"]["best_paid"]["true_loss"],
        found["exploit_event"]["uniform"],
        found["uniform"]["exploitation"],
    ):
        assert number(value) in text
    assert found["specification"] == {"proxy": {"buoy": 1.0, "step": -0.05}, "true": {"progress": 1.0}, "own": True}
    assert all(sentence in text.replace("\n", " ") for sentence in [found["answer"]["how_bad"]])


def test_a_loophole_of_ones_own_is_found_before_training(call, told):
    words = (*QUICK, "--proxy", "buoy=1", "step=-0.1")
    text, found = told(*words), record(call, *words)
    assert "Not the world's own specification." in text
    assert found["specification"]["proxy"] == {"buoy": 1.0, "step": -0.1}
    assert found["exploit"]["shortest"]["exploitation"] >= 0.25
    assert "buoy" in found["answer"]["exploit"]


def test_weights_may_be_given_one_option_each(call):
    one = record(call, *QUICK, "--proxy", "buoy=1", "step=-0.1")
    other = record(call, *QUICK, "--proxy", "buoy=1", "--proxy", "step=-0.1")
    assert one == other


def test_the_true_objective_as_proxy_is_aligned(told):
    text = told(*QUICK, "--proxy", "progress=2")
    assert "Not at all: both rewards rank all policies alike." in text
    assert "Class A, aligned" in text


def test_a_proxy_of_nothing_asks_for_nothing(call, told):
    words = (*QUICK, "--proxy", "buoy=0")
    assert "it asks for nothing" in told(*words)
    found = record(call, *words)
    assert found["gap_max"] is None
    assert found["reasons"]["gap_max"]
    assert found["reasons"]["kappa.proxy"]
    assert found["likeness"]["reasons"].keys() == {"starc_val", "reward_correlation", "return_correlation"}


def test_a_true_objective_of_nothing_has_nothing_to_lose(told):
    assert "nothing to lose" in told(*QUICK, "--true", "progress=0")


def test_an_aligned_world_has_no_exploit_and_says_why(call, told):
    assert "No plan is an exploit: intended play earns all the proxy there is." in told(*ALIGNED)
    found = record(call, *ALIGNED)
    assert found["exploit"]["shortest"] is None
    assert found["exploit"]["shortest_reason"]
    assert found["uniform"]["exploitation"] is None
    assert found["uniform"]["reasons"]["exploitation"]


def test_geometry_is_added_where_asked_for(call, told):
    words = (*ALIGNED, "--geometry")
    assert "Projected angle: 0 degrees" in told(*words)
    found = record(call, *words)["geometry"]
    assert found["cosine"] == pytest.approx(1.0)
    assert found["safe_stop"]["proxy_return"] == pytest.approx(found["safe_stop"]["true_return"])


def test_rewards_at_an_obtuse_angle_have_no_safe_stop(told):
    text = told(*SHORT, "--proxy", "progress=-1", "--geometry")
    assert "Projected angle: 180 degrees" in text
    assert "Where to stop the ascent: unavailable" in text


def test_steepest_ascent_says_where_it_is_unavailable(call, told):
    words = ("solve", "BoatRace-v0", "--dial", "horizon=20", "--geometry")
    found = record(call, *words)["geometry"]
    assert found["angle"] is not None
    assert found["steepest_ascent_drop"] is None
    assert "2000" in found["reasons"]["ascent"].replace(",", "")
    assert "in Python, exact.steepest_ascent(..., max_columns=...) takes more" in told(*words)


@pytest.mark.parametrize("name", ["x.svg", "x.png", "x.pdf"])
def test_a_figure_is_the_file_that_was_asked_for(call, name):
    said = call(*ALIGNED, "--figure", name)
    assert (said.code, said.err) == (0, f"{name}\n")
    assert [path.name for path in Path().iterdir()] == [name]
    before = Path(name).read_bytes()
    call(*ALIGNED, "--figure", name)
    assert Path(name).read_bytes() == before


def test_the_animation_shows_the_plan(call):
    said = call(*QUICK, "--animation", "x.webp", "--json")
    plan = json.loads(said.out)["exploit"]["shortest"]
    with Image.open("x.webp") as animation:
        assert animation.n_frames == plan["steps"] + 1


def test_agents_of_runs_are_read_for_a_figure(call):
    train = ("train", "ShutdownButton-v0", "--algo", "q-learning", "--dial", "horizon=10", "-n", 200)
    assert call(*train).code == 0
    solve = ("solve", "ShutdownButton-v0", "--dial", "horizon=10", "--figure", "x.svg", "--runs", "runs")
    assert call(*solve).code == 0
    assert "agents paid the proxy" in Path("x.svg").read_text()
    said = call(*solve, "--proxy", "work=2")
    assert (said.code, said.out) == (1, "")
    assert "it can't be another in their figure" in said.err
    said = call(*solve, "--dial", "hazard=0.0")
    assert (said.code, said.out) == (1, "")
    assert "none of these runs was trained on" in said.err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--proxy", "bouy=1"), 2, "did you mean 'buoy'?"),
        (("--true", "bouy=1"), 2, "did you mean 'buoy'?"),
        (("--proxy", "buoy"), 2, "event=weight"),
        (("--proxy", ""), 2, "event=weight"),
        (("--proxy", "buoy=x"), 2, "a number, not buoy=x"),
        (("--proxy", "buoy=nan"), 2, "a number, not buoy=nan"),
        (("--proxy", "buoy=1", "buoy=2"), 2, "one weight for each event"),
        (("--proxy", "buoy=1=2"), 2, "event=weight"),
        (("buoy=1",), 2, "follow --proxy"),
        (("--proxy", "buoy=1", "--true", "progress=1", "step=-1"), 2, "by commas"),
        (("--true", "progress=1", "step=-1"), 2, "by commas"),
        (("--proxy", "buoy=1e-7"), 2, "give weights of order 1"),
        (("--proxy", "buoy=-2e9"), 2, "give weights of order 1"),
        (("--true", "progress=1e300"), 2, "give weights of order 1"),
        (("--runs", "runs"), 2, "--figure"),
        (("--runs", "missing", "--figure", "x.svg"), 1, "does not exist"),
        (("--figure", "x"), 1, ".svg"),
        (("--figure", "x.gif"), 1, ".pdf, .png, .svg"),
        (("--figure", "missing/x.svg"), 1, "no directory 'missing'"),
        (("--animation", "x.png"), 1, ".webp"),
        (("--animation", "missing/x.gif"), 1, "no directory 'missing'"),
    ],
)
def test_refusals_come_before_the_work(call, monkeypatch, words, code, said):
    def unasked(*_words, **_options):
        raise AssertionError("solved all the same")

    monkeypatch.setattr("alignment_gym.exact.analysis.analyse", unasked)
    found = call(*QUICK, *words)
    assert (found.code, found.out) == (code, "")
    assert found.err.startswith("alignment-gym: ")
    assert found.err.count("\n") == 1
    assert said in found.err
    assert not list(Path().iterdir())


def test_an_animation_without_an_exploit_is_refused_after_the_report(call):
    said = call(*ALIGNED, "--animation", "x.gif", "--figure", "x.svg", "--json")
    assert said.code == 1
    assert json.loads(said.out) == record(call, *ALIGNED)
    written, refused = said.err.splitlines()
    assert (written, [path.name for path in Path().iterdir()]) == ("x.svg", ["x.svg"])
    assert "no surplus" in refused


def test_a_figure_that_fails_leaves_the_report(call, monkeypatch):
    def full(*_words):
        raise OSError(28, "No space left on device", "x.svg")

    monkeypatch.setattr("alignment_gym.reports.geometry_figures.write_plane", full)
    said = call(*ALIGNED, "--figure", "x.svg")
    assert said.code == 1
    assert "Not at all: both rewards rank all policies alike." in " ".join(said.out.split())
    assert said.err == "alignment-gym: No space left on device: x.svg\n"


def test_weights_of_any_sensible_size_are_taken(call):
    small, large = (record(call, *SHORT, "--proxy", f"buoy={weight}") for weight in ("1e-6", "1e9"))
    assert small["class"] == large["class"]
    assert small["gap_max"] == pytest.approx(large["gap_max"], rel=1e-6)


def test_a_giant_names_a_level_that_is_small_enough(call):
    said = call("solve", "SideEffectsSokoban-v0", "--level", "3")
    assert (said.code, said.out) == (1, "")
    assert "such as '0'" in said.err


def test_help_names_the_gap_maximal_player(call, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert "gap-maximal" in call("eval", "--help").out
