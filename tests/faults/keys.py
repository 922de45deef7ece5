"""Hostile keys: a fixed corpus, each of its groups after another way in which names go wrong."""

from odd_keys import ODD_KEYS

CONTROLS = [*map(chr, range(32)), "\x7f", *map(chr, range(0x80, 0xa0))]
BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
# what no name of an exFAT can have, besides controls, which we escape
REFUSED_BY_EXFAT = set(':?\\"*<>|')

GROUPS = {
    "traversal": [
        "../x", "../sentinel/file", "../../sentinel/file", "../../sentinel/dir/file",
        "../../../sentinel",
        "x/../../../sentinel/new",
        "/etc/passwd", "//etc/shadow", "/..", "/../x", "../", "./", "../..", "a/./b", "x/..", "...",
        ".../x", "....//x",
        "..;/x", "../b/p",
        "%2e%2e/x", "%2E%2E/x", "%2E%2E/%2E", "..%2Fx", "..%2f..%2fx", "%252E%252E/x", "..\\x",
        "..\\..\\sentinel\\file",
        "C:\\x", "C:/x", "c:x",
        "\\\\server\\share\\x", "~/x", "~root/x", "-rf", "--help", "-", "/dev/null", "..\x00/x",
        "x\x00/../y", ".. /x",
        " ../x", "..\n/x",
        "\uff0e\uff0e/x", "..\u2215x", "\u2024\u2024/x", ".\u200b./x",
        "a/b/../../../../sentinel/file", "." * 1024,
        "../" * 341, "./" * 512],
    "ours": [
        ".s3kit", ".s3kit/", ".s3kit/parts/x.part", "../.s3kit", "../.s3kit/ledger.sqlite3",
        "../.s3kit/parts/x.part",
        "../.S3KIT/x",
        ".S3KIT/ledger.sqlite3", ".S3kit", "x.part", "x.part.journal", "ledger.sqlite3",
        ".s3kit.1.0.new", "b/.s3kit/x"],
    "marks": [
        "m%+", "m%+/b", "m%+/%+", "%+", "%+/", "%+/%+", "m%d", "m%d/b", "m%f", "m%f/b", "m%=",
        "m%=0123456789abcdef", "m%v",
        "m%vnull", "m%v/x",
        "%_", "%_/x", "x/%_", "x/%_/", "%_%_", "%25_", "%25%5F", "%2E", "%2E/x", "%2e", "%252E",
        "%25%32%45", "%", "%%",
        "%%%", "%%25", "%2", "%2%35",
        "%G1", "%u002e", "%C2%80", "%c2%80", "%C2", "%C2%A0", "%EF%BF%BE", "%EF%BF%BF", "%ef%bf%be",
        "%EF%BF", "%00", "%0a",
        "%1F", "%1f", "%20",
        "%7F", "%7f", "%80", "%FF", "%25+", "%25d", "%+%d", "x%", "x%25", "x%2525", "%2B", "%2b",
        "%2F", "a%2fb", "%5C", "+",
        "a++b",
        "%d", "%f", "%=", "%v", "%v1", "%vnull", "%+%+", "%_/%_/%_"],
    "collisions": [
        "k", "k/", "k//", "k///", "k/l", "k/l/", "k/l/m", "k//l", "k%d", "k%f", "k%d/l", "/k",
        "//k", "k/.", "k/./l", "k/%2E",
        "w/", "w", "w/x", "w/x/", "w/x/y", "w/x/y/", "w/%_", "w/x/%_"],
    "case": [
        "CASE", "cAsE", "Dir/x", "dir/x", "DIR/X", "dir/X", "Dir", "dir/", "case/x", "CASE/x", "É",
        "E\u0301", "caf\xe9",
        "cafe\u0301", "CAF\xc9",
        "Stra\xdfe", "strasse", "STRASSE", "\xdf", "\u1e9e", "\xc5", "A\u030a", "\u212b", "\xe5",
        "\u03a9", "\u2126",
        "\u03c9", "\ufb01", "fi", "\u0131", "i",
        "I", "\u0130", "i\u0307", "\u03c3", "\u03c2", "\u03a3", "\u212a", "K", "\uac00",
        "\u1100\u1161", "\u01c6", "\u01c5",
        "\u01c4",
        "\U00010400", "\U00010428", "\u017f", "s", "S", "\u1e69", "s\u0323\u0307", "s\u0307\u0323",
        "nfd\u0301/x",
        "nf\u1e0b/x", "nfd\u0307/x",
        "LONG" * 80, "long" * 80, "Long" * 80 + "/x", "CON", "Con"],
    "controls": [f"c{ord(char):02x}{char}x" for char in CONTROLS] + [
        "\x00", "\x00" * 300, "\x1b", "\n", "\r", "\t", " ", "\x7f", "\x80", "\x9f", "\n\n", "x\n",
        "\nx", "x\r", "\rx",
        "a\r\nb", "x\t", "\tx", "a\bb\b",
        "\x1b]0;title\x07", "\x1b[2J\x1b[H", "\x9b31m", "\x1b]8;;http://example.com\x07link",
        "\x1bP$q\x1b\\",
        "\rs3-fetch: done", "\x1b[8m", "\x1b/\x1b",
        "\x0e", "\x9d0;title\x9c"],
    "Unicode": [
        *(f"u{char}x" for char in BIDI), "\u2029", "\ufeff", "\ufeff#s3kit manifest 1", "\uffff",
        "\U0001fffe", "\U0010ffff",
        "\ue000", "\u0301",
        "\u200d", "\u200b", "\xa0", "\u3000", "\xad", "\U000e0041",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467",
        "\u0e01\u0e33", "\ufdfa", "\u202e\u202e"],
    "Windows": [
        "con.txt", "PRN", "AUX", "aux.h", "COM1", "LPT9", "COM\xb9", "CONIN$", "NUL.tar.gz",
        "nul/x", "x.", "x..", "x. ",
        "x ", " x", "  ", ". ", "x /y", "x./y",
        "w:x", "w?x", "w*x", "w<x", "w>x", "w|x", 'w"x', "w\\x", "w\\", "x:stream", "x::$DATA",
        "desktop.ini", "$MFT",
        "System Volume Information/x",
        "C:", "AUTORUN.INF", "PROGRA~1", "progra~1", "x;1"],
    "lengths": [
        "e" * 255, "e" * 256, "e" * 257, "f" * 1024, "g" * 1023 + "/", "\xe9" * 127, "\xe9" * 128,
        "\U0001f600" * 63,
        "\U0001f600" * 64,
        "h" * 510, "h" * 511, "j" * 240, "j" * 241, "l" * 238 + "%+", "l" * 240 + "%+",
        "l" * 253 + "%+", "l" * 254 + "%+",
        "o" * 238 + "\n" * 20,
        "o" * 239 + "\n" * 20, "o" * 240 + "\n" * 20, "\n" * 255, "\x01" * 1024, "\x85" * 512,
        "%25" * 341, "%" * 1024,
        "%0A" * 300, "q" * 237 + "\x85" * 9,
        "q" * 235 + "\ufffe" * 9, "r" * 255 + "/", "r" * 256 + "/", "r" * 256, "r" * 256 + "/s",
        "t" * 255, "t" * 255 + "/u",
        "t" * 256, "t" * 256 + "/u",
        "/" * 1024, "v/" * 512, "v/" * 511 + "vv", ("w" * 254 + "/") * 4, "./" * 511 + "..",
        "\u65e5" * 341, "\u65e5" * 84,
        "\u65e5" * 85, "\u65e5" * 86],
    "manifests": [
        "#end rows=0", "#s3kit manifest 2", "bucket", "bucket,key", "b,k,,\n", "\n#end rows=1\n",
        '""', '","', '"\n"', "a'b",
        "=1+1", "=cmd|' /C calc'!A0", "+1", "-1",
        "@SUM(1)", "\t=x", '<end rows="0"/>', "<!DOCTYPE x>", "&amp;", "&", "]]>", "<![CDATA[x]]>",
        "&#0;", "&#10;", "null",
        "None", "\\N", "\\", "_x0041_"],
    "shells and URLs": [
        "$(touch x)", ";touch x", "|x", "!x", "x&y=z", "x?versionId=null", "x?partNumber=1", "?",
        "#", "x=y", "x@y:z",
        "http://x/y", "s3://b/x", "[1-3]", "{a,b}",
        "{}", "[", "]", "a,b", "x?X-Amz-Signature=0", "x HTTP/1.1", "x\r\nX-Injected: 1", "&amp;x",
        "+%2B+", "~", "'", "x/?",
        "x?/../y"],
}


def corpus():
    """Return {key: body}: ours and those of other tests; every body is its key's own."""
    keys = dict.fromkeys([key for keys in GROUPS.values() for key in keys]
                         + [key for key, _ in ODD_KEYS])
    return {key: b"" if is_placeholder(key) else f"body {at} ".encode() * (at % 5 + 1) for at,
            key in enumerate(keys)}


def is_placeholder(key):
    """Return whether a key is stored as consoles make folders: ended by a slash, without bytes.

    Some such keys have bytes.
    """
    return key.endswith("/") and len(key) % 2 == 0


# Those that would act on a terminal, and a few of every other kind.
KEYS_OF_TERMINALS = [key for keys in (GROUPS["controls"], GROUPS["Unicode"]) for key in keys] + [
    key for keys in GROUPS.values() for key in keys[:6]]
