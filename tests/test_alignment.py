import pytest

from model.verse.alignment import aligned


@pytest.mark.parametrize(
    ("pieces", "lengths", "lines"),
    [
        ("一二三 四五 六七", (5, 2), "一二三四五 六七"),
        ("一二三 四五六 七八", (5, 2), "一二三四五六 七八"),  # a character too many
        ("一二三 四五 六七", (6, 2), "一二三四五 六七"),  # one too few
        ("一二 三四五 六七 八", (2, 3), "一二 三四五 六七 八"),  # lines beyond the last
        ("一二三四五六七", (3, 4), "一二三四五六七"),  # what no mark divides
        ("一二 三四", (4, 4), "一二 三四"),
        ("一 二 三 四 五", (5,), "一二三四 五"),  # no line has more than four pieces
        ("一二 三四五六 七八 九", (2, 5, 3), "一二 三四五六 七八九"),
    ],
)
def test_pieces_become_lines_of_the_lengths_that_come_nearest(
    pieces: str, lengths: tuple[int, ...], lines: str
) -> None:
    assert aligned(pieces.split(), lengths) == tuple(lines.split())


def test_every_piece_stays_in_its_order() -> None:
    pieces = [str(n) * (n % 5 + 1) for n in range(12)]
    for lengths in ((3, 4, 5), (7,) * 6, (2, 9, 4, 4, 11), (1,) * 20):
        assert "".join(aligned(pieces, lengths)) == "".join(pieces)
