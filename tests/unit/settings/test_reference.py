"""docs/settings.md is what the models and group_data say."""

from hubfleet.settings import Lab
from hubfleet.settings.reference import reference
from tests.unit.settings.conftest import ROOT


def test_the_page_is_up_to_date() -> None:
    assert (ROOT / "docs" / "settings.md").read_text() == reference(), "run script/reference"


def test_every_setting_is_on_the_page() -> None:
    page = reference()
    assert not [key for key in Lab.keys() if f"| `{key}` |" not in page]  # noqa: SIM118 -- no dict, a model


def test_only_public_url_has_no_default() -> None:
    assert [line.split("`")[1] for line in reference().splitlines() if "| none: set it |" in line] == ["public_url"]
