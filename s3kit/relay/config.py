"""What `--config FILE` says: the same as the command line's options.

The file has our own settings, or is a config.yaml of transfer_v5 or of its successors.
"""

from typing import NamedTuple

from s3kit.relay import transfer_config
from s3kit.relay.settings import load
from s3kit.relay.side_settings import (
    SideConfig, about_device, about_keys, checked_address, endpoint_of, keys_of)
from s3kit.text import visible

SIDES = ("source", "target")
KEYS = ("access_key", "secret_key", "session_token")
TEXTS = ("profile", "region")
FLAGS = ("no_verify_ssl", "no_sign_request")
SIDE = ("address", *TEXTS, "endpoint_url", "ca_bundle", *FLAGS, "request_payer", *KEYS)
VOLUME = ("path", "budget", "min_free")
ORDERS = ("large", "listed")
KNOWN = (*SIDES, "volumes", "work", "every", "order", "round_size")


class VolumeConfig(NamedTuple):
    """A local directory that bytes pass through: how many may lie there, and how many must stay
    free; None where the file does not say.
    """

    path: str
    budget: int | None = None
    min_free: int | None = None


class Config(NamedTuple):
    """What a file says; None where it says nothing, and the command line or its defaults count.

    `every` is in seconds and `round_size` in bytes. `warnings` are texts for people; none of them
    has a secret in it. `is_old`: the file is one of transfer_v5's.
    """

    source: SideConfig
    target: SideConfig
    volumes: list
    work: str | None = None
    every: float | None = None
    order: str | None = None
    round_size: int | None = None
    warnings: tuple = ()
    is_old: bool = False


def read(path):
    """Return the Config of a file.

    Raises Fault if it cannot be read or PyYAML is not there, Usage for what it cannot mean.
    """
    settings, warnings = load(path), []
    is_old = transfer_config.is_old(settings)
    found = transfer_config.read(settings, warnings) if is_old else own(settings, warnings)
    found["volumes"] = [VolumeConfig(*volume) for volume in found["volumes"]]
    paths = [volume.path for volume in found["volumes"]]
    for volume in paths:
        if paths.count(volume) > 1:
            raise settings.wrong("volumes", f"has '{volume}' twice")
    sides = [found[name] for name in SIDES]
    for name, side in zip(SIDES, sides):
        warnings += about_device(name, side)
    warnings += about_keys(path, sides)
    return Config(**found, warnings=tuple(map(visible, warnings)), is_old=is_old)


def own(settings, warnings):
    """Return {name: value} for our own settings, as Config has them. Raises Usage."""
    settings.check(KNOWN)
    found = {name: side(settings, name, warnings) for name in SIDES}
    return found | {"volumes": [volume(settings, item) for item in settings.items("volumes")],
                    "work": settings.file("work"), "every": settings.span("every"),
                    "order": settings.choice("order", ORDERS),
                    "round_size": settings.size("round_size", 1)}


def side(settings, name, warnings):
    """Return the SideConfig of `source` or `target`. Raises Usage."""
    part = settings.part(name, "address")
    part.check(SIDE)
    address = part.text("address")
    if not address:
        raise part.wrong("address", "is missing (s3://bucket/prefix)")
    url = part.text("endpoint_url")
    made = SideConfig(
        checked_address(part, "address", address),
        *map(part.text, TEXTS), url and endpoint_of(part, "endpoint_url", url),
        part.file("ca_bundle"), *(bool(part.flag(flag)) for flag in FLAGS),
        part.choice("request_payer", ("requester",)), keys_of(part, KEYS, warnings))
    if made.keys:
        for other in ("profile", "no_sign_request"):
            if getattr(made, other):
                raise part.wrong(KEYS[0], f"and {other} cannot both be")
    return made


def volume(settings, item):
    """Return the VolumeConfig of an item of `volumes`: a path, or a group of settings. Raises
    Usage.
    """
    part = settings.within("volumes", {"path": item} if isinstance(item, str) else item)
    part.check(VOLUME)
    path = part.file("path")
    if not path:
        raise part.wrong("path", "is missing")
    return VolumeConfig(path, part.size("budget", 1), part.size("min_free"))
