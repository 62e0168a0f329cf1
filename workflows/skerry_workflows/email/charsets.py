"""Bytes to text, whatever they claim to be: the declared charset, then UTF-8, then what Western mailers mean."""

from __future__ import annotations

import codecs
import re

_TEXT_CODECS = re.compile(
    r"ascii|utf_?(7|8|16|32)(_?[bl]e)?|utf_8_sig|(iso_?)?(8859|ir|646).*|latin.*|l\d+|cp?\d+|windows_?\d+|ms_?\d+"
    r"|koi8_?[rtu]|kz.*|ptcp154|big5.*|gb.*|hz.*|x?_?euc.*|s(hift)?_?jis.*|x_sjis.*|ms_kanji|iso_?2022.*|csiso.*|cs.*"
    r"|johab|ks_?c.*|tis_?620.*|mac.*|x_mac.*|us|us_ascii|ansi.*|viscii|uhc|euckr|ibm_?\d+|x_.*|unicode_1.*|binary|8bit"
)
_ALIASES = {
    "x_gbk": "gbk", "x_sjis": "cp932", "shift_jis": "cp932", "ks_c_5601_1987": "cp949", "gb2312": "gb18030",
    "iso_8859_8_i": "iso8859_8", "iso_8859_8_e": "iso8859_8", "iso_8859_1": "cp1252", "latin1": "cp1252",
    "latin_1": "cp1252", "unicode_1_1_utf_7": "utf_7", "unicode_1_1_utf_8": "utf_8", "cp_850": "cp850",
    "ansi_x3.4_1968": "utf_8", "us_ascii": "utf_8", "ascii": "utf_8", "x_mac_roman": "mac_roman",
    "iso_8859_9": "cp1254",
    "x_euc_jp": "euc_jp", "x_user_defined": "cp1252", "unknown_8bit": "utf_8", "euc_kr": "cp949",
    "iso_8859_11": "cp874", "tis_620": "cp874",
}  # fmt: skip
"""What senders write, and what they mean by it: as WHATWG's Encoding Standard has it, where that knows the name."""


def known(charset: str) -> str:
    """Python's name of a charset; empty for what is none (or is a codec of bytes, or of program text)."""
    name = re.sub(r"[\s-]+", "_", charset.strip().strip("\"'").lower())[:40]
    if not name.isascii() or (not _TEXT_CODECS.fullmatch(name) and name not in _ALIASES):
        return ""
    try:
        return codecs.lookup(_ALIASES.get(name, name)).name
    except (LookupError, ValueError):
        return ""


def decode(data: bytes, charset: str = "") -> str:
    """Text of bytes, always. What fits no charset becomes U+FFFD; NUL characters are left out."""
    return _decode(data, known(charset)).replace("\0", "")


def _decode(data: bytes, codec: str) -> str:
    if data[:3] == b"\xef\xbb\xbf":
        return data[3:].decode("utf-8", "replace")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") and not codec.startswith("utf-32"):
        return data.decode("utf-16", "replace")
    # UTF-8 is hardly ever met by accident: whoever declares a single-byte charset and sends UTF-8 sends UTF-8.
    if codec in ("", "utf-8", "cp1252", "cp1254"):
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as error:
            if error.reason == "unexpected end of data" and error.start > 4:  # it was cut
                return data.decode("utf-8", "replace")
        codec = codec if codec.startswith("cp") else "cp1252"
    try:
        return data.decode(codec)
    except (UnicodeError, ValueError):
        return data.decode("latin-1" if codec == "cp1252" else codec, "replace")
