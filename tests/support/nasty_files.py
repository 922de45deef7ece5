"""Files whose names programs take for something else; each holds its own path, so that its hash is
known.

As a program (`python tests/support/nasty_files.py FOLDER`) it makes them.
"""

import os
import sys

NAMES = [b"plain", b"a b", b" lead", b"trail ", b"a,b.txt", b"100%", b"100%25", b"a%20b",
         b"back\\slash", b"back\\nslash", b"end\\", b"\\", b"line\nfeed", b"cr\rmid", b"cr\r",
         b"t\tab", b"\x1b[31m", b"#hash", b"## x", b"%%%% x", b"-m", b"*star", b"=1+1",
         b"q\"uote'", b"(p)", b"x (1) = 2", b"x) = 0123456789abcdef", b"MD5 (x) = 0",
         "é".encode(), "e\u0301".encode(), "日本".encode(), b"\xff\xfe", b"dir/file",
         b"dir/d,1/a\\b", b"dir/d,1/line\nfeed", b"dir/#hash"]
NO_TEXT = b"\xff\xfe"       # which no key of S3's is


def lay(folder):
    """Make the files below `folder`."""
    for name in NAMES:
        path = os.path.join(os.fsencode(folder), name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(name)


if __name__ == "__main__":
    lay(sys.argv[1])
