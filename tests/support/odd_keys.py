"""Keys that S3 allows and that file systems, URLs, manifests or terminals take for something else.
"""

KEYS = [
    "plain", "a b", "a+b", "a%20b", "100%", "%41", "%2F", "%2E%2E", "%_", "x%d", "x%f", "x%v1",
    "x%+", "x%=", "q?x=1&y", "h#a", "~t", "é", "e\u0301", "日本", "\U0001f600", 'a"b\'c', "x\ny",
    "x\ty\r", "c\x01d", "\x1b[31mred", "del\x7f", "c1\x85x", "=eq", "+p", "-m", "@at", "semi;x",
    "a*b(c)!", "a,b", "[x]", "a=b", "back\\slash", "a:b", "$HOME", "`x`", "<x>", "a&b", "x|y",
    "{x}", "^x", "sp ", " sp", "x//y", "/lead", "//two", "trail/", "trailb/", "x/./y", "x/../z",
    "../../etc/passwd", "a/../b", ".", "..", "./a", "a/.", "a/..", "/", "//", "///x/", "a" * 255,
    "b" * 256, "c" * 1024, "d/"*511 + "dd", "é" * 512, "\U0001f600" * 256, "p", "p/q", "p/",
    "p/q/r", "Case", "case", ".s3kit/ledger.sqlite3", "\u202egnp.exe", "\ufeffbom", "\ufffe",
    "\u2028x", "#end rows=1", "NUL", "con", "dot.", "#s3kit manifest 1", '"', "\x00nul"[1:], "%25",
    "%0A", "%c2%85", "%C2%85", "x"*254 + "/c", "x" * 254, "y"*255 + "/c/d", "y" * 255, "z" * 251,
    "z"*251 + "/%d"]
ODD_KEYS = [(key, b"" if key in ("trail/", "p/") else b"body of %d" % number)
            for number, key in enumerate(KEYS)]
assert len(set(KEYS)) == len(KEYS)
