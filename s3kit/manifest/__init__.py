"""Rows, and the streams that carry them.

Programs use what `__all__` names, as s3kit(3) has it: `from s3kit import manifest`. It is loaded
when it is used, for every command loads this package.
"""

TYPE_CHECKING = False           # a checker of types takes it for true; `typing` costs every start
if TYPE_CHECKING:
    from s3kit.errors import Cut, Fault
    from s3kit.manifest.api import read, write
    from s3kit.manifest.row import (
        CONFLICT,
        FAILED,
        FETCHED,
        LISTED,
        LOCKED,
        MISMATCH,
        MISSING,
        PRUNED,
        RESTORED,
        RESTORING,
        STORED,
        UNVERIFIABLE,
        VANISHED,
        VERIFIED,
        Row,
        decode,
        encode,
    )

__all__ = ["read", "write", "Row", "encode", "decode", "LISTED", "RESTORING", "RESTORED", "FETCHED",
           "VERIFIED", "PRUNED", "STORED", "FAILED", "MISSING", "MISMATCH", "UNVERIFIABLE",
           "CONFLICT", "LOCKED", "VANISHED", "Fault", "Cut"]
HOMES = {"read": "s3kit.manifest.api", "write": "s3kit.manifest.api", "Fault": "s3kit.errors",
         "Cut": "s3kit.errors"}


def __getattr__(name):
    """Load what a program uses (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    from importlib import import_module
    return getattr(import_module(HOMES.get(name, "s3kit.manifest.row")), name)


def __dir__():
    """Return what there is for programs."""
    return sorted(__all__)
