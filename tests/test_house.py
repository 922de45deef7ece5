"""The house: packages, lists, man pages and README say what the code is.

A new command needs: a module in s3kit/commands/, bin/, an entry point, a man page, completions
(tests/test_completions.py), a row in README's table, tests/commands/test_NAME.py and
tests/pipes/s3-NAME.sh with its .out. This file says what is missing.
"""

import argparse
import ast
import configparser
import importlib
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from s3kit import errors
from s3kit.manifest import foreign, states
from s3kit.put.targets import PUTTABLE

ROOT = Path(__file__).resolve().parent.parent
PACKAGE, MAN = ROOT / "s3kit", ROOT / "man"

ONLY = {"boto3": {"s3.clients"}, "pycurl": {"s3.wire"},
        "botocore": {"s3.clients", "s3.regions", "s3.signature", "s3.translation"}}
# by every package
SHARED = {"cores", "errors", "etags", "executor", "process", "storage_classes", "text", "units"}
DURABLE_ONLY = {"rename", "renames", "replace", "fsync", "fdatasync", "unlink", "remove"}
NOT_NAMES = {"util", "utils", "helper", "helpers", "common", "misc", "manager", "handler"}
MODULES_MOST = 50           # that --help may load beyond the bare interpreter; bench.py times it
HEAVY = ("boto3", "botocore", "pycurl", "lxml", "sqlite3", "xxhash", "awscrt", "tqdm")

MODULES = {path.relative_to(PACKAGE).with_suffix("").as_posix().replace("/", "."): path
           for path in sorted(PACKAGE.rglob("*.py"))}
COMMANDS = sorted(name.removeprefix("commands.")
                  for name in MODULES if name.startswith("commands."))
COMMANDS.remove("__init__")
PAGES = sorted(MAN.glob("*.[1357]"))


def tree_of(name):
    """Return a module's syntax tree."""
    return ast.parse(MODULES[name].read_text(), str(MODULES[name]))


def imports(tree):
    """Yield (full name, line) of everything a tree imports, also inside functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "imports are written in full"
            yield node.module, node.lineno
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def ours(name):
    """Return the module of ours that an imported name belongs to, or an empty text."""
    parts = name.split(".")
    while parts[1:] and ".".join(parts[1:]) not in MODULES:
        parts.pop()
    return ".".join(parts[1:]) if parts[0] == "s3kit" else ""


def parser(command):
    """Return the parser of a command (`list`)."""
    return importlib.import_module(f"s3kit.commands.{command}").build_parser()


def options(command):
    """Return {the option's names, short first: the name of its value} of a command's parser."""
    found = {}
    for action in parser(command)._actions:
        if action.option_strings:
            value = "|".join(action.choices) if action.choices else action.metavar or ""
            found[tuple(sorted(action.option_strings, key=len))] = value if takes_value(
                action) else ""
    return found


def takes_value(action):
    """Return whether an option of argparse has a value."""
    return action.nargs != 0 and not isinstance(action,
                                                (argparse._HelpAction, argparse._VersionAction))


# --- modules


def table():
    """Return {package: (what it is for, the packages it may use)} as s3kit/__init__.py's table has
    it.
    """
    rows = re.findall(r"^(\w+) +\| (.+?) *\| ?(.*)$", ast.get_docstring(tree_of("__init__")),
                      re.MULTILINE)[1:]
    found = {}
    for name, purpose, uses in rows:
        found[name] = (purpose, set(found) if uses == "*" else set(uses.split()))
    return found


HOUSE = table()


def package_of(name):
    """Return the package of a module of ours (`disk` of `disk.tree`), or '' of what lies at the
    top.
    """
    return name.partition(".")[0] if "." in name or (PACKAGE / name).is_dir() else ""


def packages():
    """Return the names of all packages, those within others, too."""
    return sorted(path.parent.relative_to(PACKAGE.parent).as_posix().replace("/", ".")
                  for path in PACKAGE.rglob("__init__.py"))


@pytest.mark.parametrize("name", MODULES)
def test_a_module_uses_only_what_its_package_may(name):
    """The table of s3kit/__init__.py, imports inside functions included."""
    package = package_of(name)
    allowed = {package} | (HOUSE[package][1] if package else set())
    used = [(ours(found), line) for found, line in imports(tree_of(name))]
    assert not [f"line {line}: {module}" for module, line in used
                if module and module not in SHARED and package_of(module) not in allowed]


def test_the_table_has_every_package_and_no_circle():
    """What a package may use stands above it."""
    assert set(HOUSE) == {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    above = set()
    for package, (purpose, uses) in HOUSE.items():
        assert purpose and uses <= above
        above.add(package)
    assert ({name for name in MODULES if "." not in name and not (PACKAGE / name).is_dir()}
            == SHARED | {"__init__"})


def test_setup_cfg_names_every_package():
    """What is not named there is not installed."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    assert config["options"]["packages"].split() == packages()


@pytest.mark.parametrize("library", ONLY)
def test_a_library_has_one_door(library):
    """boto3 decides, libcurl moves bytes, and nobody else knows them."""
    using = {name for name in MODULES
             if library in {found.split(".")[0] for found, _ in imports(tree_of(name))}}
    assert using <= ONLY[library]


def test_only_durable_renames_syncs_and_unlinks():
    """One page shows when a file is safe."""
    wrong = []
    for name in MODULES:
        tree = tree_of(name)
        calls = [(node.attr, node.lineno) for node in ast.walk(tree) if isinstance(
            node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "os"]
        calls += [(found[3:], line) for found, line in imports(tree) if found.startswith("os.")]
        if name != "disk.durable":
            wrong += [f"{name}, line {line}: os.{call}" for call,
                      line in calls if call in DURABLE_ONLY]
    assert not wrong


def test_module_names_say_something():
    """Nouns of the work, no drawers for the rest."""
    assert not [name for name in MODULES if name.rpartition(".")[2] in NOT_NAMES]


@pytest.mark.parametrize("name", MODULES)
def test_everything_public_has_a_docstring(name):
    """Modules, classes, functions and methods without an underscore."""
    def bare(node, inside=""):
        if not ast.get_docstring(node):
            yield inside or "the module"
        for child in node.body:
            if isinstance(child, (ast.FunctionDef, ast.ClassDef)) and not child.name.startswith(
                    "_"):
                if isinstance(child, ast.ClassDef):
                    yield from bare(child, f"{inside}{child.name}.")
                elif not ast.get_docstring(child):
                    yield inside + child.name
    if MODULES[name].read_text().strip() or name == "__init__":
        assert not list(bare(tree_of(name)))


# --- sizes, words, tests

CLASS_LINES, FUNCTION_LINES = 200, 30       # a docstring does not count as lines of its function
LONG_BECAUSE = "Long because"  # begins the line of a docstring that says why its function is longer
# Pages that a reader does not have.
NOT_WORDS = re.compile(r"formats\.md|DESIGN\.md|failures\.md|\[API\]|\[F \d|peers\.md|needs\.md")


def sizes(kind, lines_of):
    """Yield (module.name, lines) of the definitions of a kind."""
    for name in MODULES:
        for node in ast.walk(tree_of(name)):
            if isinstance(node, kind):
                yield f"{name}.{node.name}", node, lines_of(node)


def lines_of_function(node):
    """Return how many lines a function has, its docstring left out."""
    first = node.body[0]
    doc = first.end_lineno - first.lineno + 1 if ast.get_docstring(node) else 0
    return node.end_lineno - node.lineno + 1 - doc


def test_no_class_is_large():
    """What does more than one thing is more than one class."""
    found = sizes(ast.ClassDef, lambda node: node.end_lineno - node.lineno + 1)
    assert {name: lines for name, _, lines in found if lines > CLASS_LINES} == {}


def test_no_function_is_long_without_a_reason():
    """The reason is a line of its docstring that begins with the words of LONG_BECAUSE."""
    found = sizes((ast.FunctionDef, ast.AsyncFunctionDef), lines_of_function)
    assert {name: lines for name, node, lines in found if lines > FUNCTION_LINES
            and not re.search(rf"^\s*{LONG_BECAUSE}", ast.get_docstring(node) or "",
                              re.MULTILINE)} == {}


def test_no_page_is_named_that_a_reader_does_not_have():
    """In the code, its tests, the pages and README; the fact itself stands there, with its public
    source.
    """
    paths = [ROOT / "README.md", *MAN.glob("*.[1357]"), *PACKAGE.rglob("*.py"),
             *(ROOT / "tests").rglob("*.py")]
    found = [f"{path.relative_to(ROOT)}, line {number}" for path in paths if path != Path(__file__)
             for number,
             line in enumerate(path.read_text().splitlines(), 1) if NOT_WORDS.search(line)]
    assert found == []


def test_every_module_has_a_unit_test():
    """tests/unit/PACKAGE/test_MODULE.py; commands are run by tests/commands."""
    def is_tested(name):
        package, _, module = name.rpartition(".")
        unit = ROOT / "tests/unit" / package.replace(".", "/") / f"test_{module}.py"
        return unit.exists() or package == "commands" and (ROOT / "tests/commands"
                                                           / unit.name).exists()
    modules = [name for name in MODULES if not name.endswith("__init__")]
    assert [name for name in modules if not is_tested(name)] == []


def hunks(patch):
    """Yield (file, the text that a hunk replaces) of a patch; as patch(1) has it, two lines of
    context may differ.
    """
    path, old = None, []
    for line in [*patch.read_text().splitlines(), "@@"]:
        if line.startswith(("@@", "--- ", "diff ")) and old:
            at = [number for number, one in enumerate(old) if one[:1] == "-"] or [len(old) // 2]
            yield path, "\n".join(one[1:]
                                  for one in old[min(2, at[0]):max(len(old) - 2, at[-1] + 1)])
            old = []
        if line.startswith("--- "):
            path = line.split()[1].partition("/")[2]
        elif path and line[:1] in (" ", "-"):
            old.append(line)


@pytest.mark.parametrize("patch", sorted((ROOT / "tests/faults/planted").glob("*.patch")),
                         ids=lambda path: path.stem)
def test_a_planted_bug_fits_the_code(patch):
    """What the patch replaces is there."""
    found = list(hunks(patch))
    assert found and not [old for path, old in found if old not in (ROOT / path).read_text()]


# --- lists that must agree


def listed(pattern, take):
    """Return the sorted command names that files of the house stand for."""
    return sorted(take(path.name) for path in ROOT.glob(pattern))


def entry_points():
    """Return {command: module and function} of setup.cfg."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    lines = config["options.entry_points"]["console_scripts"].strip().splitlines()
    return dict(re.split(r"\s*=\s*", line, maxsplit=1) for line in lines)


def readme_rows():
    """Return [(command, what it does)] of README's table."""
    return re.findall(r"^\| `(s3-\w+)` \| (.+?) \|$", (ROOT / "README.md").read_text(),
                      re.MULTILINE)


LISTS = {
    "bin": lambda: listed("bin/*", str),
    "setup.cfg": lambda: sorted(entry_points()),
    "man": lambda: listed("man/s3-*.1", lambda name: name.removesuffix(".1")),
    "README": lambda: [name for name, _ in readme_rows()],
    "tests/commands": lambda: listed("tests/commands/test_*.py", lambda name: f"s3-{name[5:-3]}"),
    "tests/pipes": lambda: listed("tests/pipes/s3-*.sh", lambda name: name.removesuffix(".sh")),
    "pipes' transcripts":
    lambda: listed("tests/pipes/s3-*.out", lambda name: name.removesuffix(".out")),
    "s3kit(7)": lambda: sorted(re.findall(r"^\.It Xr (s3-\w+) 1$", (MAN / "s3kit.7").read_text(),
                                          re.MULTILINE)),
}


@pytest.mark.parametrize("where", LISTS)
def test_every_list_has_every_command(where):
    """What is a command in one place is one everywhere."""
    assert sorted(LISTS[where]()) == [f"s3-{name}" for name in COMMANDS]


def test_entry_points_are_the_commands_modules():
    """setup.cfg and bin/ start the same function."""
    assert entry_points() == {f"s3-{name}": f"s3kit.commands.{name}:main" for name in COMMANDS}
    scripts = {name: (ROOT / "bin" / f"s3-{name}").read_text() for name in COMMANDS}
    assert {text.replace(f"s3-{name}", "s3-X").replace(f"commands.{name} ", "commands.X ")
            for name, text in scripts.items()} == {scripts["list"].replace("s3-list", "s3-X")
                                                   .replace("commands.list ", "commands.X ")}
    assert all((ROOT / "bin" / f"s3-{name}").stat().st_mode & 0o111 for name in COMMANDS)


# --- man pages


def page(command):
    """Return the lines of a command's page."""
    return (MAN / f"s3-{command}.1").read_text().splitlines()


def page_options(lines):
    """Return {names, short first: value} of the options that a page explains (`.It Fl`)."""
    found = {}
    for line in lines:
        if line.startswith(".It Fl "):
            for option in re.sub(r"( Ar \S+) , ", r"\1\n", line[4:]).split("\n"):
                flags, _, value = option.partition(" Ar ")
                names = tuple(f"-{name}" for name in re.findall(r"Fl (\S+)", flags))
                assert names not in found, f"{names} is there twice"
                found[names] = value
                assert names == tuple(sorted(names, key=len)), "short options first"
    return found


@pytest.mark.parametrize("command", COMMANDS)
def test_page_and_parser_have_the_same_options(command):
    """Both ways, short and long, with the same name for the value."""
    assert page_options(page(command)) == options(command)


@pytest.mark.parametrize("command", COMMANDS)
def test_one_sentence_says_what_a_command_does(command):
    """The page's NAME, the module's docstring, README's row and --help."""
    module = importlib.import_module(f"s3kit.commands.{command}")
    name, _, sentence = module.__doc__.strip().partition(": ")
    lines = page(command)
    assert name == module.NAME == f"s3-{command}"
    assert [lines[at:at + 2] for at, line in enumerate(lines) if line == f".Nm {name}"][0] == \
        [f".Nm {name}", f".Nd {sentence.removesuffix('.')}"]
    assert dict(readme_rows())[name] == sentence.removesuffix(".")
    assert parser(command).description == sentence[0].upper() + sentence[1:]


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_ends_with_an_example_and_where_the_statuses_are(command):
    """The example is one of the page's."""
    made = parser(command)
    end = f"\n\nexample:\n  {made.example}\n\nExit statuses: s3-{command}(1)\n"
    assert made.format_help().endswith(end)
    assert (f"s3-{command}.1", made.example) in list(examples())


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_shows_defaults(command):
    """In parentheses; what is not given and means nothing then has none."""
    assert not [action.option_strings for action in parser(command)._actions
                if action.default not in (None, False, [], "", argparse.SUPPRESS)
                and takes_value(action) and not re.search(r"\(.+\)", action.help)]


SECTIONS = ["NAME", "SYNOPSIS", "DESCRIPTION", "EXIT STATUS", "EXAMPLES", "DIAGNOSTICS", "SEE ALSO"]


@pytest.mark.parametrize("command", COMMANDS)
def test_sections_of_a_page(command):
    """Always the same, in the same order, and a page that can be read in one go."""
    lines = page(command)
    assert [line[4:] for line in lines if line.startswith(".Sh ")] == SECTIONS
    assert lines[1] == f".Dt {f's3-{command}'.upper()} 1"
    assert 80 <= len(lines) <= 170


@pytest.mark.parametrize("command,states", [("fetch", states.FETCHABLE),
                                            ("put", PUTTABLE),
                                            ("restore", states.RESTORABLE),
                                            ("verify", states.VERIFIABLE)])
def test_pages_name_the_states_that_a_command_acts_on(command, states):
    """The sentence "It acts on rows that are ..., or have no state" is the code's."""
    lines = page(command)
    said = lines[lines.index("It acts on rows that are") + 1].removeprefix(".Li ")
    assert set(said.rstrip(" ,").split(" , ")) | {""} == states


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_references_lead_somewhere(path):
    """Every page of ours that a page refers to is there."""
    found = re.findall(r"^\.(?:It )?Xr (s3\S*) (\d)", path.read_text(), re.MULTILINE)
    assert not [f"{name}({section})" for name,
                section in found if not (MAN / f"{name}.{section}").exists()]


def test_readme_names_pages_that_are_there():
    """`man 7 s3kit`, `man s3-fetch`: the first of a name where it has no section."""
    found = re.findall(r"`man (?:(\d) )?(s3[\w-]*)", (ROOT / "README.md").read_text())
    assert found and not [name for section, name in found
                          if not list(MAN.glob(f"{name}.{section or '[1357]'}"))]


@pytest.mark.system("groff")
@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_groff_has_nothing_to_say(path):
    """groff ends with 0 even after errors: only its silence counts."""
    done = subprocess.run(["groff", "-mdoc", "-Tutf8", "-ww", "-z", str(path)], capture_output=True,
                          text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_exit_statuses_are_those_of_errors():
    """s3kit(7)'s table has errors.py's numbers, in errors.py's words."""
    source = MODULES["errors"].read_text()
    wanted = {int(number): said for number,
              said in re.findall(r"^[A-Z_]+ = (\d+)\s+# (.+)$", source, re.MULTILINE)}
    assert set(wanted) == {value for name, value in vars(errors).items() if name.isupper()}
    text = (MAN / "s3kit.7").read_text().partition(".Sh EXIT STATUS\n")[2].partition(".Sh ")[0]
    table = re.findall(r"^\.It Li (\d)\n(.+)\.$", text, re.MULTILINE)
    assert {int(number): said for number, said in table} == \
        {number: said[0].upper() + said[1:] for number, said in wanted.items()}


def examples():
    """Yield (where, command line) of every example in the pages and in README."""
    for path in PAGES:
        for line in re.findall(r"^\.Dl (.+)$", path.read_text(), re.MULTILINE):
            yield path.name, line.replace("\\(aq", "'").replace("\\e", "\\")
    for line in re.findall(r"^ *\$ (.+)$", (ROOT / "README.md").read_text(), re.MULTILINE):
        yield "README.md", line


def stages(line):
    """Return the argument lists of the commands of ours in a command line; what follows `#` is a
    comment.
    """
    words = shlex.shlex(line, posix=True, punctuation_chars="|&;<>()")
    words.whitespace_split = True
    found, stage = [], []
    for word in [*words, "|"]:
        if set(word) <= set("|&;<>()"):
            found, stage = [*found, stage], []
        else:
            stage.append(word)
    return [stage for stage in found if stage and stage[0] in {f"s3-{name}" for name in COMMANDS}]


@pytest.mark.parametrize("where,line", list(examples()))
def test_examples_are_understood(where, line, capsys):
    """Every example of a command has options that the command has."""
    for name, *arguments in stages(line):
        try:
            parser(name.removeprefix("s3-")).parse_args(arguments)
        except SystemExit as end:
            assert not end.code, f"{where}: {line}\n{capsys.readouterr().err}"


def test_the_page_of_forms_has_every_form():
    """s3kit-forms(5) has the names that --from and -f know, each in one section's title."""
    titles = re.findall(r"^\.Ss (.+)$", (MAN / "s3kit-forms.5").read_text(), re.MULTILINE)
    named = [name for title in titles for name in title.split(" , ")]
    assert sorted(named) == sorted(foreign.FORMS)


# --- starting


@pytest.mark.parametrize("option", ["--help", "--version"])
@pytest.mark.parametrize("command", COMMANDS)
def test_help_loads_nothing_heavy(command, option):
    """No network, no credentials, no boto3, and little of anything else, so that it comes at once.
    """
    script = ("import runpy, sys\n"
              "sys.argv, bare = sys.argv[1:], set(sys.modules)\n"
              "try:\n    runpy.run_path(sys.argv[0], run_name='__main__')\n"
              "except SystemExit as end:\n    assert not end.code\n"
              f"print(*[name for name in {HEAVY} if name in sys.modules], file=sys.stderr)\n"
              f"loaded = sorted(set(sys.modules) - bare)\n"
              f"assert len(loaded) <= {MODULES_MOST}, loaded")
    done = subprocess.run([sys.executable, "-c", script, str(ROOT / "bin" / f"s3-{command}"),
                           option], capture_output=True, text=True)
    assert (done.returncode, done.stderr.strip()) == (0, "")
    assert f"s3-{command}" in done.stdout
