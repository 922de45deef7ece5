"""The completions of the commands for bash, zsh and fish, made of the commands' parsers.

As a program (`python tests/support/completions.py`) it writes them; a test holds the files to it.
What the files of one shell share, and where buckets come from, is written by hand: `_s3kit` for
bash, `_s3kit_buckets` for zsh, `__s3kit.fish` for fish.
"""

import argparse
import importlib
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent.parent
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

from s3kit.cli import options  # noqa: E402
from s3kit.manifest import foreign, row  # noqa: E402
from s3kit.policy import template  # noqa: E402

PLACE = ROOT / "man" / "completion"
BY_HAND = {"bash/_s3kit", "zsh/_s3kit_buckets", "fish/__s3kit.fish"}
MADE = "made of the command's parser by tests/support/completions.py"

# What a value may be, by the name that a parser has for it; all others can only be typed.
FILE, DIRECTORY, BUCKET, ADDRESS = "file", "directory", "bucket", "address"
KINDS = {"FILE": (FILE,), "OTHER": (FILE,), "DIR": (DIRECTORY,), "B": (BUCKET,),
         "BUCKET": (BUCKET,), "VERB BUCKET": (BUCKET,), "S3": (ADDRESS,),
         "s3://BUCKET/PREFIX": (ADDRESS,), "SOURCE": (FILE, ADDRESS)}
CLASSES = ("STANDARD", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER", "GLACIER_IR",
           "DEEP_ARCHIVE", "REDUCED_REDUNDANCY")


class Value(NamedTuple):
    """What can be typed in one place: what it is called, of which kinds it may be, and which words
    it may be.
    """

    name: str
    kinds: tuple
    words: tuple


class Option(NamedTuple):
    """An option: its names, short first, what it is for, its Value (None: it has none), whether
    that may be left out, whether it may come several times, whether it comes alone.
    """

    names: tuple
    text: str
    value: Value
    is_optional: bool
    is_repeated: bool
    is_alone: bool


class Command(NamedTuple):
    """A command: its Options, the Value of its operands, and the verbs of which the first may be
    one.
    """

    name: str
    options: list
    operand: Value
    verbs: tuple


def commands():
    """Return the Commands of bin/."""
    return [command(path.name) for path in sorted((ROOT / "bin").iterdir())]


def command(name):
    """Return one Command."""
    module = importlib.import_module(f"s3kit.commands.{name.removeprefix('s3-')}")
    made = module.build_parser()
    operands = [action for action in made._actions if not action.option_strings]
    assert len(operands) == 1, "several kinds of operands"
    return Command(name, [option(made, action) for action in made._actions
                          if action.option_strings], value(operands[0]),
                   getattr(module, "VERBS", ()))


def option(made, action):
    """Return the Option of an action of argparse."""
    is_alone = isinstance(action, (argparse._HelpAction, argparse._VersionAction))
    has_value = action.nargs != 0 and not is_alone
    is_repeated = isinstance(action, (argparse._AppendAction, options.Rule))
    text = made._get_formatter()._expand_help(action) if action.help else ""
    if isinstance(action, argparse._VersionAction):
        text = "show the version and exit"
    return Option(tuple(sorted(action.option_strings, key=len)), text,
                  value(action) if has_value else None, action.nargs == "?", is_repeated, is_alone)


def value(action):
    """Return the Value of an action of argparse."""
    name = action.metavar or action.dest.upper()
    if action.dest == "template":
        return Value(name, (FILE,), tuple(template.TEMPLATES))
    return Value(name, KINDS.get(name, ()), tuple(action.choices or words_of(action)))


def words_of(action):
    """Return the words that a value can be where the parser has no `choices`."""
    types = {options.read_form: ("csv", "xml", *foreign.READ),
             options.written_form: ("csv", "xml", *foreign.WRITTEN)}
    names = {"CLASS": CLASSES, "CLASS,...": CLASSES, "COLUMN,...": row.COLUMNS,
             "STATE,...": (*row.STATES, "none")}
    return types.get(action.type) or names.get(action.metavar, ())


# --- bash


def bash(command):
    """Return bash's file of a command."""
    values = [f'["{command.name} {name}"]="{bash_value(each.value)}"' for each in command.options
              if each.value and not each.is_optional for name in each.names]
    options = " ".join(name for each in command.options for name in each.names)
    return "\n".join([
        f"# bash completion of {command.name}, {MADE}", "",
        '. "$(dirname "${BASH_SOURCE[0]}")/_s3kit"',
        *folded(f'_s3kit_options[{command.name}]="{options}"'),
        f'_s3kit_operands[{command.name}]="{bash_value(command.operand)}"',
        *([f'_s3kit_verbs[{command.name}]="{" ".join(command.verbs)}"'] if command.verbs else []),
        *folded(f"_s3kit_values+=({' '.join(values)})", break_at=' ["'),
        f"complete -F _s3kit {command.name}", ""])


def bash_value(value):
    """Return a Value as `_s3kit` reads it: its kinds (-: none), then its words."""
    return " ".join([",".join(value.kinds) or "-", *value.words])


def folded(line, break_at=" "):
    """Return a long line of bash as several; where it is broken a blank stands."""
    pieces = line.replace(break_at, break_at.replace(" ", "\n", 1)).split("\n")
    lines = [pieces[0]]
    for piece in pieces[1:]:
        if len(lines[-1]) + len(piece) < 100:
            lines[-1] += f" {piece}"
        else:
            lines.append(f"    {piece}")
    return lines


# --- zsh


def zsh(command):
    """Return zsh's file of a command."""
    specs = [zsh_option(each) for each in command.options]
    name, operand = zsh_text(command.operand.name), command.operand
    if command.verbs:
        specs.append(quoted(f"1:{name}:{zsh_action(operand._replace(words=command.verbs))}"))
    specs.append(quoted(f"*:{name}:{zsh_action(operand)}"))
    return "\n".join([f"#compdef {command.name}", f"# {MADE}", "",
                      " \\\n    ".join(["_arguments -s -S :", *specs]), ""])


def zsh_option(option):
    """Return the spec of an Option for _arguments."""
    *short, long = option.names
    ends = ["", ""] if option.value is None else ["+", "="]
    names = [name + (ends[0] if name in short else ends[1]) for name in option.names]
    text = f"[{zsh_text(option.text)}]"
    if option.value:
        mark = "::" if option.is_optional else ":"
        text += f"{mark}{zsh_text(option.value.name)}:"
        text += zsh_action(option.value).replace(":", "\\:")
    if option.is_alone:
        before = "(- *)"
    elif option.is_repeated:
        before = "*"
    else:
        before = f"({' '.join(option.names)})" if short else ""
    if not short:
        return quoted(before + names[0] + text)
    return (quoted(before) if before else "") + "{" + ",".join(names) + "}" + quoted(text)


def zsh_action(value):
    """Return how zsh finds a Value."""
    # after a blank nothing is added to the words of an action
    found = {FILE: "_files", DIRECTORY: "_files -/", BUCKET: " _s3kit_buckets",
             ADDRESS: " _s3kit_buckets addresses"}
    ways = [found[kind] for kind in value.kinds]
    ways += [f"({' '.join(value.words)})"] if value.words else []
    if len(ways) < 2:
        return "".join(ways) or " "
    return " _alternative " + " ".join(
        f'"{kind}:{kind}:{way}"' for kind, way in zip((*value.kinds, "word"), ways))


def zsh_text(text):
    """Return a text as it may stand in a spec."""
    return "".join(f"\\{letter}" if letter in "\\[]:" else letter for letter in text)


def quoted(text):
    """Return a text in single quotes, for bash and zsh."""
    return "'" + text.replace("'", "'\\''") + "'"


# --- fish


def fish(command):
    """Return fish's file of a command."""
    start = f"complete -c {command.name}"
    lines = [f"# {MADE}", "", "source (status dirname)/__s3kit.fish"]
    if FILE not in command.operand.kinds:
        lines.append(f"{start} -f")
    if command.verbs:
        verbs = " ".join(command.verbs)
        lines.append(f"{start} -n 'not __fish_seen_subcommand_from {verbs}' -a '{verbs}'")
    lines += [f"{start} -a '{fish_way(kind)}'" for kind in command.operand.kinds if kind != FILE]
    return "\n".join([*lines, *(fish_option(start, each) for each in command.options), ""])


def fish_option(start, option):
    """Return the line of an Option."""
    names = [f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}"
             for name in option.names]
    value = fish_value(option.value) if option.value and not option.is_optional else ""
    return f"{start} {' '.join(names)}{value} -d {fish_quoted(option.text)}"


def fish_value(value):
    """Return how fish finds a Value."""
    words = [*(fish_way(kind) for kind in value.kinds if kind != FILE), *value.words]
    start = " -r -F" if FILE in value.kinds else " -x"
    return start + (f" -a '{' '.join(words)}'" if words else "")


def fish_way(kind):
    """Return what finds what is of a kind, and no file."""
    return {DIRECTORY: "(__fish_complete_directories)", BUCKET: "(__s3kit_buckets)",
            ADDRESS: "(__s3kit_buckets s3://)"}[kind]


def fish_quoted(text):
    """Return a text in single quotes, for fish."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def files():
    """Return {path below PLACE: text} of all files that are made."""
    found = {}
    for each in commands():
        found |= {f"bash/{each.name}": bash(each), f"zsh/_{each.name}": zsh(each),
                  f"fish/{each.name}.fish": fish(each)}
    return found


def there():
    """Return {path below PLACE: text} of the files that lie there, those by hand left out."""
    paths = [path for path in PLACE.rglob("*") if path.is_file()]
    return {name: path.read_text() for path in paths
            if (name := path.relative_to(PLACE).as_posix()) not in BY_HAND}


def main():
    """Write all files, remove those of commands that are gone."""
    made = files()
    for name in there().keys() - made.keys():
        (PLACE / name).unlink()
    for name, text in made.items():
        (PLACE / name).parent.mkdir(parents=True, exist_ok=True)
        (PLACE / name).write_text(text)


if __name__ == "__main__":
    main()
