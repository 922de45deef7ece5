"""What one process says of its run: a JSON object in a file of its own, and what that shows.

Whoever reads one trusts nothing in it: a file that is not as it should be is no snapshot.
"""

import json
import math
import re
import time
from typing import NamedTuple

from s3kit import process
from s3kit.runs.folder import FRESH_SECONDS, contents
from s3kit.text import is_unicode

FORM = 1
RUNNING, STALLED, DEAD, DONE, FAILED = "running", "stalled", "dead", "done", "failed"
LARGEST = 1 << 63
# In a URL: a name and a password, or a signature.
SECRETS = re.compile(r"(?<=//)[^/@\s]*@|(?<=[?&])X-Amz-[^\s]*", re.IGNORECASE)


class Snapshot(NamedTuple):
    """One process. Times are seconds since 1970, `began`, `moved` (when something last went on),
    `written` and `ended`, which is 0 while it runs.

    `pid`, `start` and `world` say which process it is (see process), `parent` and `group` are
    process ids. `source` and `target` name the pipes that stdin and stdout are, `terminal` where
    its bar is shown. `done` and `total` are in `unit`s; `total` is 0 where nobody knows it, then
    `expected` is the least that it can be; `is_about` where it is an estimate. `speed` is of the
    last minute, `left` the seconds that the rest takes, -1 where nobody can say. `rows` has
    {state: rows}, `causes` [[cause, rows, example]], `workers` a dict each; `said` is the summary,
    or what has ended it.
    """

    command: str = ""
    argv: list = []
    cwd: str = ""
    dest: str = ""
    run: str = ""
    version: str = ""
    pid: int = 0
    start: str = ""
    world: str = ""
    parent: int = 0
    group: int = 0
    source: str = ""
    target: str = ""
    terminal: str = ""
    began: float = 0.0
    moved: float = 0.0
    written: float = 0.0
    ended: float = 0.0
    status: int = 0
    unit: str = "row"
    done: int = 0
    expected: int = 0
    total: int = 0
    is_about: bool = False
    speed: float = 0.0
    left: float = -1.0
    text: str = ""
    rows: dict = {}
    tried_again: int = 0
    slowed_down: int = 0
    causes: list = []
    workers: list = []
    said: str = ""

    @property
    def count(self):
        """How many rows have left it."""
        return sum(self.rows.values())

    @property
    def share(self):
        """How much of the total is done, from 0 to 1, or None where nobody can say."""
        return min(1.0, self.done / self.total) if self.total else None

    def state(self, now=None):
        """Return RUNNING, STALLED (it is there, and writes nothing), DEAD (it is gone, and has not
        said how it ended), DONE or FAILED (it ended with another status than 0).
        """
        if self.ended:
            return FAILED if self.status else DONE
        is_fresh = (now or time.time()) - self.written < FRESH_SECONDS
        if self.world != process.world():       # of another container: nobody can look for it
            return RUNNING if is_fresh else DEAD
        if not process.is_alive(self.pid, self.start):
            return DEAD
        return RUNNING if is_fresh else STALLED

    def to_json(self):
        """Return it as bytes."""
        return json.dumps({"s3kit": FORM} | self._asdict()).encode()


def is_text(value):
    """Whether a value is a text that can be written: JSON can name half a character."""
    return isinstance(value, str) and is_unicode(value)


def is_whole(value):
    """Whether a value is a number of things."""
    return type(value) is int and 0 <= value < LARGEST


def is_number(value):
    """Whether a value is a number that can be reckoned with."""
    return type(value) in (int, float) and math.isfinite(value) and abs(value) < LARGEST


def is_cause(value):
    """Whether a value is [cause, rows, example]."""
    return (isinstance(value, list) and len(value) == 3 and is_text(value[0])
            and is_whole(value[1]) and is_text(value[2]))


# `host` is empty on this machine
WORKER = {"host": is_text, "pid": is_whole, "jobs": is_whole, "requests": is_whole, "name": is_text,
          "moved": is_whole, "size": is_whole, "since": is_number, "speed": is_number}


def is_worker(value):
    """Whether a value says what a worker does."""
    return (isinstance(value, dict) and value.keys() | {"host"} == WORKER.keys()
            and all(WORKER[name](value.get(name, "")) for name in WORKER))


def is_list_of(is_one):
    """Return the check of a list."""
    return lambda value: isinstance(value, list) and all(map(is_one, value))


def is_rows(value):
    """Whether a value is {state: rows}."""
    return isinstance(value, dict) and all(map(is_whole, value.values()))


CHECKS = {str: is_text, int: is_whole, float: is_number, bool: lambda value: type(value) is bool}
SPECIAL = {"argv": is_list_of(is_text), "rows": is_rows, "causes": is_list_of(is_cause),
           "workers": is_list_of(is_worker)}


def snapshot_of(data):
    """Return the Snapshot that bytes are, or None where they are none."""
    try:
        said = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict) or said.get("s3kit") != FORM:
        return None
    values = {}
    for name, default in Snapshot._field_defaults.items():
        value = said.get(name, default)
        if not (SPECIAL.get(name) or CHECKS[type(default)])(value):
            return None
        values[name] = value
    return Snapshot(**values)


def read(path):
    """Return the Snapshot in a file, or None."""
    data = contents(path)
    return snapshot_of(data) if data else None


def shown_argv(argv):
    """Return a command line that others may see: without what a URL may have that is secret, and
    as text.
    """
    return [SECRETS.sub("", as_text(word)) for word in argv]


def as_text(path):
    """Return a path or an argument that may have bytes that are no text, with these written out."""
    return path.encode("utf-8", "backslashreplace").decode()
