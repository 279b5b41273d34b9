"""docs/settings.md: the page of all settings, made from the models and from group_data."""

import runpy
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le
from pydantic.fields import FieldInfo

from hubfleet.settings import types
from hubfleet.settings.lab import FLAVOURS, Lab
from hubfleet.settings.models import AddressPool, Concern, Share, Volume
from hubfleet.settings.originals import RENAMED
from hubfleet.settings.rules import BUILT

GROUP_DATA = Path(__file__).resolve().parents[2] / "group_data"

INTRODUCTION = """\
# Settings

Made by `script/reference` from the models and from `group_data/`; do not edit.

Settings are pyinfra's host data: keys beside a host in the inventory, or variables in a file of group data. One of
them has no default: `public_url`. Where a key is set more than once, the nearest to the host wins:

1. `--data key=value` on the command line,
2. the host's own entry in the inventory,
3. its flavour: `group_data/FLAVOUR.py` beside the inventory, then the one here, then the group's data in the inventory,
4. `group_data/all.py` beside the inventory, then the one here.

So a value that a flavour's file here sets is changed in the flavour's file beside your inventory, or at the host;
your `all.py` does not reach it. A value replaces the whole of the one it wins over: lists and dictionaries are never
merged.

All hosts are judged before any is contacted, and every mistake is told at once: by `hubfleet check INVENTORY`, by an
inventory that ends with `check(__file__)`, and again by `deploy.py` before its first change.

- A **size** is a number of bytes, or a text with K, M, G or T in powers of 1024: `"512M"`, `"8G"`.
- A **file** is on the control machine, relative to the inventory's directory.
- A **secret** is a reference, never the secret itself: `"env:VARIABLE"`, `"file:PATH"` or `"age:PATH"`, opened with the
  identity (age's own or an OpenSSH key) in the file that `HUBFLEET_AGE_IDENTITY` names.
- Keys that begin with `ssh_` and `_` are pyinfra's: how to log in (`ssh_user`, `ssh_port`, `ssh_key`) and how to become
  root (`_sudo`, `_sudo_password`). Data of your own begins with `_` too.
"""

WORDS: list[tuple[object, str]] = [
    (types.Size, "size"),
    (types.Memory, "size, at least `256M`"),
    (types.Seconds, "seconds"),
    (types.Timeout, "seconds"),
    (types.HostPath, "absolute path on the host"),
    (types.LocalFile, "file, or empty"),
    (types.Slug, "1 to 24 lower-case letters, digits and hyphens"),
    (types.UserName, "user name"),
    (types.Account, "Linux account, by name or number"),
    (types.Mode, "file mode as text"),
    (types.HttpUrl, "URL"),
    (types.OptionalUrl, "URL, or empty"),
    (types.Origin, "origin"),
    (types.Registry, "host:port"),
    (types.NoProxy, "name or network"),
    (types.Image, "image"),
    (types.ServerImage, "image with tag or digest"),
    (types.Package, "Debian package"),
    (types.Checksum, "SHA-256, or empty"),
    (types.UrlPath, "path of a page"),
    (types.Variable, "variable"),
    (types.Line, "text"),
    (types.Subnet, "private IPv4 network"),
    (types.JsonObject, "dictionary"),
    (types.SecretRef, "secret"),
    (types.Url, "address"),
    (AddressPool, '`{"base": network, "size": prefix length}`'),
    (Share, '`{"home": user, "to": user, "access": "read" or "write"}`'),
    (Volume, '`{"source": path or volume, "target": path, "read_only": True or False}`'),
    (bool, "`True` or `False`"),
    (int, "whole number"),
    (float, "number"),
    (str, "text"),
]


def reference() -> str:
    """The text of docs/settings.md."""
    defaults = _defaults("all")
    parts = [INTRODUCTION, *(_section(model, defaults) for model in Lab.concerns().values()), _flavours(), _others()]
    return "\n".join(parts)


def _defaults(group: str) -> dict[str, Any]:
    settings = Lab.keys()
    return {key: value for key, value in runpy.run_path(str(GROUP_DATA / f"{group}.py")).items() if key in settings}


def _section(model: type[Concern], defaults: dict[str, Any]) -> str:
    title, _, _ = (model.__doc__ or "").partition(".")
    rows = [
        _row(
            f"`{key}`",
            f"`{_code(defaults[key])}`" if key in defaults else "none: set it",
            _value(key, model.__annotations__[field], model.model_fields[field]),
            str(model.model_fields[field].description),
        )
        for key, field in model.keys().items()
    ]
    return "\n".join([f"## {title}\n", _row("Key", "Default", "Value", "What it is"), "|---|---|---|---|", *rows, ""])


def _flavours() -> str:
    chosen = {flavour: _defaults(flavour) for flavour in FLAVOURS}
    settings = Lab.keys()
    keys = [key for key in settings if any(key in values for values in chosen.values())]
    rows = [
        _row(f"`{key}`", *(f"`{_code(values[key])}`" if key in values else "" for values in chosen.values()))
        for key in keys
    ]
    built = " and ".join(flavour for flavour in FLAVOURS if _is_built(chosen[flavour]))
    head = (
        "## What the flavours choose\n\nA flavour is a group of hosts with defaults of its own. This version builds "
        f"{built};\nwhat the others need comes with a later one.\n"
    )
    return "\n".join([head, _row("Key", *FLAVOURS), "|---" * (len(FLAVOURS) + 1) + "|", *rows, ""])


def _is_built(chosen: dict[str, Any]) -> bool:
    return all(
        choice in BUILT[key]
        for key, value in chosen.items()
        if key in BUILT
        for choice in (value if isinstance(value, list) else [value])
    )


def _others() -> str:
    rows = [_row(f"`{old}`", hint) for old, hint in RENAMED.items()]
    head = "## Names of other systems\n\nWho comes from another system finds its names here; they are mistakes.\n"
    return "\n".join([head, _row("Key", "Instead"), "|---|---|", *rows, ""])


def _value(key: str, annotation: object, field: FieldInfo) -> str:
    words = _words(annotation)
    for limit in field.metadata:
        match limit:
            case Ge(ge=bound) if bound:
                words += f", at least {bound}"
            case Gt(gt=bound):
                words += f", more than {bound}"
            case Le(le=bound):
                words += f", at most {bound}"
    if key in BUILT:
        words += f" (this version: {', '.join(f'`{choice}`' for choice in BUILT[key])})"
    return words


def _words(annotation: object) -> str:
    for kind, words in WORDS:
        if annotation == kind:
            return words
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return ", ".join(f"`{choice}`" for choice in arguments)
    if origin is list:
        return f"list: {_words(arguments[0])}"
    if origin is dict:
        return f"dictionary: {_words(arguments[0])} to {_words(arguments[1])}"
    raise TypeError(f"{annotation} has no words yet; add them to WORDS")


def _code(value: object) -> str:
    return repr(value).replace("'", '"')


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
