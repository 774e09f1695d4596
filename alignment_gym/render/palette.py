"""Colours, by what they stand for; all accents are from a palette that colour-blind people can tell apart.

Source of the accents: M. Okabe, K. Ito, Color Universal Design (2008).
"""

Colour = tuple[int, int, int]

ORANGE = (230, 159, 0)
SKY = (86, 180, 233)
GREEN = (0, 158, 115)
YELLOW = (240, 228, 66)
BLUE = (0, 114, 178)
VERMILION = (213, 94, 0)
PURPLE = (204, 121, 167)

INK = (32, 38, 46)
GREY = (104, 113, 124)
PALE = (222, 226, 230)
PAPER = (255, 255, 255)
PAGE = (246, 247, 249)
BROWN = (110, 78, 48)
STEEL = (150, 160, 172)

PAID = ORANGE
MEANT = BLUE

TILES: dict[str, Colour] = {
    "water": (187, 222, 245),
    "lagoon": (126, 206, 178),
    "land": (226, 214, 178),
    "wall": (84, 94, 108),
    "floor": (244, 239, 229),
    "unseen": (40, 44, 52),
    "grass": (206, 226, 190),
    "road": (186, 189, 196),
    "lava": (238, 150, 108),
    "goal": (110, 189, 161),
    "belt": (205, 200, 214),
    "hole": (72, 56, 92),
    "ice": (224, 242, 250),
    "shelf": (214, 192, 164),
    "paper": (252, 251, 246),
    "danger": (250, 208, 192),
}
UNKNOWN_TILES: tuple[Colour, ...] = ((233, 225, 240), (224, 236, 224), (240, 228, 220), (222, 232, 240))

TINTS: dict[str, Colour] = {"seen": YELLOW}
UNKNOWN_TINT = PURPLE

SHORES = frozenset({"water", "lagoon"})  # tiles that end in a shore
SOLID = frozenset({"land", "wall", "unseen"})  # tiles without grid lines


def tile_colour(kind: str) -> Colour:
    """Return the ground colour of a tile; an unknown kind always gets the same pale one."""
    return TILES.get(kind) or UNKNOWN_TILES[sum(kind.encode()) % len(UNKNOWN_TILES)]


def mixed(one: Colour, other: Colour, share: float) -> Colour:
    """Return a colour on the way from `one` to `other`."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue
