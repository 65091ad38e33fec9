"""Label the references as the pages cite them: [LeCun et al., 1998]."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pybtex.database import Entry, Person
from pybtex.plugin import register_plugin
from pybtex.style.formatting.unsrt import Style as UnsrtStyle
from pybtex.style.labels import BaseLabelStyle
from sphinx.application import Sphinx


def last_name(person: Person) -> str:
    """Return a family name with its particle."""
    return " ".join(str(part) for part in [*person.rich_prelast_names, *person.rich_last_names])


class NamesAndYear(BaseLabelStyle):
    """One name, two names, or the first and "et al."; then the year."""

    def format_labels(self, sorted_entries: Iterable[Entry]) -> Iterator[str]:
        """Yield the label of each entry."""
        for entry in sorted_entries:
            names = [last_name(person) for person in entry.persons["author"]]
            who = " and ".join(names) if len(names) < 3 else f"{names[0]} et al."
            yield f"{who}, {entry.fields['year']}"


class Style(UnsrtStyle):
    """The plain style with these labels."""

    default_sorting_style = "author_year_title"
    default_label_style = NamesAndYear


def setup(app: Sphinx) -> dict[str, bool | str]:
    """Register with pybtex."""
    register_plugin("pybtex.style.formatting", "names_and_year", Style)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
