"""What becomes of modern things as themes: the words they are read as, and the poems on them.

A hundred nouns that no poet of Tang and Song had a word for, or had it for something else.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from model.poet.poem import Poem, PoemSpec
from model.poet.poet import Poet
from model.poet.theme import NoThemeFits
from model.sampling import SamplingParams
from model.verse.form import Form
from model.verse.script import Script
from training.evaluation.poems import TEMPERATURE

_NOUNS = """
咖啡 机器人 手机 电脑 电影 火车 飞机 汽车 地铁 自行车
冰箱 空调 电视 照相机 照片 耳机 键盘 互联网 人工智能 卫星
火箭 宇航员 望远镜 显微镜 博物馆 图书馆 大学 考试 毕业 护士
医院 疫苗 口罩 超市 外卖 快递 披萨 面包 蛋糕 巧克力
冰淇淋 啤酒 牛奶 可乐 香烟 足球 篮球 游泳 滑雪 马拉松
瑜伽 钢琴 吉他 小提琴 交响乐 芭蕾 电梯 摩天大楼 红绿灯 高速公路
停车场 机场 加油站 隧道 霓虹灯 路灯 雨伞 眼镜 手表 沙发
窗帘 洗衣机 微波炉 牙刷 玫瑰 向日葵 郁金香 仙人掌 恐龙 企鹅
长颈鹿 海豚 宠物 股票 信用卡 银行 工资 加班 办公室 会议
护照 签证 旅行 沙滩 冲浪 外婆 童年 初恋 失眠 离婚
"""
NOUNS = tuple(_NOUNS.split())


@dataclass(frozen=True)
class ThemeOut:
    """What became of one noun.

    Args:
        noun: As it was asked for.
        keywords: What it was read as, in the model's script; none if nothing stands for it.
        poem: What was written; None if nothing was.
    """

    noun: str
    keywords: tuple[str, ...]
    poem: Poem | None


def write_themes(
    poet: Poet, guidance: float, candidates: int, nouns: Sequence[str] = NOUNS
) -> list[ThemeOut]:
    """Write a quatrain on each noun, with the seeds 0, 1, 2 and so on."""
    drafts = dict[int, PoemSpec]()
    for number, noun in enumerate(nouns):
        spec = PoemSpec(
            form=Form.QIJUE,
            theme=noun,
            guidance=guidance,
            candidates=candidates,
            params=SamplingParams(temperature=TEMPERATURE, seed=number),
            script=Script.TRADITIONAL,
        )
        try:
            poet.prepare(spec)
        except NoThemeFits:
            continue
        drafts[number] = spec
    poems = dict(zip(drafts, poet.write([*drafts.values()]), strict=True))
    return [_become(noun, poems.get(number)) for number, noun in enumerate(nouns)]


def _become(noun: str, poem: Poem | None) -> ThemeOut:
    words = () if poem is None else tuple(keyword.word for keyword in poem.keywords)
    return ThemeOut(noun, words, poem)
