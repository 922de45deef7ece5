"""The person at the terminal, and the questions they are asked."""

import termios
import time

from s3kit.cli.signals import Signals
from s3kit.errors import Fault, Usage, reason
from s3kit.text import visible


class Person:
    """Who sits at the terminal, which stdin need not be: ask(question) is whether they say yes.

    `hint` says what can be done without one. Raises Usage where there is no terminal.
    """

    thought = 0.0       # seconds that all questions have waited for their answers

    def __init__(self, hint="-n shows what would be done"):
        try:
            self.terminal = open("/dev/tty", "r+b", buffering=0)
        except OSError:
            raise Usage(f"this wants --yes, or a terminal to ask on ({hint})") from None

    def __call__(self, question, word=None):
        """Ask; return whether they say yes, or with a `word` whether they type exactly that."""
        if word is not None:
            return self.line(question) == word
        return self.line(f"{question} [y/N]").lower() in ("y", "yes")

    def line(self, question):
        """Ask; return what they type after the question stands there: what was typed before answers
        nothing.
        """
        began = time.monotonic()
        with Signals.at_once():
            try:
                termios.tcflush(self.terminal.fileno(), termios.TCIFLUSH)
                self.terminal.write(visible(f"{question} ").encode())
                return self.terminal.readline().decode(errors="replace").strip()
            except (OSError, termios.error) as error:
                raise Fault(f"cannot ask on the terminal: {reason(error)}") from None
            finally:
                Person.thought += time.monotonic() - began

    def show(self, text):
        """Show a line."""
        self.terminal.write(f"{visible(text)}\n".encode())


def working_time():
    """Return seconds as time.monotonic() does, by a clock that stands while a person thinks."""
    return time.monotonic() - Person.thought
