"""The frame of every command: streams, signals, progress, exit status (DESIGN.md section 4)."""

import gc
import os
import signal
import sys
import time
from contextlib import contextmanager

from s3kit.errors import DONE, SOME_FAILED, UNFINISHED, UNVERIFIABLE, Fault, Usage, reason
from s3kit.text import count, visible

CLEAR = "\r\x1b[K"          # to the line's beginning, and what a bar left there away
HINT = "s3-manifest s3://bucket/ | "
GARBAGE = 50_000            # objects between looks for circles, of which rows make none


class Interrupted(BaseException):
    """A signal asked us to stop; its number is the argument."""


def say(name, text):
    """Tell people something on stderr, safe for their terminal."""
    try:
        sys.stderr.write(f"{CLEAR if Progress.shown else ''}{visible(f'{name}: {text}')}\n")
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):
        pass            # nobody listens


class Person:
    """Whoever sits at the terminal, which stdin need not be: ask(question) is whether they say yes.

    `hint` says what can be done without one. Raises Usage where there is no terminal.
    """

    def __init__(self, hint="-n shows what would be done"):
        try:
            self.terminal = open("/dev/tty", "r+b", buffering=0)
        except OSError:
            raise Usage(f"this wants --yes, or a terminal to ask on ({hint})") from None

    def __call__(self, question):
        """Ask; anything but yes is no."""
        return self.line(f"{question} [y/N]").lower() in ("y", "yes")

    def line(self, question):
        """Ask; return what they type."""
        with Signals.at_once():
            self.terminal.write(visible(f"{question} ").encode())
            return self.terminal.readline().decode(errors="replace").strip()

    def show(self, text):
        """Show a line."""
        self.terminal.write(f"{visible(text)}\n".encode())


class Signals:
    """INT and TERM: the first asks to stop, the second ends at once by the default action."""

    number = 0
    graceful = False

    @classmethod
    def watch(cls):
        """Install the handlers; Python's own SIGPIPE setting stays (writing to sockets needs it)."""
        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) != signal.SIG_IGN:      # as under nohup
                signal.signal(number, cls.take)

    @classmethod
    def take(cls, number, frame):
        """Take a signal: stop here and now, or where the work is whole if it asked for that."""
        if cls.number:
            die_of(number)
        cls.number = number
        if not cls.graceful:
            raise Interrupted(number)

    @classmethod
    @contextmanager
    def at_once(cls):
        """Within this a signal stops us here and now: for calls of which nobody knows how long they take."""
        before, cls.graceful = cls.graceful, False
        try:
            cls.check()
            yield
        finally:
            cls.graceful = before

    @classmethod
    def check(cls):
        """Raise Interrupted if a signal has come."""
        if cls.number:
            raise Interrupted(cls.number)


def die_of(number):
    """End by a signal's default action, so that the shell knows."""
    try:
        sys.stderr.flush()
    except (OSError, ValueError, RuntimeError):
        pass            # full, closed, or we are in the middle of a write to it
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def open_standard():
    """Open what is closed of descriptors 0 to 2, so that no other file gets their numbers.

    stdout becomes unwritable, not a place where output vanishes.
    """
    for fd, mode in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(fd)
        except OSError:
            os.open(os.devnull, mode)
    if sys.stdout is None:
        sys.stdout = os.fdopen(1, "w", closefd=False)
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w", closefd=False)


def run(made, work, argv=None):
    """Parse the arguments, run `work(args)`, return its exit status; every expected fault is one line."""
    open_standard()
    Signals.watch()
    gc.set_threshold(GARBAGE)
    try:
        return attempt(made, work, argv)
    finally:
        for stream, fd in ((sys.stdout, 1), (sys.stderr, 2)):
            try:
                stream.flush()
            except (OSError, ValueError):
                # What Python could not write at its end would change our status to 120.
                os.dup2(os.open(os.devnull, os.O_WRONLY), fd)


def attempt(made, work, argv):
    """Do what `run` says; what people must know of a failure is said here."""
    name = made.prog
    try:
        status = work(made.parse_args(argv))
        sys.stdout.flush()
        return status
    except SystemExit as end:
        try:
            sys.stdout.flush()
        except OSError as error:
            return not_written(name, error)
        return end.code
    except Interrupted as interrupted:
        return stop(interrupted.args[0])
    except Fault as fault:
        say(name, fault)
        return Signals.number and stop(Signals.number) or fault.status
    except BrokenPipeError as error:
        return not_written(name, error)
    except OSError as error:
        return not_written(name, error) if error.filename is None else fail(name, error)
    except ImportError as error:
        say(name, f"cannot load '{error.name}': {error} (pip install s3kit, or use its environment's bin)")
        return UNFINISHED


def fail(name, error):
    """Say an OSError about a file; return the status."""
    say(name, f"cannot use '{error.filename}': {reason(error)}")
    return UNFINISHED


def not_written(name, error):
    """Our reader has gone: die of it as coreutils do; or the output could not be written: say so."""
    muted = os.open(os.devnull, os.O_WRONLY)
    os.dup2(muted, 1)
    if isinstance(error, BrokenPipeError):
        die_of(signal.SIGPIPE)
    say(name, f"cannot write the output: {reason(error)}")
    return UNFINISHED


def stop(number):
    """Die of the signal that came."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    die_of(number)
    return 128 + number


class Source:
    """The manifests a command was given, as one stream of batches of rows."""

    def __init__(self, args):
        self.name = args.prog
        self.files = args.file or ["-"]
        self.bucket, self.columns = args.bucket or "", args.columns
        for path in self.files:
            if path.startswith("-") and path != "-":
                raise Usage(f"unknown option '{path}' (a file of that name is './{path}')")
        if "-" in self.files and os.isatty(0):
            raise Usage(f"a manifest is expected on stdin or as FILE, like: {HINT}{self.name}")
        if len(set(self.files)) < len(self.files) and "-" in self.files:
            raise Usage("'-' can be read once")
        self.input, self.readers = None, []
        self.form_of_first = None

    @property
    def form(self):
        """The form of the first input, known once a batch has come."""
        return self.form_of_first or "csv"

    def extras(self):
        """The names of unknown columns seen so far."""
        return self.input.extras if self.input else []

    def batches(self):
        """Yield lists of rows. Raises Cut at the end of an input that was cut, Fault for one of no use."""
        from s3kit.errors import of_file
        from s3kit.manifest.streams import Input
        for path in self.files:
            try:
                fd = 0 if path == "-" else os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            except OSError as error:
                raise of_file("open", path, error) from None
            self.input = Input(fd, "standard input" if path == "-" else path, self.bucket, self.columns)
            for rows in self.input.batches():
                self.form_of_first = self.form_of_first or self.input.form
                yield rows
            self.form_of_first = self.form_of_first or self.input.form
            self.readers.append(self.input.reader)
            for warning in self.input.warnings:
                say(self.name, f"warning: {warning}")
            if fd:
                os.close(fd)


class Sink:
    """Where the manifest goes: a file, stdout, or on a terminal nowhere, where people get the summary."""

    def __init__(self, args, form, source_rows=False):
        from s3kit.manifest.streams import Output
        path = None if args.output in (None, "-") else args.output
        if getattr(args, "in_place", False):
            if len(args.file) != 1 or args.file == ["-"] or path:
                raise Usage("-i rewrites one FILE, and goes with no -o")
            path = args.file[0]
        self.name = args.prog
        self.form = lambda: args.format or form_of_name(args.output or "") or form()
        shown = source_rows or path or args.output == "-" or not os.isatty(1)
        try:
            self.output = Output(path=path) if shown else None
            if shown and not path and os.isatty(1):
                self.output.file = Shown(self.output.file)
        except OSError as error:
            from s3kit.errors import of_file
            raise of_file("write", path or "stdout", error) from None

    def write(self, rows, extras=()):
        """Write rows."""
        if self.output:
            self.output.form = self.form() if not self.output.begun else self.output.form
            self.output.write(rows, extras)

    def close(self):
        """Write the end mark."""
        if self.output:
            if not self.output.begun:
                self.output.form = self.form()
            self.output.close()
            if self.output.lost:
                say(self.name, f"warning: columns first seen after CSV's header was written are lost: "
                               f"{', '.join(sorted(self.output.lost))} (-f xml keeps them)")

    def abandon(self):
        """Leave without the end mark."""
        if self.output:
            self.output.abandon()


def form_of_name(path):
    """Return the form that a file's name tells: `m.xml.gz` is XML."""
    for compression in (".gz", ".zst", ".zstd"):
        path = path.removesuffix(compression)
    return {".csv": "csv", ".xml": "xml"}.get(os.path.splitext(path)[1], "")


class Shown:
    """A terminal that a manifest is written to: what could act on it is written out, as everywhere."""

    def __init__(self, file):
        self.file = file
        self.flush, self.close = file.flush, file.close

    def write(self, data):
        """Write bytes of whole lines."""
        text = bytes(data).decode("utf-8", "surrogateescape")
        view = memoryview("\n".join(map(visible, text.split("\n"))).encode())
        while view:
            view = view[self.file.write(view):]
        return len(data)


@contextmanager
def closing(sink, *others):
    """Close the sink with its end mark if all went well, without it if not (nor can be); close the others anyway."""
    try:
        yield
        sink.close()
    except BaseException:
        sink.abandon()
        raise
    finally:
        for other in others:
            other.close()


class Tally:
    """Counts the rows that leave a command, and knows the exit status that follows."""

    def __init__(self, args):
        self.name, self.quiet, self.verbose = args.prog, args.quiet, args.verbose
        self.states = {}
        self.bytes = 0
        self.started = time.monotonic()

    def count(self, row, told=False):
        """Count a row by its state; one that failed here is named on stderr, with the reason."""
        self.states[row.state] = self.states.get(row.state, 0) + 1
        if told and row.error:
            say(self.name, f"{row.name}: {row.error}")
        elif self.verbose:
            say(self.name, f"{row.name}: {row.state or 'passed on'}")

    def of(self, *states):
        """Return how many rows left in any of the states."""
        return sum(self.states.get(state, 0) for state in states)

    def say(self, text):
        """Tell people something that is no fault of a row."""
        if not self.quiet:
            say(self.name, text)

    def status(self, unverifiable=True):
        """Return 1 if any row is wrong, 5 if some could not be verified, else 0."""
        from s3kit.manifest.row import UNVERIFIABLE as CANNOT_TELL
        from s3kit.manifest.row import WRONG
        if self.of(*WRONG):
            return SOME_FAILED
        return UNVERIFIABLE if self.of(CANNOT_TELL) and unverifiable else DONE

    def summary(self, progress, parts):
        """Say in one line what was done: the parts that are not nothing."""
        from s3kit.units import show_span
        text = ", ".join(part for part in parts if part) or count(0, "row")
        progress.end(f"{self.name}: {text} in {show_span(time.monotonic() - self.started)}")


class Progress:
    """A bar on stderr, if that is a terminal; the stages of a pipeline each keep to a line of their own.

    All stages draw relative to the same cursor, so only the last may move it for good.
    """

    LINES = {"s3-manifest": 0, "s3-restore": 1, "s3-fetch": 2, "s3-verify": 3, "s3-prune": 4}
    shown = None

    def __init__(self, args, unit="B"):
        self.bar, self.quiet = None, args.quiet
        self.is_shown = os.isatty(2) and not args.quiet
        self.line = self.LINES.get(args.prog, 0) if in_pipe(0) else 0
        if not self.is_shown:
            return
        from tqdm import tqdm
        Progress.shown = self
        self.bar = tqdm(desc=f"{args.prog:<11}", unit=unit, unit_scale=True, unit_divisor=1024 if unit == "B" else 1000,
                        position=self.line, leave=False, dynamic_ncols=True, mininterval=0.2, file=sys.stderr)
        self.bar.total = 0

    def expect(self, amount):
        """Add to the total."""
        if self.bar is not None:
            self.bar.total += amount

    def move(self, amount, text=None):
        """Add to what is done."""
        if self.bar is not None:
            if text:
                self.bar.set_postfix_str(text, refresh=False)
            self.bar.update(amount)
            if not amount:
                self.bar.refresh()      # tqdm would think that there is nothing new

    def end(self, text):
        """Put the summary in the bar's place: for good below all others if no other stage follows."""
        if self.bar is not None and in_pipe(1):
            self.bar.display(visible(text), self.line)
            self.bar.disable = True         # what stands there stays
            self.bar = None
            return
        self.close()
        if not self.quiet:
            name, _, rest = text.partition(": ")
            sys.stderr.write("\n" * self.line if self.is_shown else "")
            say(name, rest)

    def close(self):
        """Take the bar away."""
        if self.bar is not None:
            self.bar.close()
            self.bar = None
        Progress.shown = None


def in_pipe(fd):
    """Return whether a descriptor is a pipe."""
    import stat
    return stat.S_ISFIFO(os.fstat(fd).st_mode)
