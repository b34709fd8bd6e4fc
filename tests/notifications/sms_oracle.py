"""How many parts an SMS has, by encoding it: 3GPP TS 23.038 or UTF-16, cut into parts. Apart from the code it judges."""

# 6.2.1, row by row: the place of a letter is its code.
TABLE = (
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./"
    "0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmno"
    "pqrstuvwxyzäöñüà"
)
# 6.2.1.1: reached through the escape.
EXTENSION = {0x0A: "\f", 0x14: "^", 0x28: "{", 0x29: "}", 0x2F: "\\", 0x3C: "[", 0x3D: "~", 0x3E: "]", 0x40: "|", 0x65: "€"}
ESCAPE = 0x1B


def septets(text: str) -> list[int] | None:
    """Return the codes of a text in the default alphabet, None if it has a character that is not in it."""
    codes: list[int] = []
    for char in text:
        extended = [code for code, known in EXTENSION.items() if known == char]
        if extended:
            codes += [ESCAPE, extended[0]]
        elif char in TABLE and char != "\x1b":
            codes.append(TABLE.index(char))
        else:
            return None
    return codes


def parts(text: str) -> int:
    """Return the number of parts."""
    codes = septets(text)
    if codes is not None:
        return cut(codes, alone=160, room=153, is_first_half=lambda code: code == ESCAPE)
    units = [int.from_bytes(pair, "big") for pair in zip(*[iter(text.encode("utf-16-be", "surrogatepass"))] * 2, strict=True)]
    return cut(units, alone=70, room=67, is_first_half=lambda unit: 0xD800 <= unit < 0xDC00)


def cut(codes: list[int], *, alone: int, room: int, is_first_half) -> int:  # type: ignore[no-untyped-def]
    """Cut codes into parts: a part that would end on the first half of a pair leaves it to the next."""
    if len(codes) <= alone:
        return 1
    count = 0
    while codes:
        end = min(room, len(codes))
        if end < len(codes) and is_first_half(codes[end - 1]):
            end -= 1
        codes, count = codes[end:], count + 1
    return count
