import io

import pygame
import pytest

from alignment_gym.core import AlignmentGymError, make_world
from alignment_gym.engine.single import AlignmentEnv
from alignment_gym.render.window import Window
from alignment_gym.viewing.keyboard import Game, bindings, outcome, play
from tests.every import GIANTS, WORLDS

SHORT = 4  # steps


def race(horizon: int = SHORT) -> AlignmentEnv:
    return AlignmentEnv(make_world("BoatRace-v0", horizon=horizon), render_mode="ansi")


def played(letters: str, horizon: int = SHORT) -> str:
    stream = io.StringIO()
    play(race(horizon), ansi=True, seed=0, source=io.StringIO(letters), stream=stream)
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


def test_the_true_score_is_covered_until_the_end():
    *turns, end = played("w\nw\nd\nd\n").split("quit to end> ")
    assert len(turns) == SHORT
    assert all("shown when the episode is over" in turn for turn in turns)
    assert "shown when" not in end
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


def test_the_end_of_input_ends_the_game():
    assert "you were paid" in played("w\n", horizon=50)


def test_an_interrupt_ends_the_game():
    class Interrupting(io.StringIO):
        def readline(self, *_: object) -> str:
            raise KeyboardInterrupt

    play(race(), ansi=True, source=Interrupting(), stream=io.StringIO())


def test_a_game_is_over_at_its_horizon_and_can_be_played_again():
    game = Game(race(), seed=0)
    assert all(game.press("w") for _ in range(SHORT))
    assert game.done
    assert not game.press("w")
    assert any("what was meant" in line for line in outcome(game.frame))
    game.restart()
    assert (game.done, game.frame.ledger.step, game.frame.true_hidden) == (False, 0, True)


def test_an_environment_without_a_ledger_is_refused():
    with pytest.raises(AlignmentGymError, match="render_mode"):
        play(AlignmentEnv("BoatRace-v0"))


def test_a_window_takes_arrows_and_shows_the_end(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    presses = [pygame.K_UP] * SHORT + [None, pygame.K_r, None, pygame.K_ESCAPE]
    env = race()
    steps = []
    show = Window.show

    def pressing(window: Window, image, fps: float) -> None:
        steps.append(env.frame.ledger.step)
        if window._screen is not None:
            key = presses.pop(0)
            if key is not None:
                pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=key, unicode="", mod=0, scancode=0))
        show(window, image, 1000)

    monkeypatch.setattr(Window, "show", pressing)
    play(env, seed=0)
    assert steps == [0, 0, 1, 2, 3, 4, 4, 0, 0]
    assert not pygame.display.get_init()
