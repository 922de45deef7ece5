"""Where things are: s3:// names, the way from a key to its path and back, and how to reach a
bucket.
"""
import re
from urllib.parse import quote, unquote

NAME_BYTES = 255
PIECE_BYTES = 240           # of a component too long for one name; leaves room for the mark
CONTINUES = "%+"            # ends a piece whose component goes on in the next directory
CLASH = "%="  # a name that differs only in case or Unicode form from one that is there
BESIDE_FILE = "%d"          # a directory beside the file of the same name
BESIDE_DIRECTORY = "%f"     # a file beside the directory of the same name
VERSION = "%v"              # another version of the key; its id follows
WHOLE = {"": "%_", ".": "%2E", "..": "%2E%2E"}
WHOLE_BACK = {name: component for component, name in WHOLE.items()}

# An escape as `path_of` writes it. A `%` in a key is left alone unless it would read as one of
# these, so that `100%` and `a%20b` keep their names.
ESCAPES = r"%(?:25|0[0-9A-F]|1[0-9A-F]|7F|C2%[89][0-9A-F]|EF%BF%B[EF]|[+dfv=])"
AMBIGUOUS = re.compile(f"(?={ESCAPES})%")
UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\ufffe\uffff]")
ESCAPED = re.compile(r"((?:%(?:25|0[0-9A-F]|1[0-9A-F]|7F|C2%[89][0-9A-F]|EF%BF%B[EF]))+)")
HEX = re.compile("%([0-9A-F]{2})")
CLASH_MARK = re.compile(CLASH + "[0-9a-f]{16}")      # with the 16 digits of tree.clash


def escape(text):
    """Return every character of `text` as %XX of its UTF-8 bytes."""
    return "".join(f"%{byte:02X}" for byte in text.encode())


def name_of(component):
    """Return the file name of one component of a key: itself wherever a file system can hold it."""
    if component in WHOLE:
        return WHOLE[component]
    if "%" in component:
        component = AMBIGUOUS.sub("%25", component)
        if component in WHOLE_BACK:
            component = "%25" + component[1:]
    if UNSAFE.search(component):
        component = UNSAFE.sub(lambda m: escape(m[0]), component)
    if len(component) > NAME_BYTES // 4 and len(component.encode()) > NAME_BYTES:
        return "/".join(pieces(component))
    return component


def pieces(name):
    """Yield a name too long for one directory entry in pieces that nest, each but the last marked.

    Cuts fall between characters and never inside an escape.
    """
    while len(name.encode()) > NAME_BYTES:
        cut = cut_of(name, PIECE_BYTES)
        yield name[:cut] + CONTINUES
        name = name[cut:]
    yield name


def cut_of(name, most):
    """Return where to cut a name so that its beginning has at most so many bytes, all its
    characters and escapes whole.
    """
    cut = len(name.encode()[:most].decode(errors="ignore"))
    for start in range(max(0, cut - 8), cut):
        run = re.match(ESCAPES, name[start:])
        if run and start + run.end() > cut:
            return start
    return cut


def component_of(name):
    """Return the component of a key whose file name is `name` (marks already taken off)."""
    if name in WHOLE_BACK:
        return WHOLE_BACK[name]
    if "%" not in name:
        return name
    return ESCAPED.sub(lambda m: bytes(int(h, 16) for h in HEX.findall(m[1])).decode(), name)


def path_of(bucket, key, version=""):
    """Return the path of a key below the destination: `bucket/key`, changed only where it must be.

    A key that ends in `/` gives a path that ends in `/`: the directory of a zero-byte placeholder
    (see `file_of_folder`). With `version` the path is that of one version beside others of its key.
    """
    return f"{bucket}/{path_in_bucket(key, version)}"


def path_in_bucket(key, version=""):
    """Return the path of a key below its bucket's folder, as `path_of` has it."""
    if key.endswith("/"):
        names = [name_of(c) for c in key[:-1].split("/")] + [""]
        if version:
            names[-1] = WHOLE[""] + version_mark(version)
    else:
        names = [name_of(c) for c in key.split("/")]
        if version:
            names[-1] = with_mark(names[-1], version_mark(version))
    return "/".join(names)


def file_of_folder(path):
    """Return the path for the bytes of a key that ends in `/`, below its directory."""
    return path + WHOLE[""]


def version_mark(version):
    """Return the mark that keeps one version's file apart from the others of its key."""
    return VERSION + quote(version, safe="")


def with_mark(name, mark):
    """Return the path `name` with its last component ending in `mark`."""
    head, slash, last = name.rpartition("/")
    return head + slash + "/".join(pieces(last + mark))


def with_clash(name, digest):
    """Return a name with the mark that tells it from its other spellings; `digest` is this
    spelling's own.

    A name that is then too long has the mark in its first piece, for pieces that differ in case
    alone would be one directory.
    """
    head, more = (name[:-len(CONTINUES)], CONTINUES) if name.endswith(CONTINUES) else (name, "")
    mark = CLASH + digest
    if len((name + mark).encode()) <= NAME_BYTES:
        return head + mark + more
    cut = min(cut_of(head, PIECE_BYTES - len(mark)), len(head.partition(VERSION)[0]))
    return f"{head[:cut]}{mark}{CONTINUES}/{head[cut:]}{more}"


def key_of(path):
    """Return (bucket, key) whose path is `path`: the inverse of `path_of` and of every mark.

    Raises ValueError for a path without a bucket.
    """
    bucket, slash, rest = path.partition("/")
    bucket = bucket.removesuffix(BESIDE_FILE)
    if not slash or not bucket or not rest:
        raise ValueError(f"'{path}' is not a path of ours")
    components, held = [], ""
    for name in rest.split("/"):
        if name.endswith(CONTINUES):
            held += name[:-len(CONTINUES)]
            continue
        # whole before its marks are looked for: they may be parted, too
        name = CLASH_MARK.sub("", (held + name).partition(VERSION)[0])
        held = ""
        if name.endswith((BESIDE_FILE, BESIDE_DIRECTORY)):
            name = name[:-2]
        components.append(component_of(name))
    if held:
        raise ValueError(f"'{path}' is not a path of ours")
    return bucket, "/".join(components)


def version_of(path):
    """Return the version id that a path's mark names, or an empty text."""
    mark = path.rpartition(VERSION)
    return unquote(mark[2].replace(f"{CONTINUES}/", "").partition(CLASH)[0]) if mark[1] else ""


def is_inside(path):
    """Return whether a path from a manifest stays below the destination and out of our own folder.
    """
    names = (path[:-1] if path.endswith("/") else path).split("/")
    return (all(name not in ("", ".", "..") and "\0" not in name for name in names)
            and names[0].lower() != ".s3kit")
