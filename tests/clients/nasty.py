"""About five hundred strings that break programs, by what they try. Harmless to whoever only shows them as text."""

import random

# Names that no page of ours has: where one of them becomes an element or an attribute, something was not escaped.
MARK = "nasty"
CONTROLS = [f"a{chr(code)}b" for code in (*range(1, 32), *range(0x7F, 0xA0), 0x2028, 0x2029)]
HTML = [
    "<nasty>", "</nasty>", "<nasty", "<!-- nasty", "--><nasty>", "]]><nasty>", "<?nasty?>", "<![CDATA[<nasty>]]>",
    "&lt;nasty&gt;", "&amp;lt;", "&", "&&", "&nbsp;", "&#60;nasty&#62;", "&#x3C;nasty&#x3E;", "<", ">", "<>", "< nasty >",
    "<nasty/>", "<NASTY>", "<n\tasty>", "<script>nasty()</script>", "</script><nasty>",
    "<script src=//nasty.example></script>", "<img src=x onerror=nasty()>", "<svg/onload=nasty()>",
    "<svg><script>nasty()</script></svg>", "<body onload=nasty()>", "<iframe src=javascript:nasty()>", '"><nasty>',
    "'><nasty>", '" onmouseover="nasty()', "' onmouseover='nasty()", "` onmouseover=nasty()",
    'x" autofocus onfocus="nasty()', "javascript:nasty()", "JaVaScRiPt:nasty()", "data:text/html,<nasty>",
    "vbscript:nasty()", "<a href=javascript:nasty()>x</a>", "<style>@import 'nasty'</style>",
    "<link rel=stylesheet href=//nasty>", "<meta http-equiv=refresh content=0>", "<base href=//nasty>",
    "<form action=//nasty><nasty>", "<input onfocus=nasty() autofocus>", "<details open ontoggle=nasty()>",
    "<math><nasty></math>", "<template><nasty></template>", "<noscript><nasty></noscript>", "<textarea><nasty>",
    "</textarea><nasty>", "</title><nasty>", "</option><nasty>", "</td><nasty>", "<plaintext>", "<xmp><nasty>",
    "\\x3cnasty\\x3e", "\\u003cnasty\\u003e", "%3Cnasty%3E", "+ADw-nasty+AD4-", "<nasty hx-get=/ hx-trigger=load>",
    '" hx-get="/clients/" hx-trigger="load', "<div data-modal nasty>", "<nasty x-data>",
]  # fmt: skip
TEMPLATES = [
    "{{ 7*7 }}", "{{ nasty }}", "{{ request.user.password }}", "{{ settings.SECRET_KEY }}", "{% load nasty %}",
    "{% debug %}", "{% include 'nasty' %}", "{# nasty #}", "{% comment %}", "{%", "%}", "{{", "}}", "${7*7}", "#{7*7}",
    "<%= 7*7 %>", "{0}", "{}", "{nasty}", "{first_name}", "{salon}", "{first_name.__class__}", "%s", "%d", "%(name)s",
    "%(nasty)s", "%", "%%", "100 %", "%n%n%n", "$nasty", "`id`", "$(id)", "\\1", "\\g<0>", "\\", "\\\\", "\\n", "C:\\nul",
]  # fmt: skip
FORMULAS = [
    "=1+1", "=cmd|' /C calc'!A0", '=HYPERLINK("http://nasty.example","x")', "+1+1", "-1+1", "@SUM(1)", "=", "==", "+",
    "-", "@", "\t=1+1", "|=1", ";=1", "=WEBSERVICE(1)", "=DDE(1)", "＝1+1", "＋1", "'=1", "'", "''", "\"=1\"", "0123",
    "007", "1e5", "1E400", "12/3", "1-2", "3.0", "1,5", "TRUE", "WAHR", "#N/A", "#REF!", "_x0041_", "_x000D_",
    "_x005F_x0041_", "_xnasty_", "NaN", "Infinity", "-0", "null", "None", "undefined", "nil", "0612345678",
    "+33612345678", "2026-02-30", "00:00", "1900-01-00",
]  # fmt: skip
SQL = [
    "' OR '1'='1", "'; DROP TABLE clients_client; --", '" OR ""="', "1; SELECT pg_sleep(9)", "' UNION SELECT 1 --",
    "admin'--", "%' --", "_", "__", "%_%", "\\%", "\\_", "' || '", "/* nasty */", "x'; --", "$$nasty$$", "E'\\n'", "0x41",
    "N'nasty'", "[nasty]", "*", "?", "??", "*:*", "a AND", "OR", "NOT", "NEAR", '"unclosed', "(unclosed", "a:b", "^", "~",
    "!", "&&", "||", "a & b", "a | b", "<->", ":*",
]  # fmt: skip
SEPARATORS = [
    ",", ";", "\t", "|", "a,b", "a;b", "a|b", '"', '""', '"a', 'a"b', '"a","b"', "a\nb", "a\r\nb", "a\rb", "\n", "\r\n",
    "a\n\n\nb", "::: ", "a ::: b", " a", "a ", "  a  b  ", "a\u00a0b", "\u00a0", "a\u3000b", "\ufeffa", "a\ufeff",
    "\ufeff", "BEGIN:VCARD", "END:VCARD", "N:nasty;;;", "sep=;", "a\\,b",
]  # fmt: skip
PATHS = [
    "../../etc/passwd", "..\\..\\nasty", "/etc/passwd", "//nasty.example", "http://nasty.example/", "file:///etc/passwd",
    "....//", "%2e%2e%2f", "a/b", "a?b=c", "a#b", "a&b=c", "a%00b", "CON", "NUL", "aux.txt", ".", "..", "~", "-rf",
    "--help", "index.html", "con:", ".htaccess",
]  # fmt: skip
UNSEEN = [
    "\u200b", "\u200c", "\u200d", "\u2060", "\u00ad", "\u3164", "\u115f", "\u2800", "\u180e", "a\u200bb", "a\u200cb",
    "a\u200db", "a\u2060b", "a\u00adb", "\u200ba", "a\u200b", "\u200e", "\u200f", "\u061c", "a\u200eb", "\u202e",
    "\u202egnp.nasty", "\u202dabc\u202c", "\u2066abc\u2069", "\u2067abc", "a\u202eb\u202cc", "\u206a", "\U000e0001",
    "\U000e0041", "\u034f", "\ufe0f", "\ufffc", "\ufffd", "\ue000", "\U000f0000", "\ufdd0", "\ufffe", "\U0010ffff",
]  # fmt: skip
DIRECTIONS = [
    "محمد", "مُحَمَّد", "فاطمة الزهراء", "שלום", "דָּוִד", "محمد Ann", "Ann محمد", "(محمد)", "محمد!", "123 محمد",
    "נעמי-רות", "پگاه\u200cنوری", "ܡܪܝܡ", "ދިވެހި", "߁ߐߏ", "ﷺ", "﷽", "ءآأؤإئا", "كـــتاب", "١٢٣", "۱۲۳",
]  # fmt: skip
EMOJI = [
    "👨\u200d👩\u200d👧\u200d👦", "👩🏽\u200d🚀", "👩\u200d❤️\u200d💋\u200d👨", "🏳️\u200d🌈",
    "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "🇫🇷", "🇫", "👍🏿", "❤️", "❤", "1️⃣", "#️⃣",
    "😀" * 20, "🧑🏻\u200d🤝\u200d🧑🏿", "☺︎", "☺️", "🅰", "㊙", "🫠", "💇\u200d♀️", "✂️ Ann", "💩",
]  # fmt: skip
MARKS = [
    "e\u0301", "\u0301", "\u0301a", "Z" + "\u0301\u0302\u0303\u0304\u0305" * 10, "a" + "\u0489" * 15, "ä", "a\u0308", "Å",
    "Å", "ﬁ", "ﬃ", "ﬀ ﬂ", "ĳ", "ǆ", "㎏", "℡", "İstanbul", "ISPARTA", "ısparta", "i̇", "ΣΊΣΥΦΟΣ", "ς", "ß", "ẞ",
    "STRASSE", "ſ", "ŉ", "ΐ", "ԱՒ", "ﬓ", "Ⅷ", "①", "½", "x²", "ª", "℃", "Ｆｕｌｌ", "ｶﾞ", "ガ", "กำ", "ক্ষ", "क्ष",
    "क\u094d\u200dष", "ൺ", "한글", "ᄒ\u1161\u11ab", "각", "中文名字", "髙橋", "𠮷野家", "葛\U000e0100飾", "Ærøskøbing",
    "Łódź", "Þór", "Nguyễn", "Đặng", "O’Brien", "O'Brien", "D´Arc", "d’Arc", "Müller-Lüdenscheidt", "van ’t Hoff",
    "Anne-Marie", "Jean‑Luc", "Mc—Dash", "“Ann”", "«Ann»", "„Ann“", "Ann…",
]  # fmt: skip
HOMOGRAPHS = [
    "аdmin", "Аnn", "Вob", "раypal", "ѕаlon", "Ꭺnn", "𝐀𝐧𝐧", "𝔄𝔫𝔫", "𝒜nn", "Ⓐnn", "Ａｎｎ", "ᴀnn", "Αnn", "l1I|", "O0О",
    "rnm", "ａ＠ｂ.example", "ann@exаmple.org", "ann＠example.org", "a@b", "@", "a@@b", "a@b@c.example",
    "Ann <a@b.example>", "mailto:a@b.example", "a@[127.0.0.1]", "a@xn--nasty.example", '"a b"@c.example',
]  # fmt: skip
LONG = [
    "x" * 10_000, "é" * 10_000, "👨\u200d👩\u200d👧\u200d👦" * 1_500, "a " * 5_000, "<nasty>" * 1_500, "&" * 10_000,
    "\u0301" * 10_000, "x" * 101, "x" * 100, "x" * 255, "W" * 40, "a\n" * 3_000, "'" * 9_999, "(" * 3_000, "((((a" * 500,
    "a" * 99 + "\u0301", "a" * 99 + "👨\u200d👩", "𠮷" * 100, "Donaudampfschifffahrtsgesellschaftskapitän",
]  # fmt: skip
GROUPS = {
    "controls": CONTROLS, "html": HTML, "templates": TEMPLATES, "formulas": FORMULAS, "sql": SQL,
    "separators": SEPARATORS, "paths": PATHS, "unseen": UNSEEN, "directions": DIRECTIONS, "emoji": EMOJI, "marks": MARKS,
    "homographs": HOMOGRAPHS, "long": LONG,
}  # fmt: skip
ALL = list(dict.fromkeys(text for group in GROUPS.values() for text in group))


def some(count: int) -> list[str]:
    """Return a mixed handful, the same in each run: what each page is tried with where all would take long."""
    every = [group[place] for place in range(max(map(len, GROUPS.values()))) for group in GROUPS.values() if place < len(group)]
    return every[: count // 2] + random.Random(3).sample(every[count // 2 :], count - count // 2)
