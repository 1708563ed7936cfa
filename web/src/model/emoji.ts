// The emoji that one finds by a word, in English or Chinese. Not all there are: those that people use; every
// keyboard has the rest.

const TABLE = `
😀 grin smile 笑|😂 joy laugh 笑哭|🤣 rofl laugh 笑翻|😊 blush happy 开心|🙂 slight_smile 微笑|😉 wink 眨眼|😍 heart_eyes love 喜欢|😘 kiss 亲亲
😎 cool sunglasses 酷|🤔 thinking hmm 思考|😐 neutral 无语|🙄 eye_roll 白眼|😏 smirk 得意|😴 sleep tired 睡觉|😅 sweat_smile 尴尬|😭 sob cry 大哭
😢 cry sad 哭|😡 angry rage 生气|😱 scream 惊恐|😳 flushed 脸红|🥳 party 庆祝|🤯 mind_blown 震惊|🥺 pleading 可怜|😇 angel innocent 天使
🤗 hug 抱抱|🤫 shush quiet 嘘|🤐 zip 闭嘴|🤒 sick 生病|🥶 cold freezing 冷|🥵 hot 热|🤮 vomit 吐|😬 grimace 紧张
👍 thumbs_up yes +1 赞|👎 thumbs_down no -1 踩|👌 ok 好的|✌️ victory peace 耶|🤞 fingers_crossed luck 祝好运|🤝 handshake deal 握手|👏 clap 鼓掌|🙏 pray thanks please 谢谢
🙌 raised_hands hooray 万岁|💪 muscle strong 加油|👋 wave hello bye 再见|👉 point_right 右|👈 point_left 左|👆 point_up 上|👇 point_down 下|✋ hand stop 停
👀 eyes look 看|🧠 brain 大脑|🤷 shrug 耸肩|🤦 facepalm 捂脸|🙋 raise_hand 举手|🙇 bow 鞠躬|🏃 run 跑|💃 dance 跳舞
❤️ heart love 爱心|🧡 orange_heart 橙心|💛 yellow_heart 黄心|💚 green_heart 绿心|💙 blue_heart 蓝心|💜 purple_heart 紫心|🖤 black_heart 黑心|💔 broken_heart 心碎
🔥 fire hot 火|✨ sparkles 闪亮|⭐ star 星|🌟 glow 发光|💯 hundred 满分|💥 boom 爆炸|💡 idea bulb 主意|💤 zzz 困
🎉 tada party 恭喜|🎊 confetti 撒花|🎂 birthday cake 生日|🎁 gift present 礼物|🏆 trophy 奖杯|🥇 first gold 第一|🎯 target dart 目标|🎵 music note 音乐
✅ check done 完成|❌ cross no 错|❓ question 问号|❗ exclamation 感叹|⚠️ warning 警告|🚫 forbidden 禁止|➕ plus 加|🆗 okay 行
☕ coffee 咖啡|🍵 tea 茶|🍺 beer 啤酒|🍻 cheers 干杯|🍷 wine 红酒|🍕 pizza 披萨|🍜 noodles 面条|🍚 rice 米饭
🍎 apple 苹果|🍉 watermelon 西瓜|🍓 strawberry 草莓|🍞 bread 面包|🧀 cheese 奶酪|🍫 chocolate 巧克力|🍿 popcorn 爆米花|🥟 dumpling 饺子
🦆 duck wigeon 鸭子|🐦 bird 鸟|🐶 dog 狗|🐱 cat 猫|🐼 panda 熊猫|🦊 fox 狐狸|🐰 rabbit 兔子|🐟 fish 鱼
🐢 turtle slow 乌龟|🐛 bug 虫子|🦋 butterfly 蝴蝶|🌸 blossom flower 花|🌹 rose 玫瑰|🌳 tree 树|🍀 clover luck 幸运|🌈 rainbow 彩虹
☀️ sun 太阳|🌙 moon 月亮|☁️ cloud 云|🌧️ rain 下雨|❄️ snow 雪|⚡ lightning fast 闪电|🌊 water 海浪|🌍 earth world 地球
🚀 rocket launch 火箭|🚗 car 汽车|🚲 bicycle 自行车|✈️ plane 飞机|🚆 train 火车|🏠 house home 家|🏖️ beach 海滩|⛰️ mountain 山
💻 laptop computer 电脑|📱 phone 手机|📷 camera 相机|📌 pin 图钉|📎 paperclip 回形针|📅 calendar 日历|📈 chart_up 上涨|📉 chart_down 下跌
📝 memo note 笔记|📚 books 书|✏️ pencil 铅笔|🔍 search 搜索|🔗 link 链接|🔒 lock 锁|🔑 key 钥匙|🛠️ tools fix 工具
💰 money 钱|💸 spend 花钱|🧧 red_packet 红包|⏰ alarm clock 闹钟|⏳ hourglass wait 等待|📢 announce 公告|🔔 bell 铃|🆕 new 新
`;

export interface Emoji {
  emoji: string;
  words: string[];
}

export const EMOJI: readonly Emoji[] = TABLE.trim()
  .split(/[|\n]/)
  .map((entry) => {
    const [emoji = "", ...words] = entry.split(" ");
    return { emoji, words };
  });
