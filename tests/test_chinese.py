import re

import pytest

from app.chinese import in_chinese
from app.errors import UnacceptableRequest
from app.language import Language
from app.schemas import GenerateRequest
from app.service import Service
from app.settings import Settings


@pytest.fixture(scope="module")
def service(service_settings: Settings) -> Service:
    return Service.load(service_settings, measured=False)


@pytest.mark.parametrize(
    ("fields", "chinese"),
    [
        ({"start": "龘"}, "它不认识“龘”字"),
        ({"author": "莎士比亞"}, "它没学过“莎士比亞”.*"),
        ({"start": "日" * 8}, "第 1 句：一行有 7 字，现在是 8 字"),
        ({"form": "jueju-7", "length": 40}, "七绝 有 28 字，不是 40 字：.*改用 五律"),
        ({"form": "浣溪沙", "length": 41}, "浣溪沙 有 42 字，不是 41 字"),
        ({"form": "gushi-7", "length": 12}, "7 言一联至少要 14 字，现在是 12 字"),
        ({"meter": "strict", "length": 60}, "格律诗四句或八句，每句五字或七字，不是 .*"),
        ({"acrostic": "春夏秋", "form": "五绝"}, "这个体裁藏头要 2 字.*现在是 3 字"),
        ({"acrostic": "春夏秋", "form": "huanxisha"}, "这个词牌藏头要 .*现在是 3 字"),
        ({"acrostic": "春夏", "start": "月"}, "第 1 句：第 1 字.*：start 与 acrostic 要一致"),
        ({"opening": ["日紅山夜湖"] * 4, "form": "五绝"}, "全诗 4 句，已给的 4 句.*至多给 3 句.*"),
        ({"pattern": "仄起", "meter": "rhyme"}, "只有 strict 的诗有平仄格式，这首是 rhyme"),
        ({"theme": "xyzzy"}, "其中没有诗里相近的词：xyzzy；换些词"),
        ({"rhyme": "七阳", "meter": "free"}, "free 的诗不押韵"),
        ({"n": 2, "temperature": 0, "meter": "free"}, "这样的要求写不出 2 首不同的诗.*"),
    ],
)
def test_what_cannot_be_met_is_said_in_chinese_too(
    service: Service, fields: dict[str, object], chinese: str
) -> None:
    with pytest.raises(UnacceptableRequest) as refusal:
        service.write(GenerateRequest.model_validate(fields))
    (english,) = refusal.value.said(Language.ENGLISH)
    (error,) = refusal.value.said(Language.CHINESE)
    assert re.fullmatch(chinese, error["msg"])
    assert (error["loc"], error["type"]) == (english["loc"], english["type"])
    assert english["msg"] == refusal.value.message


def test_a_sentence_that_is_not_known_stays_as_it_is() -> None:
    assert in_chinese("line 2: the moon is full") == "line 2: the moon is full"
