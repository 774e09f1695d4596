"""What has been in sight so far: what a legend names, so that its entries stay where they are."""

from dataclasses import dataclass, replace
from functools import lru_cache

from alignment_gym.core import Scene, Sprite

NOWHERE = (0, 0)


@dataclass(frozen=True, slots=True)
class Sight:
    """One thing of every kind, the first who acts before all others, solid rather than faded; and grounds and veils.

    Attributes:
        things: in the order in which they appeared; where they are is left out.
        veils: kinds of tints.
        grounds: kinds of tiles.
        meanings: words that worlds give to kinds.
    """

    things: tuple[Sprite, ...] = ()
    veils: tuple[str, ...] = ()
    grounds: frozenset[str] = frozenset()
    meanings: tuple[tuple[str, str], ...] = ()

    def after(self, scene: Scene) -> "Sight":
        """Return what has been in sight once a scene was, too; the same object if that adds nothing."""
        found = {each.kind: each for each in self.things}
        news = False
        for sprite in (*scene.sprites[-1:], *scene.sprites):
            known = found.get(sprite.kind)
            if known is None or (known.faded and not sprite.faded):
                found[sprite.kind] = replace(sprite, cell=NOWHERE)
                news = True
        veils = tuple(dict.fromkeys((*self.veils, *(tint.kind for tint in scene.tints if tint.cells))))
        grounds = self.grounds | _kinds(scene.tiles)
        meanings = tuple(dict.fromkeys((*self.meanings, *scene.meanings)))
        if not news and (veils, grounds, meanings) == (self.veils, self.grounds, self.meanings):
            return self
        return Sight(tuple(found.values()), veils, grounds, meanings)


@lru_cache(maxsize=64)
def _kinds(tiles: tuple[tuple[str, ...], ...]) -> frozenset[str]:
    return frozenset(kind for line in tiles for kind in line)
