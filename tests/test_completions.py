"""Completions for bash, zsh and fish: made of the parsers, and right in each shell.

`python tests/support/completions.py` makes them anew.
"""

import os
import subprocess
import time

import completions
import pytest
from conftest import BIN, ROOT, clean_env, env_of
from terminals import pieces

from s3kit.manifest import foreign

COMMANDS = {made.name: made for made in completions.commands()}
# Calls _s3kit as readline does: its word begins after the last blank, or what else breaks words.
BASH = r"""
for file in man/completion/bash/s3-*; do . "$file" || exit; done
_s3kit_seconds=$1
while IFS= read -r COMP_LINE; do
    COMP_POINT=${#COMP_LINE} word=${COMP_LINE##*[ $2]}
    before=${COMP_LINE%"$word"}
    [[ $before == *[:=] ]] && before=${before: -1}
    read -ra words <<< "$before"
    _s3kit "${COMP_LINE%% *}" "$word" "${words[-1]}"
    printf '%s\t' "${COMPREPLY[@]}"; echo
done
"""
SHOP = """#!/bin/sh
echo "$*" >> '{folder}/asked'
cat <<'END'
photos
photos-old
$(touch owned)
`touch owned`
lo gs
END
{then}
"""


def options(command):
    """Return the names of all options of a command."""
    return {name for option in COMMANDS[command].options for name in option.names}


def bash(*lines, seconds=60, breaks=":=", env=None):
    """Return [what bash would offer at the end of each of these lines, as a set]."""
    done = subprocess.run(["bash", "-c", BASH, "bash", str(seconds), breaks], cwd=ROOT, text=True,
                          capture_output=True, env=clean_env(env), input="\n".join([*lines, ""]))
    assert (done.returncode, done.stderr) == (0, "")
    replies = done.stdout.split("\n")[:-1]
    assert len(replies) == len(lines)
    return [set(reply.split("\t")) - {""} for reply in replies]


@pytest.fixture
def shop(tmp_path):
    """Return f(what s3-list does after it has named some buckets) -> the environment that has it;
    `asked()` are the words that it was called with.
    """
    def make(then=""):
        (tmp_path / "s3-list").write_text(SHOP.format(folder=tmp_path, then=then))
        (tmp_path / "s3-list").chmod(0o755)
        return {"PATH": f"{tmp_path}:{BIN}:{os.environ['PATH']}", "HOME": tmp_path}

    def asked():
        return (tmp_path / "asked").read_text().split("\n")[:-1]

    (tmp_path / "asked").touch()
    make.asked = asked
    return make


def test_the_files_are_those_of_the_parsers():
    """No more of them, no fewer, and every byte."""
    made, there = completions.files(), completions.there()
    old = sorted(name for name in made.keys() | there.keys() if made.get(name) != there.get(name))
    assert not old, "made anew by: python tests/support/completions.py"
    assert all((completions.PLACE / name).exists() for name in completions.BY_HAND)


# --- bash


@pytest.mark.parametrize("command", COMMANDS)
def test_bash_offers_the_options_of_the_parser(command, shop):
    """All of them, and no other; after one that has a value, its value, not an option. S3 is not
    asked.
    """
    made = COMMANDS[command].options
    named = [(name, option) for option in made for name in option.names]
    lines = (f"{command} {name} -" for name, _ in named)
    every, *after = bash(f"{command} -", *lines, env=shop())
    assert every == options(command) and not shop.asked()
    for (name, option), offered in zip(named, after, strict=True):
        assert bool(offered & every) == (option.value is None or option.is_optional), name


@pytest.mark.parametrize("line, offered", [
    ("s3-fetch -f ", {"csv", "xml"}), ("s3-fetch --format=c", {"csv"}),
    ("s3-fetch --dest manif", {"manifests"}), ("s3-fetch --dest=manif", {"manifests"}),
    ("s3-verify set", {"setup.cfg"}), ("s3-manifest -o set", {"setup.cfg"}), ("s3-list set", set()),
    ("s3-put --to set", set()), ("s3-policy --to set", {"setup.cfg"}),
    ("s3-put --checksum crc32", {"crc32", "crc32c"}), ("s3-policy -t only", {"only-me"}),
    ("s3-fetch --from ", {"csv", "xml", *foreign.READ}),
    ("s3-filter -f ", {"csv", "xml", *foreign.WRITTEN}),
    ("s3-migrate ret", {"retry-errors"}), ("s3-migrate status -d . ret", set()),
    ("s3-fetch --endpoint-url http:", set()), ("s3-fetch --exclude ", set()),
    ("bin/s3-list --rec", {"--recursive"})])
def test_bash_offers_values(line, offered, shop):
    """Words, files or directories, as the parser calls them; a verb where there is none yet."""
    assert bash(line, env=shop()) == [offered]


@pytest.mark.parametrize("line, offered", [
    ("s3-list ", {"s3://"}), ("s3-list s3", {"s3://"}), ("s3-list s3:", {"//"}),
    ("s3-list s3://", {"//photos/", "//photos-old/"}), ("s3-list s3://photos-", {"//photos-old/"}),
    ("s3-list s3://photos/", set()), ("s3-manifest s3:/", {"//"}),
    ("s3-manifest set", {"setup.cfg"}), ("s3-put --to=s3://photos-", {"//photos-old/"}),
    ("s3-fetch --bucket photos-", {"photos-old"}), ("s3-doctor photos-", {"photos-old"}),
    ("s3-migrate status -d . ", {"photos", "photos-old"}),
    ("s3-migrate status s3://photos-", {"//photos-old/"})])
def test_bash_offers_buckets(line, offered, shop):
    """Those that s3-list names, as readline wants them; what cannot be a name is not even looked
    at.
    """
    assert bash(line, env=shop()) == [offered]
    assert not (ROOT / "owned").exists()


def test_bash_where_nothing_but_blanks_breaks_words(shop):
    """As some set COMP_WORDBREAKS: what is offered is the whole word."""
    assert bash("s3-fetch --format=c", "s3-fetch --dest=manif", "s3-put --to=s3://photos-",
                "s3-list s3://photos-", "s3-list s3", breaks="", env=shop()) == [
        {"--format=csv"}, {"--dest=manifests"}, {"--to=s3://photos-old/"}, {"s3://photos-old/"},
        {"s3://"}]


@pytest.mark.parametrize("line, asked", [
    ("s3-list --profile p -R --endpoint-url=http://h:1 s3://",
     "--profile p --endpoint-url=http://h:1"),
    ("s3-fetch --no-sign-request --exclude x --bucket ", "--no-sign-request"),
    ("s3-relay --source-profile a --target-region b s3://", "--profile a"),
    ("s3-relay --source-profile a --target-region b s3://photos/ s3://", "--region b")])
def test_bash_asks_where_the_command_would(line, asked, shop):
    """With the same profile, endpoint and so on; s3-relay has two sides."""
    bash(line, env=shop())
    assert shop.asked() == [asked]


def test_bash_does_not_wait_for_s3(shop):
    """It offers what came in time, if anything did, and says nothing of the rest."""
    begun = time.monotonic()
    buckets = {"//photos/", "//photos-old/"}
    (offered,) = bash("s3-list s3://", seconds=0.3, env=shop("sleep 30 & sleep 30"))
    assert offered in (buckets, set()) and time.monotonic() - begun < 20
    assert bash("s3-list s3://", env=shop("echo no >&2; exit 3")) == [buckets]


def test_bash_offers_the_buckets_of_a_server(fake, shims):
    """By the s3-list that lies beside the command."""
    fake.bucket("photos")
    assert bash(f"{shims}/s3-fetch --bucket ", env=env_of(fake)) == [{"photos"}]


# --- fish and zsh

# Lines, and what each shell offers at their ends, a slash or equals sign that is added left out.
OTHERS = {"s3-fetch --form": {"--format"}, "s3-migrate ret": {"retry-errors"},
          "s3-fetch -f ": {"csv", "xml"}, "s3-list ": {"s3://"},
          "s3-list --profile p s3://photos-": {"s3://photos-old"},
          "s3-fetch --bucket photos-": {"photos-old"}, "s3-fetch --dest manif": {"manifests"},
          "s3-policy -t only": {"only-me"}}


def hold(offered, shop):
    """Assert that what was offered for all long options, then at the end of the lines of OTHERS, is
    right, and that S3 was asked for no more.
    """
    offered = [{word.rstrip("/=") if word != "s3://" else word for word in words}
               for words in offered]
    for command, found in zip(COMMANDS, offered):
        assert found == {name for name in options(command) if name.startswith("--")}
    assert dict(zip(OTHERS, offered[len(COMMANDS):], strict=True)) == OTHERS
    assert shop.asked() == ["", "--profile p", ""] and not (ROOT / "owned").exists()


LINES = [*(f"{command} --" for command in COMMANDS), *OTHERS]


@pytest.mark.system("fish")
def test_fish(shop):
    """It offers all long options, values, and buckets."""
    script = ("set -g fish_complete_path $PWD/man/completion/fish $fish_complete_path\n"
              "for line in $argv; complete -C $line | cut -f 1; echo =; end")
    done = subprocess.run(["fish", "--no-config", "-c", script, *LINES], cwd=ROOT, text=True,
                          capture_output=True, env=clean_env(shop()))
    assert (done.returncode, done.stderr) == (0, "")
    hold([set(part.split()) for part in done.stdout.split("=\n")[:-1]], shop)


# A key that writes all that is offered in the word's place, one that notes the line, and the keys.
ZSH = r"""
unsetopt zle_bracketed_paste
fpath=($PWD/man/completion/zsh $fpath)
autoload -Uz compinit; compinit -D -u
zstyle ':completion:all:*' completer _all_matches _complete
zstyle ':completion:all:*' insert true
note() { print -r -- $BUFFER >> $NOTES; BUFFER= }
zle -N note; zle -C all complete-word _generic
bindkey '^Xa' all; bindkey '^Xn' note
"""


def zsh(lines, env, notes):
    """Return [what zsh would offer at the end of each line, as a set]."""
    terminal, theirs = os.openpty()
    (notes.parent / ".zshrc").write_text(ZSH)
    zsh = subprocess.Popen(["zsh", "-i"], cwd=ROOT, stdin=theirs, stdout=theirs, stderr=theirs,
                           start_new_session=True,
                           env=clean_env({"TERM": "dumb", "NOTES": notes, "ZDOTDIR": notes.parent,
                                          **env}))
    os.close(theirs)
    try:
        os.write(terminal, "".join(f"{line}\x18a\x18n" for line in lines).encode() + b"exit\n")
        said = b"".join(pieces(terminal)).decode(errors="replace")
        assert zsh.wait(60) == 0 and "command not found" not in said and "eval" not in said, said
    finally:
        zsh.kill()
        zsh.wait()
        os.close(terminal)
    noted = notes.read_text().split("\n")[:-1]
    return [set(note[len(line.rpartition(" ")[0]):].split())
            for line, note in zip(lines, noted, strict=True)]


@pytest.mark.system("zsh")
def test_zsh(shop, tmp_path):
    """It offers all long options, values, and buckets."""
    hold(zsh(LINES, shop(), tmp_path / "notes"), shop)
