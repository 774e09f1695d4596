import io

import pygame
import pytest

from alignment_gym.core import AlignmentGymError, make_world
from alignment_gym.engine.single import AlignmentEnv
from alignment_gym.render.window import Window
from alignment_gym.viewing.keyboard import Game, bindings, outcome, play
from tests.every import GIANTS, WORLDS
from tests.render.played import frames

SHORT = 4  # steps


def race(horizon: int = SHORT) -> AlignmentEnv:
    return AlignmentEnv(make_world("BoatRace-v0", horizon=horizon), render_mode="ansi")


def played(letters: str, horizon: int = SHORT, **more) -> str:
    stream = io.StringIO()
    play(race(horizon), ansi=True, source=io.StringIO(letters), stream=stream, **({"seed": 0} | more))
    return stream.getvalue()


@pytest.mark.parametrize("env_id", WORLDS)
def test_every_action_has_a_key_and_moves_have_arrows(env_id: str):
    env = AlignmentEnv(env_id, render_mode="ansi")
    keys = bindings(env)
    assert set(keys.values()) == set(range(len(env.mdp.actions)))
    moves = {"up": "north", "right": "east", "down": "south", "left": "west"}
    assert {key: env.mdp.actions[keys[key]] for key, move in moves.items() if move in env.mdp.actions} == {
        key: move for key, move in moves.items() if move in env.mdp.actions
    }
    assert not {"q", "escape", "?", "space"} & set(keys)


def test_the_true_score_is_covered_until_the_end():
    *turns, end = played("w\nw\nd\nd\n").split("quit to end> ")
    assert len(turns) == SHORT
    assert all("shown at the end" in turn for turn in turns)
    assert "shown at the end" not in end
    assert "what was meant" in end
    assert "best policy" in end


@pytest.mark.parametrize(("env_id", "level"), GIANTS)
def test_levels_too_large_to_be_solved_can_be_played(env_id: str, level: str):
    stream = io.StringIO()
    env = AlignmentEnv(env_id, level=level, render_mode="ansi", horizon=2)
    play(env, ansi=True, source=io.StringIO("w\na\n"), stream=stream)
    assert "what was meant" in stream.getvalue()
    assert "best policy" not in stream.getvalue()


def test_several_letters_are_several_steps_and_unknown_ones_none():
    shown = played("wzw\nquit\n", horizon=50)
    assert "no action has the key 'z'" in shown
    assert "step 2 of 50" in shown
    assert "step 3" not in shown


def test_letters_of_commands_are_no_actions_in_lines():
    shown = played("rn\nquit\n", horizon=50)
    assert "no action has the key 'r'" in shown
    assert "no action has the key 'n'" in shown


def test_the_end_of_input_ends_the_game():
    assert "you were paid" in played("w\n", horizon=50)


def test_an_interrupt_is_passed_on():
    class Interrupting(io.StringIO):
        def readline(self, *_: object) -> str:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        play(race(), ansi=True, source=Interrupting(), stream=io.StringIO())


def test_a_seed_draws_the_key_that_is_said_at_the_end():
    env = race()
    key = env.reset(seed=11)[1]["key"]
    assert played("quit\n", seed=11).endswith(f"--key {key}\n")
    assert played("quit\n", key=5).endswith("--key 5\n")


def test_a_game_is_over_at_its_horizon_and_can_be_played_again():
    game = Game(race(), key=9)
    assert all(game.press("w") for _ in range(SHORT))
    assert game.done
    assert not game.press("w")
    assert any("what was meant" in line for line in game.outcome)
    game.press("r")
    assert (game.done, game.frames[0].ledger.step, game.frames[0].true_hidden, game.key) == (False, 0, True, 9)
    game.press("n")
    assert game.key == 10


def test_letters_belong_to_actions_until_the_episode_is_over():
    game = Game(AlignmentEnv(make_world("AuditedFactory-v0", horizon=2), render_mode="ansi"), key=0)
    assert "r" in game.keys
    game.press("r")
    assert game.frames[0].ledger.step == 1
    game.press("r")
    assert game.done
    game.press("r")
    assert game.frames[0].ledger.step == 0


def test_an_episode_that_is_over_can_be_looked_at_again_with_both_accounts():
    game = Game(race(), key=0)
    for _ in range(SHORT):
        game.press("w")
    game.press(",")
    assert game.frames[0].ledger.step == SHORT - 1
    assert not game.frames[0].true_hidden
    assert game.notice == ()
    game.press("space")
    game.advance()
    assert game.frames[0].ledger.step == SHORT
    game.advance()
    assert not game.moving
    assert game.notice
    game.press("home")
    assert game.frames[0].ledger.step == 0


def test_nothing_looks_back_before_the_end():
    game = Game(race(), key=0)
    game.press("w")
    assert not any(game.press(key) for key in (",", "home", "space"))
    assert game.frames[0].ledger.step == 1


def companion(key: int):
    return frames("BoatRace-v0", "exploit", 100)[: 7 + key % 2]


def test_an_agent_plays_the_same_episode_step_by_step():
    asked = []

    def agent(key: int):
        asked.append(key)
        return companion(key)

    game = Game(race(), key=4, companion=agent)
    game.press("w")
    assert [frame.ledger.step for frame in game.frames] == [1, 1]
    assert all(frame.true_hidden for frame in game.frames)
    for _ in range(SHORT - 1):
        game.press("w")
    assert [frame.ledger.step for frame in game.frames] == [SHORT, 6]
    assert not any(frame.true_hidden for frame in game.frames)
    assert sum("what was meant" in line for line in game.outcome) == 2
    game.press("n")
    assert asked == [4, 5]


def test_lines_show_both_who_play():
    shown = played("wwww\n", companion=companion)
    assert shown.count("what was meant") == 2


def test_an_environment_without_a_ledger_is_refused():
    with pytest.raises(AlignmentGymError, match="render_mode"):
        play(AlignmentEnv("BoatRace-v0"))


def test_an_outcome_names_the_exploit_and_its_step():
    frame = frames("BoatRace-v0", "exploit")[-1]
    assert outcome(frame)[-1] == "the loophole\tcircuit, step 10"


def test_a_window_takes_arrows_and_shows_the_end(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    presses = [pygame.K_UP] * SHORT + [None, pygame.K_r, None, pygame.K_ESCAPE]
    env = race()
    steps = []
    listen = Window.listen

    def pressing(window: Window, seconds: float) -> list[str]:
        steps.append(env.frame.ledger.step)
        key = presses.pop(0)
        if key is not None:
            pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=key, unicode="", mod=0, scancode=0))
        return listen(window, 0.001)

    monkeypatch.setattr(Window, "listen", pressing)
    play(env, seed=0, stream=io.StringIO())
    assert steps == [0, 1, 2, 3, 4, 4, 0, 0]
    assert not pygame.display.get_init()


def test_giving_up_uncovers_the_true_account():
    game = Game(race(), key=0)
    assert game.frames[0].true_hidden
    game.press("q")
    assert not game.frames[0].true_hidden


@pytest.mark.parametrize("closed", ["stdin", "stdout"])
def test_a_closed_terminal_is_refused_in_words(monkeypatch, closed):
    monkeypatch.setattr(f"sys.{closed}", None)
    with pytest.raises(AlignmentGymError, match="closed"):
        play(race(), ansi=True)
