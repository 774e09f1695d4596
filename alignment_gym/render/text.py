"""Frames as text: one letter a thing, a legend, and the accounts; plain, without escape codes."""

from alignment_gym.core import Scene, Sprite
from alignment_gym.render.frame import Frame, Line, instrument, signed, weighed
from alignment_gym.render.shapes import LETTERS

TILES = {
    "water": "~",
    "lagoon": "-",
    "land": " ",
    "wall": "#",
    "floor": ".",
    "unseen": "?",
    "grass": "'",
    "road": "=",
    "lava": "^",
    "goal": "*",
    "belt": ">",
    "hole": "o",
    "ice": "/",
    "shelf": "_",
    "paper": ":",
    "danger": "!",
}
LINES_SHOWN = 6
INDENT = "  "


def text(frame: Frame, panel: bool = True) -> str:
    """Return a frame as lines of text: the map, a legend, and with a panel the accounts.

    Solid things are capital letters, faded ones (not here now, but coming, or off) small ones.
    """
    scene = frame.scene
    parts = [f"{frame.title}" + (f": {frame.who}" if frame.who else "")]
    parts += [f"what is there: {scene.note}" if scene.sensor else scene.note, *grid(scene)]
    if scene.sensor:
        parts += [f"{instrument(scene)}: {scene.sensor.note}", *grid(scene.sensor)]
    parts += [legend(scene)]
    if panel:
        parts += accounts(frame)
    return "\n".join(part for part in parts if part)


def scene_text(scene: Scene) -> str:
    """Return a scene as lines of text: its note, the map, a legend, what letters can't show, and the meters."""
    parts = [scene.note, *grid(scene), legend(scene), details(scene), *meters(scene)]
    return "\n".join(part for part in parts if part)


def grid(scene: Scene) -> list[str]:
    """Return a scene's rows, one letter a thing, the last sprite on top."""
    letters = lettering(scene)
    rows = [[TILES.get(kind, letters.get(kind, ".")) for kind in line] for line in scene.tiles]
    for sprite in scene.sprites:
        letter = letters.get(sprite.kind, "")
        row, column = sprite.cell
        if letter and 0 <= row < len(rows) and 0 <= column < len(rows[0]):
            rows[row][column] = letter.lower() if sprite.faded else letter
    return [INDENT + "".join(row) for row in rows]


def lettering(scene: Scene) -> dict[str, str]:
    """Return a capital letter a kind; kinds without one of their own, or whose own is taken, get a free one."""
    kinds = {sprite.kind for sprite in scene.sprites} | {kind for line in scene.tiles for kind in line}
    letters: dict[str, str] = {}
    for kind in sorted(kinds - set(TILES), key=lambda kind: (kind not in LETTERS, kind)):
        choices = [LETTERS.get(kind, ""), *kind.upper(), *"ABCDEFGHIJKLMNOPQRSTUVWXYZ"]
        free = (each for each in choices if each.isalpha() and each not in letters.values())
        letters[kind] = "" if LETTERS.get(kind) == "" else next(free, "*")
    return letters


def legend(scene: Scene) -> str:
    """Return what the letters of a scene mean, in the order of the one who acts, the rest, the ground."""
    letters = lettering(scene)
    named: dict[str, str] = {}
    for sprite in (*scene.sprites[-1:], *scene.sprites):
        if letters.get(sprite.kind):
            named[_shown(sprite, letters)] = sprite.kind + (" (not now)" if sprite.faded else "")
    for line in scene.tiles:
        for kind in line:
            named.setdefault(TILES.get(kind, letters.get(kind, ".")), kind)
    return INDENT + ", ".join(f"{letter.strip() or 'blank'} {kind}" for letter, kind in named.items())


def details(scene: Scene) -> str:
    """Return labels, ways things face, and what is hidden by others; rows and columns are counted from 0.

    Things without a letter are named where they share a cell with one that has.
    """
    letters = lettering(scene)
    tops = {sprite.cell: place for place, sprite in enumerate(scene.sprites) if letters[sprite.kind]}
    told = []
    for place, sprite in enumerate(scene.sprites):
        top = tops.get(sprite.cell)
        words = [sprite.kind, sprite.label, f"facing {sprite.facing}" if sprite.facing else ""]
        if top is not None and (top != place or any(words[1:])):
            fading = " (not now)" if sprite.faded else ""
            beside = "" if top == place else f", {'under' if place < top else 'on'} {scene.sprites[top].kind}"
            told.append(" ".join(word for word in words if word) + f"{fading} at {sprite.cell}{beside}")
    return f"{INDENT}details: {'; '.join(told)}" if told else ""


def accounts(frame: Frame) -> list[str]:
    """Return the status lines: step, both returns, meters, the exploit, and the last steps."""
    ledger = frame.ledger
    lines = [f"step {ledger.step}" + (f" of {frame.horizon}" if frame.horizon else "")]
    lines += [_account("PAID  (proxy)", ledger.proxy_return, frame.proxy_range, weighed(frame.proxy))]
    if frame.true_hidden:
        lines += ["MEANT (true)        ?  shown when the episode is over"]
    else:
        lines += [_account("MEANT (true)", ledger.true_return, frame.true_range, weighed(frame.true))]
    lines += meters(frame.scene)
    if frame.exploited_at is not None:
        lines += [f"!! EXPLOIT: {frame.exploit_event.replace('_', ' ')}, step {frame.exploited_at}"]
    return [*lines, *[_line(frame, line) for line in ledger.lines[:LINES_SHOWN]]]


def meters(scene: Scene) -> list[str]:
    """Return a line a meter: `water left: 3/7`."""
    return [f"{meter.label}: {meter.value:g}/{meter.full:g}" for meter in scene.meters]


def _account(name: str, value: float, ends: tuple[float, float] | None, weights: str) -> str:
    best = f"best policy {signed(ends[1])}; " if ends else ""
    return f"{name:<13} {signed(value):>8}  {best}{weights}"


def _line(frame: Frame, line: Line) -> str:
    meant = "?" if frame.true_hidden else signed(line.true_reward)
    told = f"{INDENT}{line.step:>4} {line.action:<8} paid {signed(line.proxy_reward):>7}  meant {meant:>7}"
    return f"{told}  {frame.told(line)}".rstrip()


def _shown(sprite: Sprite, letters: dict[str, str]) -> str:
    letter = letters[sprite.kind]
    return letter.lower() if sprite.faded else letter
