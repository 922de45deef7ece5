"""The tools that are compared: each with its best sensible options and as many connections as
s3kit has, or as people type it.

In a line: {bucket}, {dest} (an empty directory), {out} (a file), {n} (connections), {prefix} (of
what is asked for), {url}, {python} (the peers' own).
"""

import os
import shutil
import subprocess
from dataclasses import dataclass, replace

from s3kit.s3.window import MANY

CORES = os.cpu_count()
EACH = 32                       # connections of a worker of s3kit, of which there is one a core
CONNECTIONS = EACH * CORES
FIFTH = 5
PEERS = ("s5cmd", "rclone", "obstore", "aws")
MODULES = ("obstore", "duckdb")    # which the peers' Python has
HERE = os.path.dirname(os.path.abspath(__file__))


@dataclass(frozen=True)
class Tool:
    """One way to do a case's work."""

    name: str
    line: str
    needs: str = ""             # the program, or one of MODULES
    share: int = 1              # it does only one in so many objects, those below 0/, and is scaled
    once: bool = False          # one round is enough, it is slow
    before: object = None       # called before each run
    note: str = ""
    is_rival: bool = True       # it does the same work, and may be the best peer

    @property
    def ours(self):
        """Whether it is s3kit."""
        return self.name.startswith("s3")


def fifth(tool):
    """Return a slow tool that gets a fifth of the objects, once."""
    return replace(tool, name=f"{tool.name} (1/{FIFTH}, scaled)", share=FIFTH, once=True)


PLAIN = "s3-manifest -q s3://{bucket}/ | s3-fetch -q -d {dest}"
MAKE = f"{PLAIN} -c {EACH}"
FETCH = Tool("s3kit fetch", MAKE + " -o {out}")
PIPELINE = Tool("s3kit fetch, verify", MAKE + " | s3-verify -q -d {dest} -o {out}")
# 64 workers of s5cmd were as fast as its 256 or faster; for one large object parts of 16 MiB in 16
# streams were best for both s5cmd and rclone.
S5CMD = Tool("s5cmd cp", "s5cmd --log error --numworkers {n} cp 's3://{bucket}/*' {dest}/", "s5cmd")
S5CMD_LARGE = replace(S5CMD,
                      line="s5cmd --log error --numworkers {n} cp -c 16 -p 16 's3://{bucket}/*' "
                      "{dest}/")
# no HEAD for each object's own time
RCLONE_OPTIONS = "--transfers {n} --checkers {n} --fast-list --use-server-modtime"
RCLONE = Tool("rclone copy", f"rclone copy {RCLONE_OPTIONS} b:{{bucket}} {{dest}}", "rclone")
RCLONE_LARGE = replace(RCLONE, line=RCLONE.line
                       + " --multi-thread-streams 16 --multi-thread-chunk-size 16Mi")
OBSTORE = Tool("obstore", f"{{python}} {HERE}/obstore_copy.py {{bucket}} {{dest}} {{n}}", "obstore")
AWS_WHOLE = Tool("aws s3 cp",
                 "AWS_CONFIG_FILE=$S3KIT_BENCH_AWS aws s3 cp --quiet --recursive "
                 "s3://{bucket}/{prefix} {dest}/{prefix}", "aws")
AWS = fifth(AWS_WHOLE)
# As it comes: nothing is said of connections. s5cmd opens 256, rclone 4, aws 10.
PLAIN_FETCH = Tool("s3kit fetch", PLAIN + " -o {out}")
PLAIN_S5CMD = Tool("s5cmd cp", "s5cmd --log error cp 's3://{bucket}/*' {dest}/", "s5cmd")
PLAIN_RCLONE = Tool("rclone copy", "rclone copy b:{bucket}/{prefix} {dest}/{prefix}", "rclone")
PLAIN_AWS_WHOLE = replace(AWS_WHOLE, line=AWS_WHOLE.line.partition(" ")[2])
PLAIN_AWS = fifth(PLAIN_AWS_WHOLE)
DEFAULTS = (PLAIN_FETCH, PLAIN_S5CMD, PLAIN_RCLONE, PLAIN_AWS)
# rclone's four connections wait for a minute
DEFAULTS_LATE = (PLAIN_FETCH, PLAIN_S5CMD, fifth(PLAIN_RCLONE), PLAIN_AWS)
DEFAULTS_LARGE = (PLAIN_FETCH, PLAIN_S5CMD, PLAIN_RCLONE, PLAIN_AWS_WHOLE)
COPY = (FETCH, PIPELINE, S5CMD, RCLONE, OBSTORE, AWS)
# the same with so many connections as s3kit opens at most by itself
COPY_MANY = tuple(replace(tool, line=tool.line.replace("{n}", str(MANY)).replace(
    f"-c {EACH}", f"-c {MANY // CORES}")) for tool in (FETCH, S5CMD, RCLONE, OBSTORE))
COPY_LARGE = (FETCH, PIPELINE, S5CMD_LARGE, RCLONE_LARGE, OBSTORE, replace(AWS_WHOLE, once=True))
NOTHING = (
    FETCH,
    Tool("s5cmd sync", "s5cmd --log error --numworkers {n} sync 's3://{bucket}/*' {dest}/{bucket}/",
         "s5cmd"),
    Tool("rclone copy", f"rclone copy {RCLONE_OPTIONS} b:{{bucket}} {{dest}}/{{bucket}}", "rclone"),
    Tool("aws s3 sync", "AWS_CONFIG_FILE=$S3KIT_BENCH_AWS aws s3 sync --quiet s3://{bucket} "
         "{dest}/{bucket}", "aws", once=True))
LISTS = (
    Tool("s3-manifest --versions", "s3-manifest -q --versions s3://{bucket}/ > {out}"),
    Tool("s3-list --versions -R", "s3-list -q --versions -R s3://{bucket}/ > {out}"),
    Tool("s5cmd ls", "s5cmd ls --all-versions 's3://{bucket}/*' > {out}", "s5cmd"),
    Tool("rclone lsf",
         "rclone lsf -R --files-only --s3-versions --fast-list b:{bucket} > {out}", "rclone",
         note="leaves delete markers out"),
    Tool("aws s3api", "AWS_CONFIG_FILE=$S3KIT_BENCH_AWS aws s3api list-object-versions "
         "--bucket {bucket} --output json --query '[Versions,DeleteMarkers][][].[Key,VersionId]' "
         "--output text > {out}", "aws", once=True))
REMOVE = (Tool("s5cmd rm",
               "s5cmd --log error --numworkers {n} rm --all-versions 's3://{bucket}/*' > {out}",
               "s5cmd"),)
# Uploads of the tree {dest}, which no tool changes. s3kit's rows say by what each object is proven.
PLAIN_PUT = Tool("s3kit put", "s3-put -q --to s3://{bucket}/ -o {out} {dest}")
PLAIN_SEND = (
    PLAIN_PUT,
    Tool("s3kit manifest, put",
         "s3-manifest -q {dest} | s3-put -q --to s3://{bucket}/ -d {dest} -o {out}"),
    Tool("s5cmd cp", "s5cmd --log error cp {dest}/ s3://{bucket}/", "s5cmd"),
    Tool("rclone copy", "rclone copy {dest}/{prefix} b:{bucket}/{prefix}", "rclone"),
    fifth(Tool("aws s3 cp",
               "aws s3 cp --quiet --recursive {dest}/{prefix} s3://{bucket}/{prefix}", "aws")))
PUT = replace(PLAIN_PUT, line=PLAIN_PUT.line.replace("s3-put -q", f"s3-put -q -c {EACH}"))
RCLONE_SEND = f"rclone copy {RCLONE_OPTIONS} --s3-no-head {{dest}} b:{{bucket}}"
SEND = (
    PUT,
    Tool("s5cmd cp", "s5cmd --log error --numworkers {n} cp {dest}/ s3://{bucket}/", "s5cmd"),
    Tool("rclone copy", RCLONE_SEND, "rclone"),
    replace(PLAIN_SEND[-1], line="AWS_CONFIG_FILE=$S3KIT_BENCH_AWS " + PLAIN_SEND[-1].line))
# no MD5 of the whole file before its first part
SEND_LARGE = (
    PUT,
    Tool("s5cmd cp", "s5cmd --log error --numworkers {n} cp -c 16 -p 16 {dest}/ s3://{bucket}/",
         "s5cmd"),
    Tool("rclone copy", RCLONE_SEND + " --s3-disable-checksum --s3-chunk-size 16Mi "
         "--s3-upload-concurrency 16", "rclone"),
    replace(SEND[-1], share=1, name="aws s3 cp"))
SEND_LATE = tuple(fifth(tool) if tool.needs == "rclone" else tool for tool in PLAIN_SEND)
PLAIN_SEND_LARGE = (*PLAIN_SEND[:-1], replace(PLAIN_SEND[-1], share=1, name="aws s3 cp"))


def relays(url, bucket):
    """Return the tools that bring a bucket of the server at `url` to another server: s3-relay
    through one directory and through three, rclone in two steps, one after the other.
    """
    line = (f"s3-relay -q --once -w {{dest}}/work --source-endpoint-url {url} "
            f"--target-endpoint-url {{url}} {{volumes}} s3://{bucket}/ s3://{{bucket}}/")
    ours = [Tool(f"s3-relay, {count}", line.replace("{volumes}", " ".join(
        f"--volume {{dest}}/{number}" for number in range(count))))
        for count in (1, 3)]
    down = f"RCLONE_CONFIG_B_ENDPOINT={url} rclone copy {RCLONE_OPTIONS} b:{bucket} {{dest}}/all"
    up = f"rclone copy {RCLONE_OPTIONS} --s3-no-head {{dest}}/all b:{{bucket}}"
    return (*ours, Tool("rclone copy, twice", f"{down} && {up}", "rclone"))


def lists_late():
    """Return the tools that list with latency; s3-manifest with few connections and with many."""
    several = [Tool(f"s3-manifest --versions -c {n}",
                    f"s3-manifest -q --versions -c {n} s3://{{bucket}}/ > {{out}}")
               for n in (32, 8, 1)]
    return (*several, *[tool for tool in LISTS if tool.needs in ("s5cmd", "rclone")])


COMMAND = """\
#!{python}
import sys
sys.path.insert(0, {checkout!r})
from s3kit.commands.{module} import main
sys.exit(main())
"""


def make_commands(folder, checkout, python):
    """Write the commands of a checkout into a new folder, run by a Python that has what s3kit
    needs and no more, as users have it; return the folder.

    What tests need changes how long a command takes to start: lxml loads rnc2rng where it is there.
    """
    folder.mkdir()
    for command in (checkout / "bin").iterdir():
        path = folder / command.name
        path.write_text(COMMAND.format(python=python, checkout=str(checkout),
                                       module=command.name.removeprefix("s3-")))
        path.chmod(0o755)
    return folder


def revision(checkout):
    """Return what a checkout's s3kit is, in words: its place, and its commit where git says it."""
    try:
        done = subprocess.run(["git", "-C", checkout, "describe", "--always", "--dirty=, changed"],
                              capture_output=True, text=True)
        commit = done.stdout.strip()
    except FileNotFoundError:
        commit = ""
    return f"{checkout}, commit {commit or 'unknown'}"


class Peers:
    """Where the peers are installed, and what they are told of a server.

    The commands of s3kit are those in `ours`, whatever the peers' environment has.
    """

    def __init__(self, folder, work, ours):
        self.python = f"{folder}/bin/python"
        self.path = f"{ours}:{folder}/bin:{os.environ['PATH']}"
        self.config = work / "aws-config"
        self.config.write_text(
            f"[default]\ns3 =\n  max_concurrent_requests = {CONNECTIONS}\n  addressing_style = "
            "path\n")

    def env(self, server):
        """Return the environment of all tools, without what would change them: also Python's, which
        may keep modules from being compiled once.
        """
        alone = {name: text for name, text in os.environ.items()
                 if not name.startswith(("AWS_", "RCLONE_", "S3_", "PYTHON"))}
        return alone | server.env | {"PATH": self.path, "S3_ENDPOINT_URL": server.url,
                                     "AWS_CONFIG_FILE": "/dev/null",
                                     "S3KIT_BENCH_AWS": str(self.config),
                                     "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
                                     "AWS_EC2_METADATA_DISABLED": "true",
                                     "RCLONE_CONFIG": "/dev/null", "RCLONE_CONFIG_B_TYPE": "s3",
                                     "RCLONE_CONFIG_B_PROVIDER": "Other",
                                     "RCLONE_CONFIG_B_ENV_AUTH": "true",
                                     "RCLONE_CONFIG_B_ENDPOINT": server.url,
                                     "RCLONE_CONFIG_B_REGION": "us-east-1",
                                     "RCLONE_CONFIG_B_NO_CHECK_BUCKET": "true"}

    def has(self, tool):
        """Return whether a tool is there."""
        if tool.needs in MODULES:
            return tool.needs in self.versions()
        return not tool.needs or bool(shutil.which(tool.needs, path=self.path))

    def versions(self):
        """Return {peer: its version} of those that are there."""
        ask = {"s5cmd": ["s5cmd", "version"], "rclone": ["rclone", "version"],
               "aws": ["aws", "--version"],
               **{name: [self.python, "-c", f"import {name}, importlib.metadata as m; "
                                            f"print(m.version('{name}'))"] for name in MODULES}}
        found = {}
        for name, argv in ask.items():
            program = shutil.which(argv[0], path=self.path)
            done = program and subprocess.run([program, *argv[1:]], capture_output=True, text=True)
            if done and done.returncode == 0:
                found[name] = (done.stdout.split("\n")[0].removeprefix("rclone ").split(" ")[0]
                               .removeprefix("aws-cli/"))
        return found
