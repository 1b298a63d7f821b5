"""API keys: who may ask, by a file with one key per line."""

from pathlib import Path


def read_keys(path: Path | str) -> list[bytes]:
    """Return the keys of a file, without the blanks around them.

    Raises:
        ValueError: If it cannot be read or holds none.
    """
    if not str(path):
        raise ValueError("is empty; name a file with one key per line, or leave it unset")
    try:
        if Path(path).exists() and not Path(path).is_file():  # to read a pipe might never end
            raise OSError("it is not a file")
        text = Path(path).read_bytes().decode("utf-8-sig")  # some editors begin with a mark
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from error
    keys = [line.strip().encode() for line in text.splitlines() if line.strip()]
    if not keys:
        raise ValueError(f"{path} holds no key; it must hold one key per line")
    return keys
