"""The model's refusals in Chinese: their English sentences as patterns, and what each is."""

import re

from model.verse.form import Form

SENTENCES = [
    (r"the model does not know the character '(.)'", r"它不认识“\1”字"),
    (r"the model does not know the author '(.+?)'; it knows (.+)", r"它没学过“\1”；学过\2"),
    (r"the model does not know the author '(.+?)'", r"它没学过“\1”"),
    (
        r"an acrostic here takes (\d+) characters \(one a couplet\) or (\d+) .*, not (\d+)",
        r"这个体裁藏头要 \1 字（每联一字）或 \2 字（每行一字），现在是 \3 字",
    ),
    (
        r"an acrostic here takes (\d+) characters \(one a sentence\) or (\d+) .*, not (\d+)",
        r"这个词牌藏头要 \1 字（每韵一字）或 \2 字（每句一字），现在是 \3 字",
    ),
    (
        r"no pattern of regulated verse .* fits (.+) \((.+)\)",
        r"“\1”（\2）合不上格律；改几个字，或放宽格律",
    ),
    (r"too few characters rhyme here \(in any group\)", "同韵的字太少"),
    (r"too few characters rhyme here \(in (.+)\)", r"同韵的字太少（\1）"),
    (r"too few characters rhyme here", "同韵的字太少"),
    (r"(?:a|this) line has (\d+) characters, not (\d+)", r"一行有 \1 字，现在是 \2 字"),
    (
        r"two different characters are given for character (\d+): (\w+) and (\w+) must agree",
        r"第 \1 字给了两个不同的字：\2 与 \3 要一致",
    ),
    (
        r"every line that can follow (.+) stands in the corpus",
        r"“\1”之后只剩古人原句；换个字，或不求全新（novel）",
    ),
    (
        r"this request leads to fewer than (\d+) different poems; .*",
        r"这样的要求写不出 \1 首不同的诗；笔意放开些，或少写几首",
    ),
    (
        r"the poem has (\d+) lines, and the (\d+) given leave none to write: give (\d+) .*",
        r"全诗 \1 句，已给的 \2 句没有留下可写的；至多给 \3 句，或换更长的体裁",
    ),
    (
        r"(\S+) has (\d+) characters, not (\d+): leave length out, or ask for (\S+)",
        r"\1 有 \2 字，不是 \3 字：不必给 length，或改用 \4",
    ),
    (r"(\S+) has (.+) characters, not (\d+)", r"\1 有 \2 字，不是 \3 字"),
    (
        r"a couplet of (\d)-character lines needs a length of at least (\d+), got (\d+)",
        r"\1 言一联至少要 \2 字，现在是 \3 字",
    ),
    (
        r"regulated verse has 4 or 8 lines of 5 or 7 characters, not (\d+) of (\d+)",
        r"格律诗四句或八句，每句五字或七字，不是 \1 句 \2 字",
    ),
    (
        r"only verse of meter strict has a tone pattern, and this is (\w+)",
        r"只有 strict 的诗有平仄格式，这首是 \1",
    ),
    (
        r"none of its words leads to one that the poems know: it has none but particles; .*",
        "其中只有虚词；换些词",
    ),
    (
        r"none of its words leads to one that the poems know: (.+); try others",
        r"其中没有诗里相近的词：\1；换些词",
    ),
    (r"verse of meter free does not rhyme", "free 的诗不押韵"),
    (
        r"regulated verse rhymes in a level group, and (.+) is oblique; try meter rhyme",
        r"格律诗押平声韵，\1 是仄声；换一部，或改用押韵（meter: rhyme）",
    ),
    (
        r"a ci runs as its tune does; a tone pattern is for jueju and lushi",
        "词依词牌的平仄；平仄格式只用于绝句和律诗",
    ),
    (
        r"a ci rhymes in a part of 词林正韵; a group of 平水韵 is for the forms of shi",
        "词押词林正韵；平水韵的韵部只用于诗",
    ),
    (
        r"must be a shi, and this is a ci, (.+), whose rules are .*: form (\S+) with opening",
        r"这里只改诗，而这是词，\1；可留下前几句接着写（form: \2，opening）",
    ),
    (r"what is given does not rhyme in (.+), but in (.+)", r"已给的字不押 \1，而押 \2"),
    (r"what is given does not fit (.+), but (.+)", r"已给的字不合 \1，而合 \2"),
    (
        r"it says a character of line (\d+) again: (.) there, (.) here",
        r"此处重复第 \1 句的字：那里是 \2，这里是 \3",
    ),
    (
        r"it runs (\S+) \(中 is free\), which (.+) \((.+)\) does not fit",
        r"此句为 \1（中可平可仄），“\2”（\3）不合",
    ),
    (r"the line has to rhyme in the level tone, and ends in (.)", r"此句该押平声韵，却以 \1 收尾"),
    (
        r"the line has to rhyme in the oblique tone, and ends in (.)",
        r"此句该押仄声韵，却以 \1 收尾",
    ),
    (r"the line has to rhyme, and ends in (.+)", r"此句该押韵，却以 \1 收尾"),
    (r"the rhyme character (.) comes twice", r"韵字 \1 出现两次"),
    (r"(.) does not rhyme with the lines before it", r"\1 与前面的句子不押韵"),
    (r"the reading of (.) is not known", r"不知“\1”的读音"),
    (
        r"must be a rhyme group of 平水韵 such as .*, not ['\"](.*)['\"]",
        r"须为平水韵的韵部，如 七阳；或一个字，如 花；“\1”都不是",
    ),
    (r"there are no Chinese characters in (?s:.*)", "其中没有汉字"),
    (r"must be at most (\d+) characters, got (\d+)", r"至多 \1 字，现有 \2 字"),
    (
        r"must be at most (\d+) where each poem is written in (\d+) ways, .*; got (\d+)",
        r"每首写 \2 遍时至多 \1，现在是 \3",
    ),
    (r"must be at most (\d+) here, got (\d+)", r"此处至多 \1，现在是 \2"),
    (r"the poem has (\d+) lines, and no line (\d+)", r"全诗 \1 句，没有第 \2 句"),
    (r"line (\d+) has (\d+) characters, and no character (\d+)", r"第 \1 句有 \2 字，没有第 \3 字"),
    (
        r"at most (\d+) characters, or one line, at a time, not (\d+)",
        r"一次至多换 \1 字，或一整句，不能换 \2 字",
    ),
    (r"must stand within (\d+) lines in a row", r"须在相连的 \1 句之内"),
    (
        r"name what to replace: spots .*",
        "请指明要换的字：spots 如 [[句, 字]]，或 line，或文中的 □",
    ),
    (
        r"nothing that keeps every rule was found here: what was tried breaks (.+)",
        r"此处没有合律而又未用过的字：试过的都犯\1",
    ),
    (
        r"nothing that keeps every rule was found here|no (unused )?character (keeps|fits).* here",
        "此处没有合律而又未用过的字",
    ),
]
PATTERNS = [(re.compile(english), chinese) for english, chinese in SENTENCES]
NAMES = {form.code: form.value for form in Form}
CODE = re.compile("|".join(NAMES))
OF_A_LINE = re.compile(r"line (\d+): (.+)")


def in_chinese(sentence: str) -> str:
    """Return a refusal in Chinese; as it is where there is none."""
    line = OF_A_LINE.fullmatch(sentence)
    place, reason = (f"第 {line[1]} 句：", line[2]) if line else ("", sentence)
    for pattern, chinese in PATTERNS:
        found = pattern.fullmatch(reason)
        if found:
            return place + CODE.sub(lambda code: NAMES[code[0]], found.expand(chinese))
    return sentence
