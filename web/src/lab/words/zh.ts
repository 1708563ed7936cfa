// The lab in Chinese.
import type { Words } from "./en.ts";

const n = (value: number) => value.toLocaleString("zh-CN");

export const zh: Words = {
  rows: {
    poll: {
      name: "轮询",
      short: "轮询",
      text: "每两秒问一次，服务器立刻回答，多数时候什么也没有。任何网络都能通过，但消息平均要晚半个间隔。每次提问都带着游标，所以回答丢在半路，下次再给一遍就是了。",
    },
    longpoll: {
      name: "长轮询",
      short: "长轮询",
      text: "服务器把请求留住，有话说才回答，最多 25 秒。消息马上就到，代价是每一批消息一次请求。Wigeon 在任何环境都先用它，再去尝试更好的方式。",
    },
    xhr: {
      name: "XHR 流",
      short: "XHR 流",
      text: "一个不结束的响应，每行一个 JSON 对象，边增长边读取（readyState 3）。老浏览器会藏起最前面的 2 KiB，所以响应先填充这么多空格；浏览器会保留全部文本，所以它到 128 KiB 自行结束，客户端库带着游标回来接着读。",
    },
    iframe: {
      name: "iframe 流",
      short: "iframe",
      text: "“永远加载的框架”：一个隐藏的、永不加载完的文档，每条消息是一小段 script，调用本页的函数。消息经过转义，里面的“</script>”结束不了这段脚本。连接断开时这里不会触发任何事件，只有心跳停了才知道。",
    },
    htmlfile: {
      name: "htmlfile 流",
      short: "htmlfile",
      text: "同样的框架，放进 ActiveXObject(\"htmlfile\") 这个内存文档里：IE 就不会发出点击声，也不会一直转圈。今天的浏览器都没有它，所以这里是客户端库的旧版构建加一个替身：遵守同样规则的隐藏框架文档。",
    },
    sse: {
      name: "服务器推送事件",
      short: "SSE",
      text: "EventSource 正是为此而生：一个文本事件流，每个事件有自己的 id。这里 id 就是游标，所以裸的 EventSource 也能自动续传。客户端库仍然自己重连，因为内置的重连遇到第一个 503 就放弃了。",
    },
    cors: {
      name: "CORS",
      short: "CORS",
      text: "别的网站的页面会这样发请求：不加自定义头（每个都要多一次预检），地址里带短期票据而不是令牌，上行用 text/plain。服务器对名单里的来源逐个点名回应，从不用 *。本页的安全策略不许它访问别的来源，所以同样的请求在这里发往本页自己的来源；预检请看 curl 那一行。",
    },
    xdr: {
      name: "XDomainRequest",
      short: "XDR",
      text: "IE 8 和 9 的跨域方式：只有 GET 和 POST，没有请求头、没有 cookie、没有状态码，流的前 2 KiB 看不到。旧版构建用它承载按行的流。这里的对象是用 fetch 做的替身，严格执行这些规则。",
    },
    jsonp: {
      name: "JSONP",
      short: "JSONP",
      text: "script 标签可以从任何地方加载：回答就是一段调用我们函数的脚本。它没有状态码，不到结束什么也看不见，所以像长轮询那样被留住。服务器要求票据、认识的来源页面和无害的函数名。命令也用同样的办法上行。",
    },
    websocket: {
      name: "WebSocket",
      short: "WebSocket",
      text: "一条连接，双向收发，每条消息只多几个字节：前面各种办法都在模仿它。令牌在第一帧里，不在地址里。如果代理拒绝升级，脚本只能知道 1006，Wigeon 就从同一个游标改用上面的方式继续读。",
    },
  },
  lamps: {
    off: "已关闭",
    turn: "等待轮到",
    connecting: "连接中",
    online: "在线",
    waiting: "即将重试",
    offline: "网络已切断",
    closed: "被拒绝",
    absent: "此浏览器没有",
  },
  causes: {
    ended: "响应已满",
    held_back: "半路被扣住",
    timeout: "迟迟没有内容",
    dropped: "网络切断",
    refused: "被拒绝",
    network: "连接丢失",
  },
  number: n,
  page: "传输实验台",
  title: "消息到达网页的所有方式",
  intro: "十种传输方式并排读取同一台服务器的同一份日志，顺序与那篇广为流传的中文入门文章一致。每一种都在你的浏览器里现场测量。发一条消息，看它到达十次。",
  document: "原文：Web 端即时通讯技术原理详解",
  chat: "聊天",
  language: "语言",
  theme: "外观",
  themes: { system: "跟随系统", light: "浅色", dark: "深色" },
  chapters: { 3: "全双工、低延迟的解决办法", 4: "跨域解决办法", 5: "WebSocket" },

  opening: "正在打开实验台……",
  failed: "实验台没能打开：",
  again: "再试一次",
  tokenTitle: "这台服务器不接受访客",
  tokenText: "请粘贴访问令牌；服务器的管理者可以这样生成：",
  token: "访问令牌",
  tokenRefused: "服务器不接受这个令牌。",
  tokenGo: "打开实验台",

  sent: "已发送",
  arrived: "到达",
  missing: "缺失",
  twice: "丢弃的重复",
  damaged: "途中改变",
  verdictGood: (count: number) => `${n(count)} 种方式：一条不丢，一条不重，一字不改。`,
  verdictBad: "有消息缺失。请告诉我们：这本不应该发生。",
  verdictWaiting: "等待第一批消息……",

  controls: "控制",
  pace: "发送",
  paces: { 0: "暂停", 1: "1 条/秒", 10: "10 条/秒", 100: "100 条/秒" },
  send: "发一条",
  fastFor: (s: number) => `${s} 秒后回到 1 条/秒：每条消息都会留在服务器的日志里。`,
  size: "正文",
  bytes: (value: number) => (value < 1024 ? `${value} B` : `${value / 1024} KiB`),
  hostile: "恶意文本",
  hostileHint: "</script>、U+2028、换行、NUL、引号、表情：每条消息都与发送时逐字比较。",
  drop: "切断网络 10 秒",
  dropped: (s: number) => `已切断：${s} 秒后恢复`,
  delay: "延迟",
  delays: { 0: "无", 200: "200 毫秒", 1000: "1 秒" },
  proxy: "缓冲代理",
  proxyHint: "本页的一层代码把下行内容扣住，直到凑满 4 KiB 或响应结束，就像默认配置的代理那样。",
  standins: "老 IE 的替身",
  networkNote: "延迟和代理都是本页自己做的，套在它的 fetch、XMLHttpRequest、EventSource 和 WebSocket 外面（WebSocket 只加延迟：一旦建立，代理就会放行）。框架和 script 标签自行加载，不经过这一层：iframe、htmlfile、JSONP。",
  proxyNote: "代理已打开。请看那些流：连接打开了，却什么也没来。客户端库发现首行之后的心跳没有到达，就判定它“半路被扣住”。若由它自己选择，它会改用长轮询，因为那种回答会结束；这里每一种都被固定住，只好重试，但仍然一条不丢。",
  refused: "服务器拒绝了一条消息：",

  timeline: "最近 30 秒",
  timelineText: "轮询像一把梳子，流是一根长条。虚线的灯在等待轮到它。",
  legendRequest: "打开的请求",
  legendPrompt: "消息",
  legendLate: "晚于 1 秒",
  timelineAria: "每种传输方式最近 30 秒内打开的请求和到达的消息。数字在下面的面板里。",
  now: "现在",
  seconds: (s: number) => `${s} 秒前`,

  latency: "延迟",
  latencyAria: "最近消息的延迟，对数刻度",
  noSamples: "还没有测量",
  messages: "消息",
  caughtUp: (count: number) => `${n(count)} 条是补读的`,
  gaps: "缺失",
  duplicates: "丢弃的重复",
  requests: "请求",
  perMessage: (value: string) => `每条消息 ${value}`,
  down: "下行",
  up: "上行",
  event: "事件本身",
  overhead: "外面包的",
  aMessage: "每条消息",
  reconnects: "重连",
  wire: "线路上的内容",
  wireHold: "指针停在这里可以细读",
  wireNothing: "还没有内容。",
  curl: "在终端里",
  curlHint: "复制的命令带有本标签页的令牌。",
  copy: "复制",
  copied: "已复制",
  running: (name: string) => `运行${name}`,
  retryIn: (s: number) => `${s} 秒后重试`,
  passesBy: "不经过代理：自行加载",
  standin: "替身",
  rehearsal: "本来源",

  aboutTitle: "需要知道的事",
  about: [
    {
      title: "六条连接",
      text: (protocol: string, limited: boolean) =>
        limited
          ? `本页经 ${protocol} 到达：这时浏览器对一台主机最多打开六条连接，所有标签页合计（WebSocket 另算）。十种方式里有八种各占一条。所以同时运行四种，每隔几秒轮换；留两条给轮询和发送。等待者保留自己的游标，轮到时补上：请看“缺失”始终是 0。`
          : `本页经 ${protocol} 到达，一条连接可以承载任意多个请求，或者打开的方式足够少：谁也不用等。`,
    },
    {
      title: "测量了什么",
      text: () =>
        "延迟是从本页调用 send 开始，经它自己的 WebSocket 上行，写入服务器磁盘，再下行到处理函数的时间。文本按客户端库收发的字节计算；HTTP 在外面加的部分脚本看不到，只能估计（不含 TCP 和 TLS）。“外面包的”是以上全部（包括确认）减去事件本身。",
    },
    {
      title: "Wigeon 会选哪一种",
      text: () =>
        "由它自己选择时，客户端库先用立刻可用的长轮询，同时尝试 WebSocket 和一种流。哪一种证明了小块内容能随发随到，就从同一个游标接手，看不出切换。它一旦没有动静，就退回来，过后再试。",
    },
    {
      title: "为什么一条不丢",
      text: () =>
        "每条消息在同一份日志里有自己的位置；客户端用任何方式问的都是“我的游标之后有什么”。重复到达的消息游标已经过去，直接丢弃。全部诀窍就在于此，所以这里的线你可以随便拔。",
    },
  ],
};
