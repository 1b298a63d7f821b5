"""Makes app/page/scripts.js: the simplified forms of what the bundled model writes.

python browser/scripts.py
"""

from pathlib import Path

from app.settings import Settings
from model.checkpoint import Checkpoint
from model.verse.script import Script, to_script

FILE = Path(__file__).parent.parent / "app" / "page" / "scripts.js"
SOURCE = """\
/* Characters in simplified script, to find a poem of either; made by browser/scripts.py. */

const FROM = "{0}";
const TO = "{1}";
const forms = new Map([...FROM].map((character, i) => [character, [...TO][i]]));

/* A text in simplified script, character by character. */
export function simplified(text) {{
  return [...text].map((character) => forms.get(character) || character).join("");
}}
"""


def pairs() -> dict[str, str]:
    """Return the simplified form of each character that has another."""
    vocabulary = Checkpoint.load(Settings().checkpoint).vocabulary
    written = [token for token in vocabulary.tokens if len(token) == 1]
    printed = {*written, *(to_script(character, Script.TRADITIONAL) for character in written)}
    forms = {character: to_script(character, Script.SIMPLIFIED) for character in sorted(printed)}
    return {a: b for a, b in forms.items() if len(a) == len(b) == 1 and a != b}


def source() -> str:
    """Return the script."""
    found = pairs()
    return SOURCE.format("".join(found), "".join(found.values()))


if __name__ == "__main__":
    FILE.write_text(source(), encoding="utf-8")
