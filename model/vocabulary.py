"""The model's tokens: control tokens, authors, tunes, punctuation and Han characters; their ids.

A training sequence is one poem after a header that says what to write, every field optional:

    <bos> [form] [<regulated>] [era] [author] [<title> 登 鸛 雀 樓] [keywords] <body> 白 日 … <eos>

A ci (词) has its tune in the place of a form. Keywords are what couplets are about, two characters
each, in the poem's order: <keyword> 白 日 <keyword> 千 里. A title that is not in the header may
come after the poem: <body> 白 日 … <eos> <title> 登 鸛 雀 樓 <eos>. A model that has learnt both
plans a poem before it writes it, and tells which title fits it.

Ids run in this order: control tokens, authors, tunes, <keyword> where the vocabulary has it,
punctuation, Han characters by falling frequency, those that were added to a checkpoint's last.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any, Self

from model.verse.form import Form
from model.verse.script import is_han, unify
from model.wish import UnmetWish

PUNCTUATION = "，。？！；：、"
CONTROL_TOKENS = (
    "<pad>",
    "<bos>",
    "<eos>",
    "<unk>",
    "<title>",
    "<body>",
    "<regulated>",
)
KEYWORD = "<keyword>"
KEYWORD_LENGTH = 2  # characters


class Era(StrEnum):
    """The dynasty a poem is from."""

    TANG = "唐"
    SONG = "宋"

    @classmethod
    def parse(cls, name: str) -> Self:
        """Return the era called name: tang or song, or its Chinese name.

        Raises:
            ValueError: If there is no such era; the message names those there are.
        """
        for era in cls:
            if name in (era.value, era.name.lower()):
                return era
        raise ValueError("must be tang (唐) or song (宋)")


class UnknownCharacter(UnmetWish):
    """A character that the vocabulary lacks.

    Args:
        character: As it was written.
        field: The wish that holds it, by its name in PoemSpec; empty where there is none.
    """

    def __init__(self, character: str, *, field: str = "") -> None:
        super().__init__(f"the model does not know the character {character!r}", field=field)
        self.character = character


class UnknownAuthor(UnmetWish):
    """A name that is not among the authors with a token of their own.

    Args:
        author: The name.
        nearest: Known names that are most like it, the likest first.
    """

    def __init__(self, author: str, nearest: Sequence[str] = ()) -> None:
        hint = f"; it knows {'、'.join(nearest)}" if nearest else ""
        message = f"the model does not know the author {author!r}{hint}"
        super().__init__(message, field="author")
        self.author = author
        self.nearest = tuple(nearest)


class UnknownTune(ValueError):
    """A name that is not among the tunes with a token of their own."""

    def __init__(self, tune: str) -> None:
        super().__init__(f"the model does not know the tune {tune!r}")
        self.tune = tune


class Vocabulary:
    """Characters <-> ids.

    Args:
        characters: Han characters in the model's script, by falling frequency.
        authors: Names of the authors who have a control token each.
        tunes: Names of the tunes of ci that have a control token each.
        keywords: Whether headers may have keywords.

    Raises:
        ValueError: If a character is not one Han character in the model's script, or anything
            stands twice.
    """

    def __init__(
        self,
        characters: Sequence[str],
        authors: Sequence[str] = (),
        tunes: Sequence[str] = (),
        *,
        keywords: bool = False,
    ) -> None:
        for character in characters:
            if len(character) != 1 or not is_han(character) or unify(character) != character:
                raise ValueError(f"expected one Han character of the model's script: {character!r}")
        self.characters = tuple(characters)
        self.authors = tuple(authors)
        self.tunes = tuple(tunes)
        self.keywords = keywords
        self._author_names, self._tune_names = frozenset(authors), frozenset(tunes)
        controls = [*CONTROL_TOKENS, *(f"<{form}>" for form in Form), *(f"<{era}>" for era in Era)]
        self.tokens = (
            *controls,
            *(f"<{author}>" for author in self.authors),
            *(f"<{tune}>" for tune in self.tunes),
            *([KEYWORD] if keywords else []),
            *PUNCTUATION,
            *self.characters,
        )
        self._ids = {token: index for index, token in enumerate(self.tokens)}
        if len(self._ids) < len(self.tokens):
            raise ValueError("a character, an author or a tune stands twice in the vocabulary")
        self.pad_id, self.bos_id, self.eos_id, self.unk_id, self.title_id = range(5)
        self.body_id, self.regulated_id = self._ids["<body>"], self._ids["<regulated>"]
        self.comma_id, self.full_stop_id = self._ids["，"], self._ids["。"]
        self.han_ids = range(len(self.tokens) - len(self.characters), len(self.tokens))

    def __len__(self) -> int:
        return len(self.tokens)

    def __contains__(self, character: str) -> bool:
        return len(character) == 1 and character in self._ids

    def id_of(self, character: str) -> int:
        """Return the id of a Han character or punctuation mark, in any of its glyph variants.

        Raises:
            UnknownCharacter: If the vocabulary lacks it.
        """
        standard = unify(character)
        if standard not in self:
            raise UnknownCharacter(character)
        return self._ids[standard]

    def encode(self, text: str) -> list[int]:
        """Return an id a character; <unk> for those that the vocabulary lacks."""
        return [self._ids.get(character, self.unk_id) for character in unify(text)]

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of ids, control tokens left out."""
        return "".join(token for token in map(self.tokens.__getitem__, ids) if len(token) == 1)

    def header(
        self,
        *,
        form: Form | None = None,
        tune: str | None = None,
        era: Era | None = None,
        author: str | None = None,
        title: str | None = None,
        regulated: bool = False,
        keywords: Sequence[str] = (),
    ) -> list[int]:
        """Return the tokens before a poem's body, from <bos> to <body>; None leaves a field out.

        Raises:
            UnknownAuthor: If the author has no token.
            UnknownTune: If the tune has no token.
            UnknownCharacter: If a keyword has a character that the vocabulary lacks.
            ValueError: If there are keywords and the vocabulary has none, or one has not
                KEYWORD_LENGTH characters.
        """
        ids = [self.bos_id]
        if form is not None:
            ids.append(self._ids[f"<{form}>"])
        if tune is not None:
            ids.append(self.tune_id(tune))
        if regulated:
            ids.append(self.regulated_id)
        if era is not None:
            ids.append(self._ids[f"<{era}>"])
        if author is not None:
            ids.append(self.author_id(author))
        if title:
            ids += [self.title_id, *self.encode(title)]
        for keyword in keywords:
            ids += self._keyword(keyword)
        return [*ids, self.body_id]

    def _keyword(self, keyword: str) -> list[int]:
        if not self.keywords:
            raise ValueError("the model has learnt no keywords: leave them out")
        if len(keyword) != KEYWORD_LENGTH:
            raise ValueError(f"a keyword has {KEYWORD_LENGTH} characters, got {keyword!r}")
        return [self._ids[KEYWORD], *map(self.id_of, keyword)]

    def title_after(self, title: str) -> list[int]:
        """Return what follows the body and its <eos> where the title comes after them."""
        return [self.title_id, *self.encode(title), self.eos_id]

    def knows_author(self, author: str) -> bool:
        """Return whether an author has a token."""
        return unify(author) in self._author_names

    def author_id(self, author: str) -> int:
        """Return the id of an author's token.

        Raises:
            UnknownAuthor: If the author has no token.
        """
        name = unify(author)
        if not self.knows_author(name):
            raise UnknownAuthor(author, self._nearest_authors(name))
        return self._ids[f"<{name}>"]

    def knows_tune(self, tune: str) -> bool:
        """Return whether a tune has a token."""
        return unify(tune) in self._tune_names

    def tune_id(self, tune: str) -> int:
        """Return the id of a tune's token.

        Raises:
            UnknownTune: If the tune has no token.
        """
        if not self.knows_tune(tune):
            raise UnknownTune(tune)
        return self._ids[f"<{unify(tune)}>"]

    def _nearest_authors(self, name: str) -> list[str]:
        """Return up to five known names, those like name first, then the most prolific."""
        likeness = {
            known: len(set(known) & set(name)) + (known[0] == name[:1]) for known in self.authors
        }
        # Authors stand by falling number of poems, and sorting keeps their order.
        return sorted(self.authors, key=lambda known: -likeness[known])[:5]

    def to_dict(self) -> dict[str, Any]:
        """Return what from_dict() needs, in JSON's types."""
        found: dict[str, Any] = {
            "characters": "".join(self.characters),
            "authors": list(self.authors),
        }
        found |= {"tunes": list(self.tunes)} if self.tunes else {}
        return found | ({"keywords": True} if self.keywords else {})

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> Self:
        """Return the vocabulary that to_dict() described.

        Raises:
            KeyError: If a field is missing.
            ValueError: As for the constructor.
        """
        return cls(
            list(fields["characters"]),
            fields["authors"],
            fields.get("tunes", ()),
            keywords=fields.get("keywords", False),
        )
