"""What a command says in one line, and the exit status that goes with it.

The statuses are public (s3kit(7)); an unknown one is a failure.
"""

DONE = 0            # all done
SOME_FAILED = 1     # ran to the end; some rows failed or differ, each named
USAGE = 2           # asked wrongly; nothing done
UNFINISHED = 3  # could not run or finish: cut input, no credentials, no space, output not written
HELD = 4            # another holder has the lock; try again
UNVERIFIABLE = 5    # nothing wrong, but some rows could not be verified


class Fault(Exception):
    """Something the user must know; its text is one line, its status the command's, its code S3's
    own word for it.
    """

    status = UNFINISHED
    code = ""


class Usage(Fault):
    """The command was asked for something it cannot mean."""

    status = USAGE


class Held(Fault):
    """Another process holds what this one needs."""

    status = HELD


class Cut(Fault):
    """The input ended before it said that it ended, or says a count that is not true."""


class NoAccess(Fault):
    """S3 does not let us in, or we do not know who we are."""


class NoCredentials(NoAccess):
    """There are no credentials, none that can be used, or none newer than those that have expired.
    """


class NoSuchBucket(Fault):
    """S3 itself says that there is not a bucket of this name."""


class NoVersions(Fault):
    """The server does not know the listing of versions; its text says what to do without."""

    def __init__(self, text):
        super().__init__(f"{text} (without --versions and --at, or with s3-migrate's "
                         "--current-only, objects are listed as they are now)")


def reason(error):
    """Return the cause of an exception as people say it: strerror where there is one."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return " ".join(str(error).split()) or type(error).__name__


def of_file(action, path, error):
    """Return a Fault that reads `cannot ACTION 'PATH': reason`."""
    return Fault(f"cannot {action} '{path}': {reason(error)}")
