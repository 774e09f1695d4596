"""What a paper takes from a report: tables, details and references, made of records and of provenance alone."""

from collections.abc import Sequence
from pathlib import Path

from alignment_gym.core.files import write_text
from alignment_gym.experiments.frozen import suite_of
from alignment_gym.experiments.provenance import Provenance, write_provenance
from alignment_gym.reports.citation import bibliography
from alignment_gym.reports.study.details import write_details
from alignment_gym.reports.study.latex import write_latex
from alignment_gym.reports.tables import Record


def write_paper(records: Sequence[Record], provenance: Provenance, out: Path) -> list[Path]:
    """Write tables and details below `latex/`, `details.md`, `citation.bib` and `provenance.json`.

    Where all runs are those of a frozen suite, it is cited.

    Args:
        records: the runs, at least one.
        provenance: what made them; an empty one writes no `provenance.json`.
        out: the report's folder.

    Raises:
        UnwritablePath: nothing can be written there.
    """
    citation = out / "citation.bib"
    write_text(citation, bibliography((record["env"] for record in records), suite_of(records)))
    return [
        *write_latex(records, out / "latex"),
        *write_details(records, provenance, out),
        citation,
        *write_provenance(provenance, out),
    ]
