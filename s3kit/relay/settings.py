"""Settings that people write as YAML: read without surprises, and complained of by their names.

Plain values are texts here, whatever YAML would make of them: `007`, `no` and `2026-01-31` can be
parts of keys, and digits alone can be an access key. No complaint shows a value that may be secret,
so none has PyYAML's own words, which quote the file.
"""

import os
import re
from difflib import get_close_matches

from s3kit.errors import Fault, Usage
from s3kit.text import is_unicode, read_text, visible
from s3kit.units import parse_size, parse_span

FLAGS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
# What others call what has another name here.
MEANT = {"destination": "target", "dest": "target", "dst": "target", "src": "source",
         "secret_access_key": "secret_key", "aws_access_key_id": "access_key",
         "aws_secret_access_key": "secret_key", "aws_session_token": "session_token",
         "bucket": "address", "bucket_name": "address", "interval": "every", "volume": "volumes"}
PREFIX = "tag:yaml.org,2002:"
KINDS = {f"{PREFIX}{kind}" for kind in ("map", "seq", "str", "null")}
NAMES = {f"{PREFIX}str", f"{PREFIX}merge"}
PLAIN = {f"{PREFIX}null", f"{PREFIX}merge"}     # what a plain value can be beside a text


class Settings:
    """The settings of a file, or of one part of it: `values` is {name: text, list, dict or None},
    and `where` what stands before their names in a complaint (`source.`).
    """

    def __init__(self, values, path, where=""):
        self.values, self.path, self.where = values, path, where

    def __contains__(self, name):
        """Return whether a setting is there and not empty."""
        return self.values.get(name) not in (None, "")

    def wrong(self, name, why):
        """Return the Usage that says what is wrong with a setting."""
        return Usage(f"'{self.path}': {self.where}{name} {visible(why)}")

    def check(self, known):
        """Raise Usage if there is a setting that is not among the `known` ones."""
        for name in self.values:
            if name not in known:
                shown, meant = named(name), MEANT.get(named(name))
                close = [meant] if meant in known else get_close_matches(shown, known, 1)
                hint = f": was '{close[0]}' meant?" if close else ""
                raise Usage(f"'{self.path}': there is no setting '{self.where}{shown}'{hint}")

    def text(self, name):
        """Return a text exactly as it stands there, or None where there is none. Raises Usage."""
        value = self.values.get(name)
        if not isinstance(value, (str, type(None))):
            raise self.wrong(name, "is not one text")
        if value and not is_unicode(value):
            raise self.wrong(name, "is not Unicode text")
        return value or None

    def read(self, name, function):
        """Return what `function` makes of a text, None where there is none; its ValueErrors become
        Usage.
        """
        text = self.text(name)
        try:
            return None if text is None else function(text)
        except ValueError as error:
            raise self.wrong(name, f"makes no sense: {error}") from None

    def size(self, name, least=0):
        """Return a size in bytes, or None. Raises Usage, also if it is less than `least`."""
        size = self.read(name, parse_size)
        if size is not None and size < least:
            raise self.wrong(name, "is 0: nothing would ever move")
        return size

    def span(self, name):
        """Return a span of time in seconds, or None. Raises Usage."""
        return self.read(name, parse_span)

    def file(self, name):
        """Return the path of a file or directory, or None. Raises Usage."""
        return self.read(name, self.path_of)

    def flag(self, name):
        """Return whether a setting is true; one that is not there is None. Raises Usage."""
        text = self.text(name)
        if text is not None and text.lower() not in FLAGS:
            raise self.wrong(name, "is neither true nor false")
        return text and FLAGS[text.lower()]

    def choice(self, name, choices):
        """Return one of the texts `choices`, or None. Raises Usage."""
        text = self.text(name)
        if text is not None and text not in choices:
            raise self.wrong(name, f"is not one of {', '.join(choices)}")
        return text

    def items(self, name):
        """Return the list of a setting, empty where there is none. Raises Usage."""
        value = self.values.get(name)
        if not isinstance(value, (list, type(None))):
            raise self.wrong(name, "is not a list")
        return value or []

    def texts(self, name):
        """Return the list of texts of a setting, empty where there is none. Raises Usage."""
        if not all(isinstance(item, str) and is_unicode(item) for item in self.items(name)):
            raise self.wrong(name, "is not a list of texts")
        return self.items(name)

    def part(self, name, short=""):
        """Return the Settings below a name, empty where there are none; `short` is the setting that
        a text in their place stands for. Raises Usage.
        """
        value = self.values.get(name)
        if short and isinstance(value, str) and value:
            value = {short: value}
        return self.within(name, value)

    def within(self, name, value):
        """Return the Settings that a value is. Raises Usage if it is something else."""
        if not isinstance(value, (dict, type(None))):
            raise self.wrong(name, "is not a group of settings (NAME: VALUE)")
        return Settings(value or {}, self.path, f"{self.where}{name}.")

    def path_of(self, text):
        """Return a path of the file, which is meant from the file's own directory: a `work` that
        moved with the current one would be a new ledger, and all would be moved again.
        """
        folder = os.path.dirname(self.path) if os.path.isfile(self.path) else ""
        return os.path.normpath(os.path.join(folder, os.path.expanduser(text)))


def named(name):
    """Return a setting's name as it may be shown: a key can be glued to it, without a blank."""
    return visible(re.split("[:=]", str(name))[0].strip()[:40])


def load(path):
    """Return the Settings of a YAML file.

    Raises Fault if it cannot be read or PyYAML is not there, Usage if it is not YAML with settings.
    """
    text = read_text(path)
    try:
        import yaml
    except ImportError:
        raise Fault("--config needs the library 'PyYAML' (pip install s3kit[relay])") from None
    try:
        values = yaml.load(text, Loader=loader(yaml, path))
    except yaml.YAMLError as error:
        raise Usage(f"'{path}' is not YAML{place(error)}{hint(error)}") from None
    except RecursionError:
        raise Usage(f"'{path}' has settings within settings without end") from None
    if not isinstance(values, dict):
        raise Usage(f"'{path}' " + ("is empty" if values is None
                                    else "has no settings (NAME: VALUE)"))
    return Settings(values, path)


def loader(yaml, path):
    """Return PyYAML's safe loader, in which plain values stay texts and no name may come twice."""
    class Loader(yaml.SafeLoader):
        """Texts, lists, mappings and null."""

        def construct_mapping(self, node, deep=False):
            """Return the dict of a mapping. Raises Usage."""
            seen = set()
            for name, _ in node.value if isinstance(node, yaml.MappingNode) else ():
                line = f"'{path}', line {name.start_mark.line + 1}"
                if name.tag not in NAMES:
                    raise Usage(f"{line}: this is not the name of a setting")
                if name.value in seen:
                    raise Usage(f"{line}: '{named(name.value)}' is there twice")
                seen.add(name.value)
            return super().construct_mapping(node, deep)

    Loader.yaml_implicit_resolvers = {
        first: [(tag, sign) for tag, sign in found if tag in PLAIN]
        for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()}
    Loader.yaml_constructors = {     # None: of all other tags, which is a refusal
        tag: make for tag, make in yaml.SafeLoader.yaml_constructors.items()
        if tag in KINDS or tag is None}
    return Loader


def place(error):
    """Return ` at line N, column N` for an error of PyYAML's, '' where it does not say."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    return f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""


def hint(error):
    """Return what probably is wrong, for people, without a word of the file."""
    problem = getattr(error, "problem", None) or ""
    if r"'\t'" in problem:
        return ": a tab is no indent in YAML, blanks are"
    if "document" in problem:
        return ": one document is expected"
    if "mapping values" in problem:
        return ": is an indent wrong, or a text with ': ' in it without quotes?"
    return ": is a text with signs in it without quotes, or a quote never closed?"
