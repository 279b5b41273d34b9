"""User names become safe, distinct, stable names."""

import itertools
import re

import pytest

from hubfleet_hub.names import MAX_LENGTH, escape

HARD = {
    "alice": "alice",
    "foo_bar": "foo-5fbar",
    "foo-bar": "foo-2dbar",
    "foo-": "foo-2d",
    "Foo": "x--46oo",
    "a.b@c.d": "a-2eb-40c-2ed",
    ".": "x--2e",
    "..": "x--2e-2e",
    "-rf": "x--2drf",
    "--help": "x--2d-2dhelp",
    "a/b": "a-2fb",
    "../../etc": "x--2e-2e-2f-2e-2e-2fetc",
    "a\0b": "a-00b",
    "a b": "a-20b",
    " a": "x--20a",
    "a\nb": "a-0ab",
    "1st": "1st",
    "con": "con",
    "bjørn": "bj-c3-b8rn",
    "ελένη": "x--ce-b5-ce-bb-ce-ad-ce-bd-ce-b7",
    "{username}": "x--7busername-7d",
    "$(id)": "x--24-28id-29",
}

WOULD_COLLIDE_IF_NAIVE = [
    ("foo_bar", "foo-bar", "foo.bar", "foobar", "foo-5fbar", "foo-2dbar", "Foo_bar"),
    ("\x01a", "\x1a", "x--01a", "x-\x01a"),
    (".", "..", "x.", "x-.", "x--2e", "x-2e"),
    ("é", "e\u0301", "e"),
    ("a", "A", "a ", " a", "a\0", "a\n"),
    ("x" * 63, "x" * 64, "x" * 65, "x" * 255, "x" * 254 + "y"),
    ("." * 30, "." * 31, "." * 255),
]


@pytest.mark.parametrize(("name", "escaped"), HARD.items())
def test_a_hard_name_has_the_spelling_that_is_already_on_disks(name: str, escaped: str) -> None:
    assert escape(name) == escaped


@pytest.mark.parametrize("name", [*HARD, *itertools.chain(*WOULD_COLLIDE_IF_NAIVE), "ü" * 255, "\ud800"])
def test_every_spelling_is_safe_in_a_path_a_container_name_and_an_option(name: str) -> None:
    assert re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", escape(name))
    assert len(escape(name)) <= MAX_LENGTH


@pytest.mark.parametrize("names", WOULD_COLLIDE_IF_NAIVE)
def test_names_that_look_alike_stay_apart(names: tuple[str, ...]) -> None:
    assert len({escape(name) for name in names}) == len(names)


def test_no_two_short_names_over_the_difficult_characters_meet() -> None:
    names = ["".join(letters) for n in range(1, 6) for letters in itertools.product("x2e-.\x02", repeat=n)]
    assert len({escape(name) for name in names}) == len(names)


def test_an_escaped_name_escaped_again_is_not_the_same_name() -> None:
    assert escape(escape("foo.bar")) != escape("foo.bar")


def test_the_spelling_of_a_long_name_begins_with_it_and_never_changes() -> None:
    assert escape("a" * 255) == "a" * 37 + "--b0f3323e7a3cad8ae6778340"


def test_the_empty_name_is_refused() -> None:
    with pytest.raises(ValueError, match="empty"):
        escape("")
