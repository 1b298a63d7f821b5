"""What every wish that cannot be met has in common."""


class UnmetWish(ValueError):
    """A wish that cannot be met; the message says what would be right.

    Args:
        message: One sentence for a person.
        field: The wish, by its name in PoemSpec; empty until it is known.
    """

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.field = field
