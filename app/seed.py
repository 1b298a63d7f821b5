"""The seed of a request that names none."""

import secrets

SEED_BITS = 48  # of a drawn seed: JavaScript's numbers hold it exactly


def draw_request_seed(seed: int | None) -> int:
    """Return a request's seed, drawn if it has none."""
    return secrets.randbits(SEED_BITS) if seed is None else seed
