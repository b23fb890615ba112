"""A corpus of hostile texts: what people put into messages, names, titles, file names and links to break a page."""

from __future__ import annotations

TAGS = ("script", "iframe", "object", "embed", "style", "link", "base", "meta", "form", "template", "math", "noscript")
HANDLERS = ("onerror", "onload", "onclick", "onmouseover", "onfocus", "onanimationstart", "ontoggle", "onpointerenter")
CARRIERS = ("img src=x", "svg", "body", "input autofocus", "details open", "video src=x", "marquee", "a href=#")
SCHEMES = (
    "javascript",
    "JaVaScRiPt",
    "java\tscript",
    "java\nscript",
    " javascript",
    "vbscript",
    "data",
    "file",
    "blob",
    "view-source",
)
ELSEWHERE = (
    "<img src=//elsewhere.example/pixel.png>",
    "<link rel=stylesheet href=https://elsewhere.example/a.css>",
    "<style>@import 'https://elsewhere.example/a.css';</style>",
    '<div style="background: url(https://elsewhere.example/a.png)">x</div>',
    "<video poster=https://elsewhere.example/p.png></video>",
    "<svg><image href='https://elsewhere.example/i.png'/></svg>",
    "![x](https://elsewhere.example/pixel.png)",
)
STYLES = (
    "<style>* { display: none !important }</style>",
    "<p style='position:fixed;inset:0;z-index:9999;background:red'>covered</p>",
    "}</style><script>window.hit=1</script>",
    "*{color:transparent}",
    "--tcf-paper: red; background: url(x)",
)
BREAKOUTS = (
    '"><script>window.hit=1</script>',
    "'><script>window.hit=1</script>",
    "</textarea><script>window.hit=1</script>",
    "</title><script>window.hit=1</script>",
    "--><script>window.hit=1</script>",
    "]]><script>window.hit=1</script>",
    "`${window.hit=1}`",
    "${window.hit=1}",
    "{{constructor.constructor('window.hit=1')()}}",
    "{%import os%}{{os.system('id')}}",
    "<%= window.hit = 1 %>",
    "__proto__",
    "constructor",
    "toString",
    "\\u003cscript\\u003ewindow.hit=1\\u003c/script\\u003e",
    "&lt;script&gt;window.hit=1&lt;/script&gt;",
    "%3Cscript%3Ewindow.hit%3D1%3C/script%3E",
    "<scr<script>ipt>window.hit=1</script>",
    "<ScRiPt>window.hit=1</sCrIpT>",
    "<script\x00>window.hit=1</script>",
    "<script/src=data:,window.hit=1>",
    "<svg><script>window.hit=1</script></svg>",
    "<svg><animate onbegin=window.hit=1 attributeName=x dur=1s>",
    "<math><mtext><table><mglyph><style><img src=x onerror=window.hit=1>",
    '<noscript><p title="</noscript><img src=x onerror=window.hit=1>">',
    '<a href="javascript&colon;window.hit=1">x</a>',
    '<a href="&#106;avascript:window.hit=1">x</a>',
    "[x](javascript:window.hit=1)",
    "<x onclick=window.hit=1>click</x>",
    "<?xml-stylesheet href='javascript:window.hit=1'?>",
    "<!--[if gte IE 4]><script>window.hit=1</script><![endif]-->",
    "<template><script>window.hit=1</script></template>",
    "<slot onslotchange=window.hit=1>",
)
DIRECTIONS = (
    "\u202egnp.exe",
    "invoice\u202efdp.exe",
    "\u2066\u2067\u2068 never closed",
    "\u200f\u200e\u061c mixed \u05d0\u05d1\u05d2 123",
    "مرحبا بالعالم 123 hello",
    "\u202a\u202a\u202a\u202a deep",
    "שלום \u202d over",
)
INVISIBLE = (
    "\u200b" * 500,
    "\u2060\ufeff\u00ad",
    "a\u0300" * 300,
    "Z̷̧̢̛͎̠̭̯̤̀̂a̶̢̡̺̪l̵̛̮̩g̵̰̑o̴̟͂" * 40,
    "\u3164",
    "\u115f\u1160",
    "\ufff9\ufffa\ufffb",
    "\ue000\uf8ff",
    "\U000e0041\U000e0042",
    "👨‍👩‍👧‍👦" * 200,
    "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
)
ADDRESSES = (
    "see https://elsewhere.example/\u202egnp.exe",
    "https://elsewhere.example\\@video.example.com/",
    "https://video.example.com@elsewhere.example/",
    "https://ex\u200bample.com/\u2066hidden\u2069",
    "https://elsewhere.example/'onmouseover='window.hit=1",
    'https://elsewhere.example/"onmouseover="window.hit=1',
    "https://elsewhere.example/<script>window.hit=1</script>",
    "javascript://https://elsewhere.example/%0Awindow.hit=1",
    "javascript:https://elsewhere.example/;window.hit=1",
    "https://javascript:window.hit=1",
    "https://" + ")" * 3000,
    "https://x" + "(" * 2000 + ")." * 900,
    "https://a.b " * 340,
)
GIANTS = (
    "x" * 4096,
    "слово " * 700,
    "\n" * 2000,
    "﷽" * 400,
    "<b>" * 1000 + "x",
    "[" * 2000,
    "*" * 4000,
    "https://elsewhere.example/" + "a" * 3900,
    " " * 4000 + "x",
    "\t" * 3000,
)
BROKEN = (
    "\ud800",
    "half \udc00 pair",
    "\ufffe\uffff",
    "\x00\x01\x02\x1b[31m",
    "\r\n\r\n",
    "\u2028\u2029",
    "\x7f\x80\x9f",
)


def corpus() -> list[str]:
    """Return all of it, without repetitions."""
    texts = [f"<{tag}>window.hit=1</{tag}>" for tag in TAGS]
    texts += [f"<{tag} src=https://elsewhere.example/x href=https://elsewhere.example/x>" for tag in TAGS]
    texts += [f"<{carrier} {handler}=window.hit=1>" for carrier in CARRIERS for handler in HANDLERS]
    texts += [f"{scheme}:window.hit=1//text/html,<script>window.hit=1</script>" for scheme in SCHEMES]
    for more in (ELSEWHERE, STYLES, BREAKOUTS, DIRECTIONS, INVISIBLE, ADDRESSES, GIANTS, BROKEN):
        texts += more
    return list(dict.fromkeys(texts))
