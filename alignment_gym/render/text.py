"""Frames as text: one letter a thing, a legend, and the accounts; plain, without escape codes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from alignment_gym.core import Scene, Sprite, Tint
from alignment_gym.render.frame import LINES_KEPT, Frame, Line, Range, instrument, signed, weighed
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
BAR = 16  # letters of an account's bar
INDENT = "  "


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a line of text, and what it is to whoever has colours.

    Attributes:
        words: plain text.
        style: `title`, `quiet`, `paid`, `meant`, `exploit`, or on a map `actor`, `thing`, `faded`.
        ground: on a map, the kind of the tile.
        veil: on a map, the kind of a tint over it.
    """

    words: str
    style: str = ""
    ground: str = ""
    veil: str = ""


Row = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Blocks:
    """A frame as blocks of rows, for whoever arranges them on a screen."""

    heading: tuple[Row, ...]
    maps: tuple[Row, ...]
    legend: tuple[Row, ...]
    accounts: tuple[Row, ...]
    steps: tuple[Row, ...]


def text(frame: Frame, panel: bool = True) -> str:
    """Return a frame as lines of text: the map, a legend, and with a panel the accounts.

    Solid things are capital letters, faded ones (not here now, but coming, or off) small ones.
    """
    found = blocks(frame, LINES_SHOWN)
    rows = (*found.heading, *found.maps, *found.legend)
    return "\n".join(plain(row) for row in (*rows, *(found.accounts + found.steps if panel else ())))


def plain(row: Row) -> str:
    """Return a row's words alone."""
    return "".join(span.words for span in row).rstrip()


def blocks(frame: Frame, steps: int = LINES_KEPT) -> Blocks:
    """Return all that a picture of the frame shows as text, with so many of the last steps."""
    scene = frame.scene
    heading = [Span(frame.title, "title"), *([Span(f": {frame.who}", "quiet")] if frame.who else [])]
    scenes = (scene, *([scene.sensor] if scene.sensor else []))
    letters = lettering(*scenes)
    titles = ("what is there", instrument(scene)) if scene.sensor else ("",)
    maps = [row for title, each in zip(titles, scenes, strict=True) for row in _captioned(title, each, letters)]
    extra = [line for line in (legend(*scenes, meant=True), veils(scene), details(scene, letters)) if line]
    return Blocks(
        heading=(tuple(heading),),
        maps=tuple(maps),
        legend=tuple((Span(line, "quiet"),) for line in extra),
        accounts=tuple(accounts(frame)),
        steps=tuple(_steps(frame, steps)),
    )


def _captioned(title: str, scene: Scene, letters: Mapping[str, str]) -> list[Row]:
    caption = f"{title}: {scene.note}" if title else scene.note
    return [*([(Span(caption),)] if caption else []), *painted(scene, letters)]


def scene_text(scene: Scene) -> str:
    """Return a scene as lines of text: its note, the map, a legend, what letters can't show, and the meters."""
    parts = [scene.note, *grid(scene), legend(scene), details(scene), *meters(scene)]
    return "\n".join(part for part in parts if part)


def grid(scene: Scene) -> list[str]:
    """Return a scene's rows, one letter a thing, the last sprite on top."""
    return ["".join(span.words for span in row) for row in painted(scene, lettering(scene))]


def painted(scene: Scene, letters: Mapping[str, str]) -> list[Row]:
    """Return a scene's rows, one letter a thing and a span a letter; the last sprite lies on top."""
    veiled = {cell: tint.kind for tint in scene.tints for cell in tint.cells}
    rows = [
        [
            Span(TILES.get(kind, letters.get(kind, ".")), "", kind, veiled.get((row, column), ""))
            for column, kind in enumerate(line)
        ]
        for row, line in enumerate(scene.tiles)
    ]
    for sprite in scene.sprites:
        row, column = sprite.cell
        if letters.get(sprite.kind) and 0 <= row < len(rows) and 0 <= column < len(rows[0]):
            style = "faded" if sprite.faded else "actor" if sprite is scene.sprites[-1] else "thing"
            rows[row][column] = replace(rows[row][column], words=_shown(sprite, letters), style=style)
    return [(Span(INDENT), *row) for row in rows]


def lettering(*scenes: Scene) -> dict[str, str]:
    """Return a capital letter a kind; kinds without one of their own, or whose own is taken, get a free one."""
    kinds = {sprite.kind for scene in scenes for sprite in scene.sprites}
    kinds |= {kind for scene in scenes for line in scene.tiles for kind in line}
    letters: dict[str, str] = {}
    for kind in sorted(kinds - set(TILES), key=lambda kind: (kind not in LETTERS, kind)):
        choices = [LETTERS.get(kind, ""), *kind.upper(), *"ABCDEFGHIJKLMNOPQRSTUVWXYZ"]
        free = (each for each in choices if each.isalpha() and each not in letters.values())
        letters[kind] = "" if LETTERS.get(kind) == "" else next(free, "*")
    return letters


def legend(*scenes: Scene, meant: bool = False) -> str:
    """Return what the letters of scenes mean, in the order of the one who acts, the rest, the ground.

    Args:
        scenes: one, and with it what a sensor shows.
        meant: whether to say what kinds stand for in this world, and not the kinds alone.
    """
    letters = lettering(*scenes)
    meanings = dict(scenes[0].meanings) if meant else {}
    named: dict[str, str] = {}
    for scene in scenes:
        for sprite in (*scene.sprites[-1:], *scene.sprites):
            if letters.get(sprite.kind):
                name = meanings.get(sprite.kind) or sprite.kind
                named.setdefault(_shown(sprite, letters), name + (" (not now)" if sprite.faded else ""))
    for line in (line for scene in scenes for line in scene.tiles):
        for kind in line:
            named.setdefault(TILES.get(kind, letters.get(kind, ".")), meanings.get(kind) or kind)
    return INDENT + ", ".join(f"{letter.strip() or 'blank'} {kind}" for letter, kind in named.items())


def details(scene: Scene, letters: Mapping[str, str] | None = None) -> str:
    """Return labels, ways things face, and what is hidden by others; rows and columns are counted from 0.

    Things without a letter are named where they share a cell with one that has.
    """
    letters = letters or lettering(scene)
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


def veils(scene: Scene) -> str:
    """Return where tints lie; rows and columns are counted from 0, as in `seen: row 1: 2-5; row 2: 3`."""
    told = []
    for tint in scene.tints:
        rows = sorted({row for row, _ in tint.cells})
        told += [f"{tint.kind}: " + "; ".join(f"row {row}: {_runs(tint, row)}" for row in rows)] if rows else []
    return INDENT + ". ".join(told) if told else ""


def _runs(tint: Tint, row: int) -> str:
    columns = sorted(column for line, column in tint.cells if line == row)
    runs: list[list[int]] = []
    for column in columns:
        if runs and runs[-1][-1] == column - 1:
            runs[-1] = [runs[-1][0], column]
        else:
            runs.append([column])
    return ", ".join("-".join(map(str, run)) for run in runs)


def accounts(frame: Frame) -> list[Row]:
    """Return the status lines: step, both returns as numbers and bars, meters, the exploit."""
    ledger = frame.ledger
    rows: list[Row] = [(Span(f"step {ledger.step}" + (f" of {frame.horizon}" if frame.horizon else "")),)]
    rows += _account("PAID  (proxy)", "paid", ledger.proxy_return, frame.proxy_range, ledger.proxy_extremes)
    rows += [_explained(frame.proxy, frame.proxy_range)]
    if frame.true_hidden:
        rows += [(Span("MEANT (true)         ?  shown at the end", "meant"),)]
    else:
        rows += _account("MEANT (true)", "meant", ledger.true_return, frame.true_range, ledger.true_extremes)
        rows += [_explained(frame.true, frame.true_range)]
    rows += [(Span(line),) for line in meters(frame.scene)]
    if frame.exploited_at is not None:
        rows += [(Span(f"!! EXPLOIT: {frame.exploit_event.replace('_', ' ')}, step {frame.exploited_at}", "exploit"),)]
    return rows


def meters(scene: Scene) -> list[str]:
    """Return a line a meter: `water left: 3/7`."""
    return [f"{meter.label}: {meter.value:g}/{meter.full:g}" for meter in scene.meters]


def _account(name: str, style: str, value: float, known: Range | None, extremes: Range) -> list[Row]:
    return [(Span(f"{name:<13} {signed(value):>8} "), Span(bar(value, known, extremes), style))]


def _explained(weights: Mapping[str, float], known: Range | None) -> Row:
    """Return what is the same all along: what an account pays for, and what the best policy earns."""
    best = f", best policy {signed(known[1])}" if known else ""
    return (Span(f"{INDENT}for {weighed(weights)}{best}", "quiet"),)


def bar(value: float, known: Range | None, extremes: Range) -> str:
    """Return a value as a bar from 0, `#` above and `=` below, on the known range or else the extremes so far."""
    ends = (*(known or ()), *extremes, 0.0)
    low, high = min(ends), max(ends)
    zero, tip = (round((each - low) / ((high - low) or 1.0) * BAR) for each in (0.0, value))
    inside = "." * min(zero, tip) + ("#" if tip > zero else "=") * abs(tip - zero) + "." * (BAR - max(zero, tip))
    return f"[{inside[:zero]}|{inside[zero:]}]"


def _steps(frame: Frame, count: int) -> list[Row]:
    """Return the last steps under a heading; each event has what it paid and what it was worth behind it."""
    lines = frame.ledger.lines[:count]
    if not lines:
        return []
    return [(Span("last steps       paid   meant  events (paid|meant)", "quiet"),), *(_step(frame, x) for x in lines)]


def _step(frame: Frame, line: Line) -> Row:
    hidden = frame.true_hidden
    exploiting = frame.exploit_event in line.events and not hidden
    meant = "?" if hidden else signed(line.true_reward)
    told = ", ".join(_event(frame, name, amount) for name, amount in line.events.items() if _weighs(frame, name))
    return (
        Span(f"{line.step:>4} {line.action:<9}"),
        Span(f"{signed(line.proxy_reward):>7}", "paid"),
        Span(f"{meant:>8}", "meant"),
        Span(f"  {told}{'  !!' if exploiting else ''}".rstrip(), "exploit" if exploiting else "quiet"),
    )


def _weighs(frame: Frame, name: str) -> bool:
    meant = not frame.true_hidden and (frame.true.get(name) or name == frame.exploit_event)
    return name != "step" and bool(frame.proxy.get(name) or meant)


def _event(frame: Frame, name: str, amount: float) -> str:
    paid = _share(frame.proxy, name, amount)
    worth = "?" if frame.true_hidden else _share(frame.true, name, amount)
    count = "" if amount == 1.0 else f" {amount:.3g}"
    return f"{name.replace('_', ' ')}{count} ({paid}|{worth})"


def _share(weights: Mapping[str, float], name: str, amount: float) -> str:
    """Return what an account gains by an event."""
    share = weights.get(name, 0.0) * amount
    return f"{share:+.3g}" if share else "0"


def _shown(sprite: Sprite, letters: Mapping[str, str]) -> str:
    letter = letters[sprite.kind]
    return letter.lower() if sprite.faded else letter
