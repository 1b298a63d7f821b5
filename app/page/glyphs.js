/* Names in the page's script: poets, rhyme groups, patterns; the poems themselves the service converts. */

const TRADITIONAL = "俠倫傑儀億儉儔儲刪則剛劉務勝勳協參吳呂員問喬嘯嚴國圓圖堅堯壽夢孃孫學宮寢實寧寶對島嶠嶽巖巘師幹幾廣張強彌彥後徑復慶應懷摯擇擴於時晉暉曇東棄楊極樂樓樞權欽歐沖況淨淵渾湋準溫滄潁潛澗濟濱無獻璣畢疇發盧礪禡禪禮積箇節範篠簡約純紙紳紹結絳維綱綸緝績繼羅羣義翬聖聞職肅腫與興芻荊莊華萬葉蓮蔣蕭薺藥蘇蘊處號蠙衛補襲覯覺覿觀許詠詩詰詳語誠說諫諶謂謙講謝謫豐豔貫賀賄賈賓質趙軒軫軾輿轍連遊過達遜遠遡適遼邁鄒鄧鄭鄰鄴釋鈞鉉銍銑錢錫鎡鎮鐩鑄鑰長開閬閱陳陸陽隊隨隱雲霽靜鞏韋韓韻頃項頌頎頤頻顏願顧顯飛養餘饒馬馮駒駱騰驤體魚魯鮑鳳鶴鸞鹽黃齊齋齡龍龐龜浄藴閲隠顔";
const SIMPLIFIED = "侠伦杰仪亿俭俦储删则刚刘务胜勋协参吴吕员问乔啸严国圆图坚尧寿梦娘孙学宫寝实宁宝对岛峤岳岩𪩘师干几广张强弥彦后径复庆应怀挚择扩于时晋晖昙东弃杨极乐楼枢权钦欧冲况净渊浑𣲗准温沧颍潜涧济滨无献玑毕畴发卢砺祃禅礼积个节范筿简约纯纸绅绍结绛维纲纶缉绩继罗群义翚圣闻职肃肿与兴刍荆庄华万叶莲蒋萧荠药苏蕴处号𧏖卫补袭觏觉觌观许咏诗诘详语诚说谏谌谓谦讲谢谪丰艳贯贺贿贾宾质赵轩轸轼舆辙连游过达逊远溯适辽迈邹邓郑邻邺释钧铉铚铣钱锡镃镇𬭼铸钥长开阆阅陈陆阳队随隐云霁静巩韦韩韵顷项颂颀颐频颜愿顾显飞养余饶马冯驹骆腾骧体鱼鲁鲍凤鹤鸾盐黄齐斋龄龙庞龟净蕴阅隐颜";
/* In names these are not simplified: 范仲淹, 陸游. */
const KEPT = "干范杰适岳游于余丰";

const simple = new Map(), full = new Map([..."黄浄藴閲隠顔羣"].map((glyph, i) => [glyph, "黃淨蘊閱隱顏群"[i]]));
[...TRADITIONAL].forEach((glyph, i) => {
  const other = [...SIMPLIFIED][i];
  simple.set(glyph, other);
  if (!full.has(other) && !KEPT.includes(other)) full.set(other, full.get(glyph) || glyph);
});

/* A name, or a sentence with names, in a script. */
export function inScript(text, script) {
  const forms = script === "traditional" ? full : simple;
  return [...text].map((glyph) => forms.get(glyph) || glyph).join("");
}
