"""A replay is one HTML file: an episode, or two side by side, with a player that needs nothing else.

The page holds its pictures, its script, its style and every number of the ledger, and asks for nothing; equal
episodes give equal bytes. `templates/replay.js` plays what `replay` returns::

    format      1
    speed       steps a second to begin with
    atlas       pictures and scenes, see `atlas`
    entries     [event, what it paid, what it was worth, whether it marks the exploit], by number
    sides       one an episode:
        scenes      a scene's number a frame, the first before any step
        headings    the way of the last step, a frame
        actions     their names
        steps       [action, [entry, ...], paid, worth], a step
        proxy, true both returns, a frame
        best        what the best policies earn on average, [proxy, true] or null
        exploited   the first step of the exploit, or null
        exploit     what that is, in words
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from alignment_gym.core import AlignmentGymError, World
from alignment_gym.core.files import write_text
from alignment_gym.render import palette
from alignment_gym.render.frame import Frame
from alignment_gym.viewing.atlas import Atlas, Collected
from alignment_gym.viewing.templating import own, signed_in_print, template

FORMAT = 1
SUFFIX = ".html"
PLAIN = "step"  # the event that every step emits, in many worlds
SPEED = 8  # steps a second
SPEEDS = (1, 2, 4, 8, 15, 30, 60)


@dataclass(frozen=True, slots=True, eq=False)
class Take:
    """One recorded episode.

    Attributes:
        world: which was played.
        frames: the first before any step, then one a step.
        key: that fixed the world's chance.
    """

    world: World[Any]
    frames: tuple[Frame, ...]
    key: int

    @property
    def last(self) -> Frame:
        """How it ended."""
        return self.frames[-1]


@dataclass(frozen=True, slots=True)
class Imprint:
    """What a page says of itself.

    Attributes:
        command: that makes it again.
        citation: BibTeX.
    """

    command: str = ""
    citation: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """One of an episode's two accounts, in words.

    Attributes:
        earned: the return at the end.
        best: what the best policy earns on average; empty where nobody knows.
    """

    earned: str
    best: str


def take(world: World[Any], frames: Iterable[Frame], key: int) -> Take:
    """Return an episode as recorded.

    Raises:
        AlignmentGymError: it has no frames.
    """
    found = tuple(frames)
    if not found:
        raise AlignmentGymError("there are no frames to replay")
    return Take(world, found, key)


def replay(takes: Sequence[Take], speed: int = SPEED) -> dict[str, Any]:
    """Return all that the page's script plays, as JSON values; see the module's docstring."""
    atlas, entries = Atlas(), Collected()
    sides = [_side(each, atlas, entries) for each in takes]
    return {"format": FORMAT, "speed": speed, "atlas": atlas.as_json(), "entries": entries.made, "sides": sides}


def page(takes: Sequence[Take], imprint: Imprint | None = None, speed: int = SPEED) -> str:
    """Return a replay as one HTML file.

    Args:
        takes: one episode, or two to be shown side by side under one scrubber.
        imprint: how the page is made again and cited.
        speed: steps a second to begin with.
    """
    data = json.dumps(replay(takes, speed), separators=(",", ":"), allow_nan=False)
    accounts = [_accounts(each.last) for each in takes]
    return template("replay.html.jinja").render(
        takes=takes,
        card=takes[0].world.card,
        accounts=accounts,
        bests=_bests(takes, accounts),
        imprint=imprint or Imprint(),
        speed=speed,
        speeds=sorted({*SPEEDS, speed}),
        colours={name: _hex(getattr(palette, name)) for name in ("PAID", "MEANT", "GREEN", "VERMILION", "INK")},
        style=own("replay.css"),
        signed=own("signed.js"),
        drawing=own("drawing.js"),
        script=own("replay.js"),
        data=Markup(data.replace("<", "\\u003c")),
    )


def write_replay(path: Path, takes: Sequence[Take], imprint: Imprint | None = None, speed: int = SPEED) -> None:
    """Write a replay, whole or not at all; see `page`.

    Raises:
        UnwritablePath: there is no way to write there.
    """
    write_text(path, page(takes, imprint, speed))


def _side(shown: Take, atlas: Atlas, entries: Collected) -> dict[str, Any]:
    first, last, actions = shown.frames[0], shown.last, shown.world.actions
    ends = (last.proxy_range, last.true_range)
    return {
        "scenes": [atlas.add(frame.scene) for frame in shown.frames],
        "headings": [frame.ledger.heading for frame in shown.frames],
        "actions": list(actions),
        "steps": [_step(frame, actions, entries) for frame in shown.frames[1:]],
        "proxy": [frame.ledger.proxy_return for frame in shown.frames],
        "true": [frame.ledger.true_return for frame in shown.frames],
        "best": [None if each is None else each[1] for each in ends],
        "exploited": last.exploited_at,
        "exploit": first.exploit_event.replace("_", " "),
    }


def _step(frame: Frame, actions: Sequence[str], entries: Collected) -> list[Any]:
    line = frame.ledger.lines[0]
    found = [(each.name, each.paid, each.meant, each.marks) for each in frame.entries(line)]
    telling = [each for each in found if each[0] != PLAIN] or found  # the cost of every step is told where it is alone
    numbers = [entries.enter(each, list(each)) for each in telling]
    return [actions.index(line.action), numbers, line.proxy_reward, line.true_reward]


def _accounts(last: Frame) -> dict[str, Account]:
    """Return how both accounts ended, by what they are."""
    ledger = last.ledger
    ended = (("proxy", ledger.proxy_return, last.proxy_range), ("true", ledger.true_return, last.true_range))
    return {
        name: Account(signed_in_print(value), signed_in_print(ends[1]) if ends else "") for name, value, ends in ended
    }


def _bests(takes: Sequence[Take], accounts: Sequence[dict[str, Account]]) -> list[tuple[str, dict[str, Account]]]:
    """Return what is best possible: once if that is the same for all sides, else for each, with who played."""
    bests = {tuple(each.best for each in found.values()) for found in accounts}
    if len(bests) == 1:
        return [("", accounts[0])]
    return [(each.last.who, found) for each, found in zip(takes, accounts, strict=True)]


def _hex(colour: palette.Colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
