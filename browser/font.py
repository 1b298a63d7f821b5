"""Makes the page's Kai face: LXGW WenKai, cut to the characters that the bundled model writes.

    python browser/font.py LXGWWenKai-Regular.ttf     of Debian's fonts-lxgw-wenkai, 1.250

The licence keeps the original's names for the original, so what is cut from it has another.
"""

import string
import sys
from hashlib import sha256
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

from app.settings import Settings
from model.checkpoint import Checkpoint
from model.verse.script import Script, to_script

PAGE = Path(__file__).parent.parent / "app" / "page"
FAMILY = "Yin Kai"
LICENCE = [0, 7, 13, 14]  # ids of the names that hold copyright, trademark and licence


def characters() -> set[str]:
    """Return what the model writes, in both scripts, what the page says, and plain Latin."""
    vocabulary = Checkpoint.load(Settings().checkpoint).vocabulary
    written = "".join(token for token in vocabulary.tokens if len(token) == 1)
    said = "".join(path.read_text() for path in PAGE.glob("*.[hj]*"))
    printed = "".join(to_script(written, script) for script in Script)
    return {*printed, *said, *string.ascii_letters, *string.digits} - {"\n"}


def cut(source: Path) -> TTFont:
    """Return a face that holds characters() alone, under its own name."""
    font = TTFont(source, recalcTimestamp=False)
    names = {1: FAMILY, 3: f"{FAMILY} Regular", 4: FAMILY, 6: FAMILY.replace(" ", "")}
    options = Options(layout_features=["vert", "vrt2"], hinting=False, notdef_outline=True)
    options.name_IDs = [*names, 2, 5, *LICENCE]
    subsetter = Subsetter(options)
    subsetter.populate(text="".join(characters()))
    subsetter.subset(font)
    for record in font["name"].names:
        record.string = names.get(record.nameID, record.toUnicode())
    font.flavor = "woff2"
    return font


def main() -> None:
    """Cut the face, write it and report what it lacks."""
    font, path = cut(Path(sys.argv[1])), PAGE / "font" / "kai.woff2"
    font.save(path)
    wanted = characters()
    lacking = sorted(each for each in wanted if ord(each) not in font.getBestCmap())
    digest = sha256(path.read_bytes()).hexdigest()[:8]
    sys.stdout.write(
        f"{path.stat().st_size} bytes, {digest}; lacks {len(lacking)} of {len(wanted)}: "
        f"{''.join(lacking)}\n"
    )


if __name__ == "__main__":
    main()
