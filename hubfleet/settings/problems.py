"""Mistakes in an inventory, in plain words: host, key, value, why, and what to do."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from pydantic_core import ErrorDetails
from pyinfra.api.exceptions import PyinfraError

_SECRETIVE = re.compile(r"passw|secret|token|credential|private|(^|_)key($|_)|api_?key|webhook", re.IGNORECASE)
_USERINFO = re.compile(r"//[^/@\s]*@")
_LONGEST = 60


@dataclass(frozen=True)
class Problem:
    """One mistake of one host. `host` is empty for what concerns the inventory as a whole."""

    host: str
    key: str
    value: str
    """The value as text, empty where there is none or where it may be a secret."""
    reason: str
    hint: str
    """What to do, empty where the reason says it."""

    def __str__(self) -> str:
        subject = " = ".join(part for part in (self.key, self.value) if part)
        words = "; ".join(part for part in (self.reason, self.hint) if part)
        return ": ".join(part for part in (self.host or "inventory", subject, words) if part)


class SettingsError(PyinfraError):
    """An inventory cannot be used. Its text is the whole list, a line for each mistake."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        count = "1 mistake" if len(problems) == 1 else f"{len(problems)} mistakes"
        super().__init__("\n".join([f"{count} in the inventory:", *(f"  {problem}" for problem in problems)]))


def problem(host: str, key: str, flat: Mapping[str, Any], message: str, harmless: bool = False) -> Problem:
    """What `message` ("reason; hint") says about the value that `flat` has for `key`.

    `harmless`: the value is known to be no secret, whatever the key is called.
    """
    value = shown("" if harmless else key, flat[key])
    reason, _, hint = message.partition("; ")
    return Problem(host, key, value, reason, hint)


def shown(name: str, value: object) -> str:
    """`value` as it may be printed: nothing if its name suggests a secret, no password in a URL, not too long."""
    if _SECRETIVE.search(name) or (isinstance(value, str) and "=" in value and _SECRETIVE.search(value)):
        return ""
    if isinstance(value, list) and value:
        entries = [shown(name, entry) for entry in value]
        text = f"[{', '.join(entries)}]"
        plain = all(isinstance(entry, str | int | float) for entry in value) and all(entries)
        return text if plain and len(text) <= _LONGEST else "a list"
    if isinstance(value, Mapping | tuple | set | frozenset) and value:
        return "a dictionary" if isinstance(value, Mapping) else f"a {type(value).__name__}"
    text = _USERINFO.sub("//***@", repr(value))
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def nearest(name: object, known: list[str]) -> str:
    """The known name that `name` was probably meant to be, or ''."""
    by_folded = {entry.casefold(): entry for entry in known}
    match = get_close_matches(str(name).casefold(), list(by_folded), n=1, cutoff=0.7)
    return by_folded[match[0]] if match else ""


def one_of(choices: list[str]) -> str:
    """'a', 'a or b', 'a, b or c'."""
    return choices[0] if len(choices) == 1 else f"{', '.join(choices[:-1])} or {choices[-1]}"


def wrong_value(host: str, key: str, error: ErrorDetails, secret: bool) -> Problem:
    """pydantic's finding about the value of `key`, in words of this project; `loc` begins with that value."""
    location = [part for part in error["loc"][1:] if part != "[key]"]
    inside = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    reason, hint = _words(error)
    absent = error["type"] == "missing"
    return Problem(host, key + inside, "" if secret or absent else shown(inside, error["input"]), reason, hint)


def _words(error: ErrorDetails) -> tuple[str, str]:
    context = error.get("ctx", {})
    match error["type"]:
        case "value_error":
            reason, _, hint = str(context["error"]).partition("; ")
            return reason, hint
        case "int_type" | "int_from_float" | "int_parsing":
            return "is not a whole number", "write it without quotes, such as 80"
        case "float_type":
            return "is not a number", "write it without quotes, such as 2 or 0.5"
        case "bool_type":
            return "is neither True nor False", "write True or False, without quotes"
        case "string_type":
            return "is not text", "write it in quotes"
        case "list_type":
            return "is not a list", "write it in square brackets, such as ['ann', 'bob']"
        case "dict_type":
            return "is not a dictionary", "write it in braces, such as {'KEY': 'value'}"
        case "model_type" | "model_attributes_type":
            return "is not a dictionary", "write it in braces, such as {'base': '10.210.0.0/16', 'size': 24}"
        case "literal_error":
            choices = re.findall(r"'([^']*)'", context["expected"])
            meant = nearest(error["input"], choices)
            return "is no such choice", f"did you mean {meant!r}?" if meant else f"choose {one_of(choices)}"
        case "greater_than_equal":
            return "is too small", f"give at least {context['ge']}"
        case "greater_than":
            return "is too small", f"give more than {context['gt']:g}"
        case "less_than_equal":
            return "is too large", f"give at most {context['le']}"
        case "too_short":
            return "is empty", "name at least one"
        case "extra_forbidden":
            return "is not known here", "leave it out, or correct its name"
        case "missing":
            return "is not set", "add it"
        case _:
            return error["msg"][:1].lower() + error["msg"][1:], ""
