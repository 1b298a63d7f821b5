"""The page as files: nothing from elsewhere, small, labelled, and complete in both languages."""

import asyncio
import json
import re
from collections.abc import Iterator
from hashlib import sha256
from html.parser import HTMLParser
from itertools import chain
from pathlib import Path

import httpx
import pytest
from fontTools.ttLib import TTFont
from pydantic import ValidationError

from app.errors import UnacceptableRequest
from app.language import Language
from app.main import PAGE, RULES, create_app
from app.saying import sayings
from app.schemas import GenerateRequest
from app.service import Service
from app.settings import Settings
from model.checkpoint import Checkpoint
from model.poet.poem import Meter
from model.verse.ci_proof import GENRE as CI
from model.verse.form import Form, Layout
from model.verse.judge import judge
from model.verse.pattern import templates
from model.verse.proof import Genre, check
from model.verse.rhymes import Rhymes
from model.verse.script import Script, is_common, to_script

BUDGET = 45_000  # bytes on the wire of all that the page loads at first but its face
WHOLE_BUDGET = 110_000  # and of all that it can come to load
HEADERS = 300  # bytes that a browser reckons for the headers of an answer
FACE = PAGE / "font" / "kai.woff2"
FACE_BUDGET = 3_000_000
VOID = {"meta", "link", "input", "br", "img"}


class Element:
    """An element with what it holds."""

    def __init__(self, tag: str, attributes: dict[str, str], parent: "Element | None") -> None:
        self.tag, self.attributes, self.parent = tag, attributes, parent
        self.text = ""
        self.marked = "data-text" in attributes  # or something in it is
        for element in self.ancestors() if self.marked else ():
            element.marked = True

    def ancestors(self) -> "Iterator[Element]":
        element = self.parent
        while element is not None:
            yield element
            element = element.parent


class Reader(HTMLParser):
    """Reads a document into a flat list of elements."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self._open: list[Element] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        parent = self._open[-1] if self._open else None
        self.elements.append(Element(tag, attributes, parent))
        if tag not in VOID:
            self._open.append(self.elements[-1])

    def handle_endtag(self, tag: str) -> None:
        while self._open.pop().tag != tag:
            pass

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data


@pytest.fixture(scope="module")
def elements() -> list[Element]:
    reader = Reader()
    reader.feed((PAGE / "index.html").read_text())
    return reader.elements


@pytest.fixture(scope="module")
def rooms() -> list[Element]:
    """What the scripts add to the page."""
    reader = Reader()
    for path in scripts():
        for markup in re.findall(r"= `\n(<.+?)`;", path.read_text(), re.DOTALL):
            assert "${" not in markup
            reader.feed(markup)
    return reader.elements


def says(language: str, room: str = "") -> dict[str, str]:
    literal = (PAGE / f"{room}{language}.js").read_text().partition(f"const {language} = ")[2]
    read: dict[str, str] = json.loads(literal.rstrip().removesuffix(";"))
    return read


@pytest.fixture(scope="module")
def texts() -> dict[str, dict[str, str]]:
    """All that the page and its rooms say; no room says again what the page says."""
    for language in ("zh", "en"):
        assert not says(language).keys() & says(language, "rooms-").keys()
    return {language: says(language) | says(language, "rooms-") for language in ("zh", "en")}


@pytest.fixture(scope="module")
def script() -> str:
    return "\n".join(path.read_text() for path in scripts())


def loaded() -> list[Path]:
    """What the page loads: its files but the face and those of the API's page."""
    return [path for path in sorted(PAGE.iterdir()) if path.is_file() and path.stem != "docs"]


def scripts() -> list[Path]:
    return [
        path for path in loaded() if path.suffix == ".js" and path.stem[-2:] not in ("zh", "en")
    ]


def first(language: str) -> set[str]:
    """The files that the page loads before anything is asked of it, but its face."""
    document = (PAGE / "index.html").read_text()
    links = re.findall(r'<link rel="(?!apple-touch|manifest)[^>]* href="([^"]+)"', document)
    waiting = {*links, *re.findall(r'<script [^>]*src="([^"]+)"', document), f"{language}.js"}
    found = {"index.html"}
    while waiting:
        found |= waiting
        sources = "".join((PAGE / name).read_text() for name in waiting if name.endswith(".js"))
        waiting = set(re.findall(r'from "\./([\w-]+\.js)"', sources)) - found
    return found


def choices(elements: list[Element], name: str) -> set[str]:
    return {e.attributes["value"] for e in elements if e.attributes.get("name") == name} - {""}


def test_the_page_names_no_other_host() -> None:
    for path in filter(Path.is_file, PAGE.iterdir()):
        text = path.read_text(errors="replace")
        found = re.findall(r"""(?:https?:)?//[\w.-]+\.\w+[^\s"'<)]*""", text)
        assert set(found) <= {"http://www.w3.org/2000/svg"}, path.name


def test_the_page_loads_files_that_are_there(elements: list[Element]) -> None:
    named = {e.attributes.get("src") or e.attributes["href"] for e in elements
             if e.tag in ("script", "link")}  # fmt: skip
    sources = "".join(path.read_text() for path in PAGE.glob("*.js"))
    imported = set(re.findall(r'(?:from |import\()"\./([\w-]+\.js)"', sources))
    imported |= set(re.findall(r'register\("(\w+\.js)"\)', sources))
    styles = set(re.findall(r'rel: "stylesheet", href: "([\w.]+)"', sources))
    assert named | imported | styles | {"index.html"} == {path.name for path in loaded()}


def test_the_page_can_be_put_on_a_telephone_and_shown_where_it_is_linked(
    elements: list[Element],
) -> None:
    links = {e.attributes["rel"]: e.attributes["href"] for e in elements if e.tag == "link"}
    manifest = json.loads((PAGE / links["manifest"]).read_text())
    assert manifest["start_url"] == "."
    assert manifest["display"] == "standalone"
    for icon in manifest["icons"]:
        assert (PAGE / icon["src"]).is_file()
    assert (PAGE / links["apple-touch-icon"]).read_bytes().startswith(b"\x89PNG")
    og = {e.attributes["property"]: e.attributes["content"] for e in elements
          if e.attributes.get("property", "").startswith("og:")}  # fmt: skip
    assert {"og:type", "og:title", "og:description", "og:image"} == set(og)
    assert (PAGE / og["og:image"]).is_file()


def test_the_face_is_small_named_by_its_digest_and_has_its_licence() -> None:
    assert FACE.stat().st_size < FACE_BUDGET
    digest = sha256(FACE.read_bytes()).hexdigest()[:8]
    assert f'url("font/kai.woff2?{digest}")' in (PAGE / "style.css").read_text()
    assert "SIL OPEN FONT LICENSE Version 1.1" in (FACE.parent / "OFL.txt").read_text()
    names = TTFont(FACE)["name"]
    assert "LXGW" not in names.getDebugName(1)  # a name that the licence reserves
    assert "SIL Open Font License" in names.getDebugName(13)


def test_the_face_has_what_the_model_writes_in_both_scripts() -> None:
    vocabulary = Checkpoint.load(Settings().checkpoint).vocabulary
    written = [token for token in vocabulary.tokens if len(token) == 1]  # the most frequent first
    face = {chr(code) for code in TTFont(FACE).getBestCmap()}
    for script in Script:
        lacking = [c for c in written if not {*to_script(c, script)} <= face]
        assert not any(map(is_common, lacking))  # those are not drawn unless they are asked for
        assert min(map(written.index, lacking)) > 3000
        assert len(lacking) <= 40


def test_script_and_style_are_files_of_their_own(
    elements: list[Element], rooms: list[Element]
) -> None:
    for element in elements + rooms:
        assert not [name for name in element.attributes if name == "style" or name[:2] == "on"]
        assert element.tag != "style"
        if element.tag == "script":
            assert element.attributes["src"]
            assert not element.text.strip()


def is_named(element: Element) -> bool:
    """Whether an element has a text, now or once its language has come."""
    return bool(element.text.strip() or element.marked)


def test_every_control_has_a_label(elements: list[Element], rooms: list[Element]) -> None:
    labels = [e for e in elements + rooms if e.tag == "label" and is_named(e)]
    labelled = {e.attributes.get("for") for e in labels}
    controls = [e for e in elements + rooms if e.tag in ("input", "select", "button", "textarea")]
    assert len(controls) > 20
    for control in controls:
        wrapped = any(e in labels for e in control.ancestors())
        spoken = {"aria-label", "data-label"} & control.attributes.keys() or (
            control.tag == "button" and is_named(control)
        )
        assert wrapped or spoken or control.attributes.get("id") in labelled, control.attributes


def test_a_spoken_name_begins_with_the_visible_one(texts: dict[str, dict[str, str]]) -> None:
    for language in texts.values():
        for button in ("write", "stop", "language"):
            assert language[button] in language[f"{button}.label"]


def test_groups_have_a_legend_and_descriptions_exist(
    elements: list[Element], rooms: list[Element]
) -> None:
    for known, found in ((elements, elements), (elements + rooms, rooms)):
        ids = [e.attributes["id"] for e in known if "id" in e.attributes]
        assert len(ids) == len(set(ids))
        groups = [e for e in found if e.tag == "fieldset"]
        legends = [e.parent for e in found if e.tag == "legend" and is_named(e)]
        assert groups
        assert all(group in legends for group in groups)
        for name in ("aria-describedby", "aria-controls", "aria-labelledby", "for", "list"):
            named = [e.attributes[name].split() for e in found if name in e.attributes]
            assert set(chain(*named)) <= set(ids)


def test_both_languages_say_the_same_things(texts: dict[str, dict[str, str]]) -> None:
    chinese, english = texts["zh"], texts["en"]
    assert list(chinese) == list(english)
    for key, text in english.items():
        assert text.strip()
        assert chinese[key].strip()
        assert re.findall(r"\{\w+\}", text) == re.findall(r"\{\w+\}", chinese[key]), key


def test_every_text_is_used_and_every_used_text_exists(
    elements: list[Element], rooms: list[Element], texts: dict[str, dict[str, str]], script: str
) -> None:
    marked = {e.attributes[name] for e in elements + rooms for name in ("data-text", "data-label")
              if name in e.attributes}  # fmt: skip
    quoted = set(re.findall(r'"([a-z]+(?:\.[a-z0-9]+)+|retry|and)"', script))
    quoted = {
        key for key in quoted if not key.endswith((".js", ".css", ".html")) and key[:4] != "yin."
    }
    kinds = re.findall(r'\d{3}: "(\w+)"|new Failure\((?:\w+ \? )?"(\w+)"(?: : "(\w+)")?', script)
    built = {f"error.{kind}" for kind in {*sum(kinds, ()), "broken"} if kind}
    built |= {f"temperature.{number}" for number in range(5)}
    built |= {
        key
        for key in texts["zh"]
        if key.startswith(("check.", "pattern.", "genre.", "cue.", "tone."))
    }
    assert marked | quoted | built == set(texts["zh"])


def test_the_document_already_speaks_chinese(
    elements: list[Element], texts: dict[str, dict[str, str]]
) -> None:
    for element in elements:
        if key := element.attributes.get("data-text"):
            assert element.text.strip() == texts["zh"][key]
        if key := element.attributes.get("data-label"):
            assert element.attributes["aria-label"] == texts["zh"][key]


def test_every_kind_of_verse_has_a_gloss(texts: dict[str, dict[str, str]]) -> None:
    for language in texts.values():
        glosses = {key for key in language if key.startswith("genre.")}
        assert glosses == {f"genre.{genre}" for genre in (*Genre, CI)}


def test_every_rule_of_verse_has_a_name(texts: dict[str, dict[str, str]]) -> None:
    rules = {*check("日" * 7 + "，" + "山" * 7 + "。" + "日" * 7 + "，" + "山" * 7).checks}
    repeating = judge(
        "日" * 6 + "。" + "山" * 6 + "。" + "日" * 5 + "，" + "山" * 6 + "。日日。日日。" + "山" * 6
    )
    rules |= {f"词{rule}" if rule in ("押韵", "平仄") else rule for rule in repeating.checks}
    for language in texts.values():
        assert {f"check.{rule}{kind}" for rule in rules for kind in ("", ".says", ".gloss")} == {
            key for key in language if key.startswith("check.")
        }


def test_every_pattern_of_verse_has_a_gloss(texts: dict[str, dict[str, str]]) -> None:
    names = {template.name for size in (5, 7) for template in templates(Layout(size, 4))}
    assert len(names) == 4
    for language in texts.values():
        for name in names:
            begins, rhymes = name.split("起首句")
            assert language[f"pattern.{begins}"]
            assert language[f"pattern.{rhymes}"]


def test_the_cues_of_empty_places_are_those_of_the_line_types() -> None:
    rows = re.findall(r'\b([abAB]): "(\w{7})"', (PAGE / "cues.js").read_text())
    lines = dict(re.findall(r"\b([aAbB]) ([平仄]{5})", RULES.read_text()))
    assert lines.keys() == dict(rows).keys()
    for letter, cues in rows:
        front = {"平": "仄", "仄": "平"}[lines[letter][1]]
        assert cues == f"中{front}{'平' if letter == 'B' else '中'}{lines[letter][1:]}"


def test_the_page_offers_what_the_service_takes(elements: list[Element]) -> None:
    assert choices(elements, "form") == {form.code for form in Form}
    assert choices(elements, "meter") == set(Meter)
    assert choices(elements, "script") == set(Script)
    wishes = [e for e in elements if any(a.attributes.get("id") == "wishes" for a in e.ancestors())]
    names = {e.attributes["name"] for e in wishes if "name" in e.attributes}
    assert names - {"lines"} <= set(GenerateRequest.model_fields)
    sliders = [e.attributes for e in elements if e.attributes.get("type") == "range"]
    assert [slider["name"] for slider in sliders] == ["temperature", "guidance"]
    for slider in sliders:
        field = GenerateRequest.model_fields[slider["name"]]
        highest = next(limit.le for limit in field.metadata if hasattr(limit, "le"))
        assert 0 <= float(slider["min"]) < float(slider["value"]) < float(slider["max"]) <= highest
        assert float(slider["value"]) == field.default


@pytest.mark.parametrize(
    "wishes",
    [
        {"start": "春a"},
        {"start": "𰻝"},
        {"start": "春" * 8},
        {"start": "春" * 6, "form": "jueju-5"},
        {"start": "春春春春春", "form": "jueju-5"},
        {"start": "日", "acrostic": "月山", "form": "jueju-5"},
        {"acrostic": "春春", "opening": ["日紅山夜湖"], "form": "jueju-5"},
        {"acrostic": "春"},
        {"acrostic": "日月山", "form": "jueju-5"},
        {"title": "春" * 21},
        {"author": "李"},
        {"theme": "zzzqqq"},
        {"rhyme": "x"},
        {"rhyme": "一送"},
        {"author": "日"},
        {"temperature": 0, "n": 2, "meter": "free"},
    ],
)
def test_every_objection_to_what_the_page_asks_is_said_in_chinese_to_it(
    service: Service, wishes: dict[str, object]
) -> None:
    with pytest.raises((UnacceptableRequest, ValidationError)) as objection:
        service.write(GenerateRequest.model_validate(wishes))
    error = objection.value
    if isinstance(error, ValidationError):
        (said,) = sayings(error.errors(), Language.CHINESE)
    else:
        assert isinstance(error, UnacceptableRequest)
        (said,) = error.said(Language.CHINESE)
    assert re.match("[\u4e00-\u9fff“]", said["msg"])
    assert not re.search("[a-z]+ [a-z]+", said["msg"])


def table(path: Path, name: str) -> str:
    """Return a text that a script holds as a constant."""
    found = re.search(rf'^(?:const|  ) ?{name}(?: =|:) "(.+?)"', path.read_text(), re.MULTILINE)
    assert found
    return found[1]


def test_every_other_name_of_a_poet_stands_for_one_whom_the_model_knows() -> None:
    authors = Checkpoint.load(Settings().checkpoint).vocabulary.authors
    known = {to_script(author, Script.SIMPLIFIED) for author in authors}
    rows = re.findall(r'^  "(\w+)": "(.+)",$', (PAGE / "aliases.js").read_text(), re.MULTILINE)
    names, aliases = {name for name, _ in rows}, " ".join(others for _, others in rows).split()
    assert len(rows) > 50
    assert names <= known
    assert len(aliases) == len(set(aliases))
    assert not known & set(aliases)


def test_names_of_poets_and_rhymes_are_known_in_both_scripts() -> None:
    file = PAGE / "glyphs.js"
    traditional, simplified, kept = (table(file, n) for n in ("TRADITIONAL", "SIMPLIFIED", "KEPT"))
    pairs = dict(zip(traditional, simplified, strict=True))
    authors = Checkpoint.load(Settings().checkpoint).vocabulary.authors
    rhymes, han = Rhymes.load(), map(chr, range(0x4E00, 0xA000))
    groups = {reading.group for character in han for reading in rhymes.readings(character)}
    assert len(groups) > 90
    for name in {*authors, *groups, *(to_script(a, Script.TRADITIONAL) for a in authors)}:
        assert "".join(pairs.get(c, c) for c in name) == to_script(name, Script.SIMPLIFIED)
    used = {c for author in authors for c in to_script(author, Script.TRADITIONAL)}
    assert {c for c in used & set(pairs.values()) if c not in pairs} <= set(kept)


def test_a_poem_of_one_script_is_found_by_the_other() -> None:
    source = (PAGE / "scripts.js").read_text()
    found = re.search('const FROM = "(.+)";\nconst TO = "(.+)";', source)
    assert found
    forms = dict(zip(found[1], found[2], strict=True))
    vocabulary = Checkpoint.load(Settings().checkpoint).vocabulary
    written = [token for token in vocabulary.tokens if len(token) == 1]
    for character in {*written, *(to_script(c, Script.TRADITIONAL) for c in written)}:
        expected = to_script(character, Script.SIMPLIFIED)
        assert len(expected) > 1 or forms.get(character, character) == expected


@pytest.fixture(scope="module")
def service(service_settings: Settings) -> Service:
    return Service.load(service_settings)


def test_the_page_can_be_loaded_without_the_key_that_its_service_asks_for(
    tiny_checkpoint: Checkpoint, tmp_path: Path
) -> None:
    (tmp_path / "keys").write_text("a-key")
    guarded = Service(Settings(api_keys=tmp_path / "keys"), tiny_checkpoint)
    files = ["/", "/docs", "/font/kai.woff2", *(f"/{path.name}" for path in loaded())]
    for answer in asyncio.run(fetch(guarded, *files)):
        assert answer.status_code == 200
    for answer in asyncio.run(fetch(guarded, "/model", "/openapi.json", "/none.js", "/script.js/")):
        assert answer.status_code == 401


async def fetch(service: Service, *paths: str) -> list[httpx.Response]:
    transport = httpx.ASGITransport(create_app(service=service))
    async with httpx.AsyncClient(transport=transport, base_url="http://yin") as client:
        return [await client.get(path) for path in paths]


def test_the_page_is_sent_compressed_and_within_its_budget(tiny_checkpoint: Checkpoint) -> None:
    names = [path.name for path in loaded()]
    paths = ["/" if name == "index.html" else f"/{name}" for name in names]
    files = asyncio.run(fetch(Service(Settings(), tiny_checkpoint), *paths))
    sizes = {}
    for answer, name in zip(files, names, strict=True):
        assert answer.content.endswith((PAGE / name).read_bytes())  # the worker begins with names
        small = len(answer.content) < 500 or name.endswith(".png")
        assert small or answer.headers["content-encoding"] == "gzip"
        sizes[name] = int(answer.headers["content-length"]) + HEADERS
    for language in ("zh", "en"):
        at_first = sum(sizes[name] for name in first(language))
        assert at_first < BUDGET, f"{at_first} bytes at first"
    assert sum(sizes.values()) < WHOLE_BUDGET, f"{sum(sizes.values())} bytes in all"


def test_what_is_loaded_later_is_not_loaded_at_first() -> None:
    later = {path.name for path in loaded()} - first("zh") - first("en")
    assert {"album.js", "picture.js", "proof.js", "rooms.css", "rooms-zh.js"} <= later
    sources = {path.name: path.read_text() for path in scripts()}
    at_first = "".join(source for name, source in sources.items() if name in first("zh"))
    quoted = set(re.findall(r'"([a-z]+(?:\.[a-z0-9]+)+)"', at_first))
    assert not quoted & says("zh", "rooms-").keys()  # those words have not come yet


def test_a_file_is_the_same_however_often_it_is_asked_for(tiny_checkpoint: Checkpoint) -> None:
    for path in ("/docs", "/script.js"):
        first, second = asyncio.run(fetch(Service(Settings(), tiny_checkpoint), path, path))
        assert first.content == second.content
        for name in ("content-length", "content-encoding", "etag"):
            assert first.headers[name] == second.headers[name]


def test_the_face_is_kept_for_good_and_what_is_not_there_is_not(
    tiny_checkpoint: Checkpoint,
) -> None:
    paths = ("/font/kai.woff2?any", "/font/none.woff2", "/font/")
    face, *missing = asyncio.run(fetch(Service(Settings(), tiny_checkpoint), *paths))
    assert face.headers["content-type"] == "font/woff2"
    assert face.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert int(face.headers["content-length"]) == FACE.stat().st_size
    for answer in missing:
        assert answer.status_code == 404
        assert "cache-control" not in answer.headers


def test_the_page_is_served_under_a_strict_policy(tiny_checkpoint: Checkpoint) -> None:
    paths = ("/", "/script.js", "/style.css", "/docs")
    files = asyncio.run(fetch(Service(Settings(), tiny_checkpoint), *paths))
    for answer in files:
        policy = answer.headers["content-security-policy"]
        assert answer.status_code == 200
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
        assert "unsafe" not in policy
        assert "; manifest-src 'self'; " in policy
        assert answer.headers["cache-control"] == "no-cache"
    assert files[1].headers["content-type"].startswith("text/javascript")
    assert "docs.js" in files[-1].text


def preflight(service: Service) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(create_app(service=service))
        async with httpx.AsyncClient(transport=transport, base_url="http://yin") as client:
            headers = {
                "Origin": "https://poems.example",
                "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "content-type",
            }
            return await client.options("/generate", headers=headers)

    return asyncio.run(ask())


def test_another_page_may_ask_only_where_it_is_allowed(
    tiny_checkpoint: Checkpoint, tmp_path: Path
) -> None:
    (tmp_path / "keys").write_text("key\n")
    keyed = Settings(api_keys=tmp_path / "keys", num_slots=1)
    allowed = keyed.model_copy(update={"cors_origins": "https://a.example, https://poems.example"})
    assert preflight(Service(keyed, tiny_checkpoint)).status_code == 401
    answer = preflight(Service(allowed, tiny_checkpoint))  # before any key is asked for
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "https://poems.example"
