"""How a refusal repeats a name that it was given."""

LONGEST = 20  # characters of a name that a refusal repeats


def quoted(name: str) -> str:
    """Return a name in quotation marks; of a long one the beginning."""
    return repr(name if len(name) <= LONGEST else f"{name[:LONGEST]}…")
