"""The site's files: generated pages, what committed pages link to, animations of all worlds, playgrounds."""

import shutil
from collections.abc import Iterator
from filecmp import cmp
from pathlib import Path

from alignment_gym.agents import script
from alignment_gym.core import world_class, world_ids
from alignment_gym.core.files import replacing, write_text
from alignment_gym.engine.single import tables
from alignment_gym.render.animation import record
from alignment_gym.reports.site import MIRRORED, site_pages
from alignment_gym.reports.worlds.pictures import shown_demos
from alignment_gym.viewing.episode import acted, beside
from alignment_gym.viewing.playground import write_playgrounds

LARGEST = 3 << 20  # bytes of a file that comes along
SHOWN = {".png", ".svg", ".csv", ".json", ".html", ".bib", ".toml", ".webp"}
TILE = 24  # pixels
EXTRA = "_extra"  # below the documentation's folder; what lies in it is copied to the site's root


def write_site(root: Path, docs: Path, animations: bool = True) -> None:
    """Write everything that the site needs besides its written pages; files that would not change are left alone.

    Args:
        root: the repository.
        docs: the documentation's folder.
        animations: whether to record all worlds and write their playgrounds, which takes most of the time.
    """
    playable = _playable(docs / EXTRA / "playground") if animations else frozenset()
    for name, text in site_pages(root, playable).items():
        if not _reads(docs / name, text):
            write_text(docs / name, text)
    for path in linked_files(root):
        _copy(path, docs / path.relative_to(root))
    _copy(root / "envs" / "boat-race.webp", docs / EXTRA / "animations" / "boat-race.webp")
    for env in world_ids():
        _copy(root / "envs" / f"{env}.png", docs / EXTRA / "animations" / f"{env}.png")
        if animations:
            write_animation(docs / EXTRA / "animations" / f"{env}.webp", env)


def linked_files(root: Path) -> Iterator[Path]:
    """Yield the committed pictures and small files that lie beside the mirrored pages."""
    for folder in MIRRORED:
        for path in sorted((root / folder).rglob("*.*")):
            if path.suffix in SHOWN and path.is_file() and path.stat().st_size <= LARGEST:
                yield path


def write_animation(path: Path, env: str) -> None:
    """Record two demos of a world side by side: the exploit, or another where there is none, and the intended one."""
    played = []
    for demo in shown_demos(world_class(env).card):
        mdp = tables(env, demo.level, {})
        assert mdp.world is not None, "made from an id"
        played.append(acted(mdp, script(mdp.world, demo.name), demo.key, demo.name))
    path.parent.mkdir(parents=True, exist_ok=True)
    record(beside(played[0], played[1], tile=TILE), path)


def _playable(folder: Path) -> frozenset[str]:
    """Write a page to play on for every world that can be listed, and return which have one."""
    return frozenset(path.stem for path in write_playgrounds(folder)) & set(world_ids())


def _reads(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


def _copy(source: Path, target: Path) -> None:
    if not (target.is_file() and cmp(source, target, shallow=False)):
        with replacing(target) as temporary:
            shutil.copyfile(source, temporary)
