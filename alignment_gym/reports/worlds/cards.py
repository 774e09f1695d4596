"""Cards as files: a page and two pictures a world, a page a recipe, and their indices, all generated."""

from collections.abc import Callable, Sequence
from pathlib import Path

from alignment_gym.agents import RECIPES, Recipe
from alignment_gym.core import FAILURE_MODES, Card, world_class, world_ids
from alignment_gym.core.files import replacing, write_text
from alignment_gym.reports.markdown import bullets, page, table, typed
from alignment_gym.reports.worlds.pictures import Picture, card_picture, card_sheet, png, shows
from alignment_gym.reports.worlds.published import described, published
from alignment_gym.reports.worlds.world_card import world_page


def write_cards(out: Path, worlds: Sequence[str] | None = None) -> list[Path]:
    """Write `envs/` and `agents/` below a folder: cards, pictures, indices; return the files.

    Args:
        out: the folder.
        worlds: whose cards, all by default.

    Raises:
        UnwritablePath: nothing can be written there.
    """
    chosen = world_ids() if worlds is None else worlds
    written = []
    for name, text in _texts(out, chosen).items():
        write_text(out / name, text)
        written.append(out / name)
    for env in chosen:
        for path, drawn in _pictures(out, env).items():
            with replacing(path) as temporary:
                temporary.write_bytes(png(drawn(env)))
            written.append(path)
    return written


def stale_cards(out: Path, worlds: Sequence[str] | None = None) -> list[Path]:
    """Return the files that `write_cards` would change: texts, and pictures that look different."""
    chosen = world_ids() if worlds is None else worlds
    texts = [out / name for name, text in _texts(out, chosen).items() if not _reads(out / name, text)]
    return texts + [
        path for env in chosen for path, drawn in _pictures(out, env).items() if not shows(path, drawn(env))
    ]


def recipe_page(recipe: Recipe) -> str:
    """Return a recipe's card."""
    top = {"steps": recipe.steps, "lanes": recipe.lanes, "discount": recipe.discount, "rise": recipe.rise}
    acts = {"stochastic": "draws its actions", "greedy": "takes its most valued action"}[recipe.deployed]
    return page(
        f"# {recipe.name}",
        recipe.about,
        bullets(
            [f"Algorithm: {recipe.algorithm}.", f"Deployed: {recipe.deployed}; it {acts}.", f"Tuned: {recipe.tuned}"]
        ),
        "## Hyperparameters",
        table(["name", "value"], [[f"`{key}`", typed(value)] for key, value in {**top, **recipe.settings}.items()]),
        "`steps` counts all lanes together; `rise` is what optimal play earns an episode, on the learner's scale, "
        "where uniform play earns 0. The other names are the algorithm's own.",
        f"```\nalignment-gym train BoatRace-v0 --algo {recipe.name} --seed 0\n```",
    )


def _texts(out: Path, worlds: Sequence[str]) -> dict[str, str]:
    """Return pages by their paths: those of some worlds, of all recipes, and the indices."""
    records, rows = published(out), described(out)
    pages = {f"envs/{env}.md": world_page(env, records, rows) for env in worlds}
    recipes = {f"agents/{name}.md": recipe_page(recipe) for name, recipe in RECIPES.items()}
    return {**pages, "envs/README.md": _worlds_index(), **recipes, "agents/README.md": _recipes_index()}


def _worlds_index() -> str:
    """Return the list of all worlds, by their first failure mode."""
    cards = [world_class(env).card for env in world_ids()]
    modes = [mode for mode in FAILURE_MODES if any(card.failure_modes[0] == mode for card in cards)]
    head = "Made by `alignment-gym cards`. A card has the specification, the exact analysis and the sources."
    groups = [
        page(
            f"## {mode.replace('-', ' ').capitalize()}",
            table(
                ["world", "intended", "loophole", "also"],
                [_entry(card) for card in cards if card.failure_modes[0] == mode],
            ),
        )
        for mode in modes
    ]
    return page("# Worlds", head, *groups)


def _entry(card: Card) -> list[str]:
    also = [*card.failure_modes[1:], card.structure, *(["no certificate"] if card.uncertified else [])]
    return [f"[{card.id}]({card.id}.md)", card.intent, card.loophole, ", ".join(also)]


def _recipes_index() -> str:
    rows = [[f"[{name}]({name}.md)", recipe.about, recipe.deployed] for name, recipe in RECIPES.items()]
    head = "Made by `alignment-gym cards`. One recipe an algorithm, the same for all worlds."
    return page("# Recipes", head, table(["recipe", "about", "deployed"], rows))


def _pictures(out: Path, env: str) -> dict[Path, Callable[[str], Picture]]:
    """Return the paths of a world's pictures, and what draws them."""
    return {out / "envs" / f"{env}.png": card_picture, out / "envs" / f"{env}-sheet.png": card_sheet}


def _reads(path: Path, text: str) -> bool:
    """Tell whether a file holds this text."""
    return path.is_file() and path.read_text(encoding="utf-8") == text
