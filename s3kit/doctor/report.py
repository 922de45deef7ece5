"""Findings as s3-doctor prints them: aligned for people, a line of tabs each for a pipe, or JSON.
"""

import json
import shutil
import textwrap

from s3kit.doctor.finding import FAULT, WARNING, WRONG
from s3kit.text import count, visible

COLUMN, WIDEST = 12, 40     # of the first column: usually, and at most
NARROWEST = 60              # terminal that lines are folded for
NAMED = 5                   # things at fault that the summary names


class Report:
    """Writes Findings to `out` as they come; with -q only what is wrong.

    `say` is for people, on stderr.
    """

    def __init__(self, args, out, say):
        self.args, self.out, self.say = args, out, say
        self.findings = []
        self.column = COLUMN
        self.width = shutil.get_terminal_size().columns if out.isatty() else 0

    def add(self, findings):
        """Print Findings."""
        if isinstance(findings, list):      # all that is known at once has one width
            self.column = max([COLUMN, *(len(finding.what)
                                         for finding in findings if len(finding.what) <= WIDEST)])
        for finding in findings:
            self.findings.append(finding)
            if not self.args.quiet or finding.state in WRONG:
                self.out.write(self.line(finding) + "\n")
                self.out.flush()

    def line(self, finding):
        """Return a Finding as it is printed."""
        if self.args.json:
            return json.dumps(finding.json())
        if not self.width:
            return "\t".join(visible(text) for text in finding[:4]).rstrip("\t")
        start = f"{visible(finding.what):<{self.column}} {finding.state:<8} "
        return "\n".join(textwrap.wrap(visible(finding.line()), max(self.width, NARROWEST),
                                       initial_indent=start,
                                       subsequent_indent=" " * (self.column + 10),
                                       break_long_words=False, break_on_hyphens=False))

    def trace(self, text):
        """Name a request, with -v."""
        if self.args.verbose:
            self.say(text)

    def summary(self):
        """Say how much was looked at, and what of it is wrong."""
        named = {state: [finding.what for finding in self.findings if finding.state == state]
                 for state in (FAULT, WARNING)}
        wrong = [count(len(whats), state) + (f" ({', '.join(dict.fromkeys(whats))})"
                                             if whats and len(set(whats)) <= NAMED else "")
                 for state, whats in named.items()]
        if not self.args.quiet:
            self.say(f"{count(len(self.findings), 'check')}: {', '.join(wrong)}")
