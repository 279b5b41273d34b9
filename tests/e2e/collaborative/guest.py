"""Someone in the one JupyterLab."""

from dataclasses import dataclass

from tests.e2e.person import Person


@dataclass
class Guest(Person):
    """A Person whose notebooks are everybody's."""

    @property
    def prefix(self) -> str:
        return "/services/lab/"
