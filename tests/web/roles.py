"""What the pages about roles say, from the table of each app."""

from collections.abc import Iterable, Mapping


def page_of_roles(roles: Iterable[str], permissions: Mapping[str, tuple[Iterable[str], str]]) -> str:
    """The table as it stands in docs."""
    names = list(roles)
    rows = [
        "| may | " + " | ".join(names) + " |",
        "|---|" + "---|" * len(names),
        *(
            f"| {words} (`{name}`) | " + " | ".join("yes" if role in may else "–" for role in names) + " |"
            for name, (may, words) in permissions.items()
        ),
    ]
    return "\n".join(rows)
