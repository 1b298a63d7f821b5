/* Names in the page's script: poets, rhyme groups, patterns; the poems themselves the service converts. */

const TRADITIONAL = "俠倫傑儀億儉儔儲刪則剛劉勝勳協參吳呂員問喬嘯嚴圓圖堅堯壽夢孃孫學寢寧寶島嶠嶽巖師幹幾廣張強彌彥徑復慶應懷摯擇擴時晉暉曇東棄楊極樂樓樞權欽歐沖況淵渾準溫潛澗濟無璣畢疇發盧礪禡禮積箇節範篠簡約純紙紳紹結絳維綱綸緝績繼羅羣義翬聞職肅腫與興芻莊華萬葉蔣蕭薺藥蘇蘊處號衛補覯覺覿觀許詠詩詳語說諫諶謂謙講謝豔貫賀賄賈賓質趙軫軾輿轍連過遜遠遡適遼邁鄒鄧鄭鄰鄴釋鈞鉉銍銑錢錫鎡鎮鑄鑰長開閱陳陸陽隊隱雲霽靜鞏韋韓頃項頌頎頤頻顏願顧顯養餘饒馬馮駒駱騰驤體魚鮑鳳鶴鸞鹽黃齊齡龍龐龜浄藴閲隠顔偁凈寘棐泝珪祐著";
const SIMPLIFIED = "侠伦杰仪亿俭俦储删则刚刘胜勋协参吴吕员问乔啸严圆图坚尧寿梦娘孙学寝宁宝岛峤岳岩师干几广张强弥彦径复庆应怀挚择扩时晋晖昙东弃杨极乐楼枢权钦欧冲况渊浑准温潜涧济无玑毕畴发卢砺祃礼积个节范筱简约纯纸绅绍结绛维纲纶缉绩继罗群义翚闻职肃肿与兴刍庄华万叶蒋萧荠药苏蕴处号卫补觏觉觌观许咏诗详语说谏谌谓谦讲谢艳贯贺贿贾宾质赵轸轼舆辙连过逊远溯适辽迈邹邓郑邻邺释钧铉铚铣钱锡镃镇铸钥长开阅陈陆阳队隐云霁静巩韦韩顷项颂颀颐频颜愿顾显养余饶马冯驹骆腾骧体鱼鲍凤鹤鸾盐黄齐龄龙庞龟净蕴阅隐颜称净置榧溯圭佑着";
/* In names these are not simplified: 范仲淹, 陸游. */
const KEPT = "干范杰适岳游于余丰群圭";

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
