"""Poets by their other names, 字 and 号, in simplified script; the page has the same table."""

from collections.abc import Iterable

from model.verse.script import Script, to_script, unify

NAMES = {
    "李白": "太白 李太白 青莲 青莲居士 谪仙",
    "杜甫": "子美 杜子美 少陵 杜少陵 杜工部 老杜",
    "王维": "摩诘 王摩诘 右丞 王右丞",
    "孟浩然": "孟襄阳",
    "王昌龄": "少伯",
    "高适": "达夫 高常侍",
    "岑参": "岑嘉州",
    "韦应物": "韦苏州",
    "刘长卿": "文房 刘随州",
    "白居易": "乐天 白乐天 香山 香山居士 白香山",
    "元稹": "微之 元微之",
    "韩愈": "退之 韩退之 昌黎 韩昌黎 韩文公",
    "柳宗元": "子厚 柳子厚 柳柳州 柳河东",
    "刘禹锡": "梦得 刘梦得 刘宾客",
    "孟郊": "东野 孟东野",
    "贾岛": "浪仙 阆仙",
    "李贺": "长吉 李长吉 昌谷",
    "杜牧": "牧之 杜牧之 小杜 樊川 杜樊川",
    "李商隐": "义山 李义山 玉溪生",
    "温庭筠": "飞卿 温飞卿",
    "韦庄": "端己",
    "张籍": "文昌",
    "许浑": "用晦 许丁卯",
    "罗隐": "昭谏",
    "韩偓": "致尧 冬郎",
    "皮日休": "袭美 皮袭美",
    "陆龟蒙": "鲁望 陆鲁望 天随子",
    "司空图": "表圣",
    "陈子昂": "伯玉",
    "张九龄": "子寿 张曲江",
    "王勃": "子安",
    "贯休": "禅月大师",
    "林逋": "君复 和靖 林和靖",
    "范仲淹": "希文 范文正",
    "欧阳修": "永叔 欧阳永叔 醉翁 六一 六一居士",
    "梅尧臣": "圣俞 梅圣俞 宛陵",
    "苏舜钦": "沧浪翁",
    "邵雍": "尧夫 康节 邵康节",
    "司马光": "君实 涑水 司马温公",
    "王安石": "介甫 王介甫 半山 荆公 王荆公",
    "曾巩": "子固 南丰 曾南丰",
    "苏轼": "东坡 苏东坡 东坡居士 子瞻 苏子瞻",
    "苏辙": "子由 苏子由 颍滨",
    "黄庭坚": "鲁直 黄鲁直 山谷 黄山谷 山谷道人 涪翁",
    "秦观": "少游 秦少游 淮海",
    "张耒": "文潜 张文潜 宛丘",
    "晁补之": "无咎 晁无咎",
    "陈师道": "无己 陈无己 履常 后山 陈后山",
    "米芾": "元章 米元章 米南宫 海岳外史",
    "陈与义": "去非 陈去非 简斋 陈简斋",
    "晏殊": "同叔 晏元献",
    "陆游": "务观 陆务观 放翁 陆放翁",
    "杨万里": "廷秀 诚斋 杨诚斋",
    "范成大": "致能 石湖 范石湖 石湖居士",
    "朱熹": "元晦 晦庵 晦翁 朱子 紫阳",
    "张孝祥": "安国 于湖",
    "辛弃疾": "幼安 辛幼安 稼轩 辛稼轩",
    "姜夔": "尧章 白石 姜白石 白石道人",
    "刘克庄": "潜夫 后村 刘后村",
    "戴复古": "式之 石屏 戴石屏",
    "严羽": "仪卿 沧浪 沧浪逋客",
    "文天祥": "宋瑞 履善 文山 文文山",
    "汪元量": "大有 水云",
}


class PoetNames:
    """Finds poets by any of their names, in either script.

    Args:
        authors: Those that the model knows, by their own names.
    """

    def __init__(self, authors: Iterable[str]) -> None:
        self._own = {in_simplified(author): author for author in reversed([*authors])}
        self._others = {
            alias: self._own[name]
            for name, aliases in NAMES.items()
            if name in self._own
            for alias in aliases.split()
        }

    def own_name(self, name: str) -> str:
        """Return a poet's own name; a name that is nobody's as it is."""
        plain = in_simplified(name)
        return self._own.get(plain) or self._others.get(plain) or name


def in_simplified(name: str) -> str:
    """Return a name as it is compared: 高适 is 高適."""
    return to_script(unify(name), Script.SIMPLIFIED)
