"""What verbs print: plain text that can go into a ticket; `click.echo` leaves colours to terminals."""

from collections.abc import Sequence

import click

COLOURS = {
    "ok": "green",
    "up": "green",
    "proved": "green",
    "no change": "cyan",
    "changed": "yellow",
    "changes": "yellow",
    "not proved": "yellow",
    "down": "red",
    "failed": "red",
    "interrupted": "red",
    "not deployed": "red",
    "unreachable": "red",
}


def coloured(word: str) -> str:
    """A word of ours in its colour, any other as it is."""
    return click.style(word, fg=COLOURS[word]) if word in COLOURS else word


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Rows under a head, columns aligned, the last column as long as it is."""
    lines = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        "  ".join(coloured(cell) + " " * (width - len(cell)) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def indented(text: str, by: int) -> str:
    """Every line of a text moved to the right."""
    return "\n".join(" " * by + line for line in text.splitlines())


def size(count: int) -> str:
    """Bytes as people read them."""
    value = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TiB"
