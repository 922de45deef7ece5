"""config.yaml of transfer_v5 and of its successors, up to s5jtransfer_v11
(https://github.com/LeafmanZ/s5jtransfer, config.yaml, src_sync_mvol.py, dest_sync_mvol.py).

The first have one endpoint as a text, and sizes in GB (of 2**30 bytes); the later ones lists of
endpoints, and sizes in bytes for each volume. Which of them a file is for is nowhere said in it.
"""

import os
import re

from s3kit.relay.side_settings import SideConfig, checked_address, endpoint_of, keys_of
from s3kit.s3.address import is_amazons
from s3kit.text import count
from s3kit.units import show_size

SIDE = ("bucket_name", "bucket_prefix", "region", "access_key", "secret_access_key")
LATER = {"destination": ("delete_staging_data", "staging_volumes"),
         "transfer_settings": ("src_use_native_s3",)}
PARTS = {"source": SIDE, "local": ("directory",), "destination": SIDE + LATER["destination"],
         "transfer_settings": ("max_size_to_transfer_src2l", "max_size_to_transfer_l2dest",
                               "src_endpoint_url", "dest_endpoint_url")
         + LATER["transfer_settings"]}
ENDPOINTS = {"source": "src_endpoint_url", "destination": "dest_endpoint_url"}
OPTIONS = {"source": "--source", "destination": "--target"}
LIMIT = "max_size_to_transfer_src2l"
# Fewer bytes would let no file pass, and more GB than this no disk has.
BYTES_FROM = 1 << 20
GB = 1 << 30                    # as src_sync_svol.py counted them
MOUNTED = "/tmp/volume-"        # where setup_volumes.py mounts disks
NUMBERS = [f"{number:02}" for number in range(1, 100)]


def is_old(settings):
    """Return whether Settings are those of a config.yaml of transfer_v5."""
    return "transfer_settings" in settings.values or any(
        isinstance(part, dict) and "bucket_name" in part
        for part in map(settings.values.get, ("source", "destination")))


def read(settings, warnings):
    """Return {name: value} for the settings of a config.yaml, as Config has them.

    What people must know is appended to `warnings`. Raises Usage.
    """
    settings.check(PARTS)
    parts = {name: settings.part(name) for name in PARTS}
    for name, known in PARTS.items():
        parts[name].check(known)
    kept = parts["destination"].flag("delete_staging_data")
    if kept is False:
        raise parts["destination"].wrong("delete_staging_data", "is false, but s3-relay keeps no "
                                         "copies: s3-put uploads a directory and leaves it")
    found = {"source": side(parts, "source", warnings),
             "target": side(parts, "destination", warnings), "order": "large"}
    paths = volumes(parts, warnings)
    is_later = is_of_later(parts)
    limit = limit_of(parts["transfer_settings"], is_later, warnings)
    if limit and is_later and not paths:
        warnings.append(f"transfer_settings.{LIMIT} is not heeded: it is each volume's, and no "
                        "volume is named")
    warnings += unheeded(parts["transfer_settings"])
    return found | {"volumes": [(path, limit if is_later else None, None) for path in paths],
                    "round_size": None if is_later else limit}


def is_of_later(parts):
    """Return whether a config.yaml is one of v5's successors."""
    endpoints = map(parts["transfer_settings"].values.get, ENDPOINTS.values())
    return (any(isinstance(value, list) for value in endpoints)
            or any(name in parts[part].values for part, names in LATER.items() for name in names))


def side(parts, name, warnings):
    """Return the SideConfig of `source` or `destination`. Raises Usage."""
    part = parts[name]
    bucket = part.text("bucket_name")
    if not bucket:
        raise part.wrong("bucket_name", "is missing")
    if "/" in bucket:
        raise part.wrong("bucket_name", "cannot be the name of a bucket")
    address = checked_address(part, "bucket_name",
                              f"s3://{bucket}/{part.text('bucket_prefix') or ''}")
    url, region = endpoint(parts["transfer_settings"], ENDPOINTS[name], warnings), \
        part.text("region")
    if region == "snow" and not url:
        raise parts["transfer_settings"].wrong(ENDPOINTS[name], "is missing: a device (region "
                                               "'snow') has no other address")
    blind = bool(url) and url.startswith("https:") and not is_amazons(url)
    if blind:
        warnings.append(f"{name}: the certificate of {url} is not checked, as transfer_v5 did not "
                        f"({OPTIONS[name]}-ca-bundle with the device's own is safer)")
    return SideConfig(address, region=region, endpoint_url=url, no_verify_ssl=blind,
                      keys=keys_of(part, SIDE[3:], warnings))


def endpoint(part, name, warnings):
    """Return the endpoint to use of a text or a list, None for Amazon's. Raises Usage.

    Rows went over all of a list in turn; here one way is taken.
    """
    value = part.values.get(name)
    several = list(dict.fromkeys(part.texts(name) if isinstance(value, list)
                                 else [part.text(name) or "no_endpoint"]))
    if not several:
        raise part.wrong(name, "is an empty list ('no_endpoint' means Amazon)")
    url = several[0]
    if url != "no_endpoint":
        # Their programs want the bucket's name before it, boto3 and ours add that.
        _, dot, rest = url.partition("s3-accelerate.")
        url = endpoint_of(part, name, f"https://s3-accelerate.{rest}" if dot else url)
    if len(several) > 1:
        warnings.append(f"{part.where}{name} has {count(len(several), 'endpoint')}: {url} is used "
                        "alone")
    return None if url == "no_endpoint" else url


def volumes(parts, warnings):
    """Return the paths of the volumes: those that are named, or that are there. Raises Usage."""
    local, named = parts["local"], parts["destination"].texts("staging_volumes")
    if named and named != ["default"]:
        return [local.path_of(path) for path in named]
    folder = local.file("directory")
    below = existing(os.path.join(folder, "volume-")) if folder else []
    mounted = [] if below else existing(MOUNTED)
    # Anybody can make a directory in /tmp, but only root can mount there.
    foreign = [path for path in mounted if not os.path.ismount(path)]
    if foreign:
        warnings.append(f"'{foreign[0]}' is no mounted disk and is not taken for a volume; "
                        "transfer_v5 would have taken it")
    found = below or [path for path in mounted if path not in foreign]
    if found:
        warnings.append(f"{count(len(found), 'volume')} found there: {', '.join(found)}")
    return found or ([folder] if folder else [])


def existing(start):
    """Return the directories that have a number of two digits behind `start`."""
    return [start + number for number in NUMBERS if os.path.isdir(start + number)]


def limit_of(part, is_later, warnings):
    """Return the bytes that a round may move, or that each volume may hold; None where nothing says
    it. Raises Usage.
    """
    text = part.text(LIMIT)
    if text is None:
        return None
    if not re.fullmatch(r"\d{1,18}(?:\.\d{1,9})?", text.replace("_", ""), re.ASCII):
        raise part.wrong(LIMIT, "is not a number")
    number = float(text) if "." in text else int(text)
    is_bytes = number >= BYTES_FROM
    size = int(number if is_bytes else number * GB)
    if not size:
        raise part.wrong(LIMIT, "is 0: nothing would ever move")
    if is_bytes != is_later:
        told, other = ("bytes", "GB") if is_bytes else ("GB", "bytes")
        warnings.append(f"{part.where}{LIMIT}: {text} is taken for {told} ({show_size(size)}); so "
                        f"many {other}, as a file of this age means it, would make no sense")
    return size


def unheeded(part):
    """Yield what people must know of settings that change nothing here."""
    if "max_size_to_transfer_l2dest" in part:
        yield (f"{part.where}max_size_to_transfer_l2dest is not heeded; nor was it ever by "
               "transfer_v5")
    if "src_use_native_s3" in part:
        yield f"{part.where}src_use_native_s3 is not heeded: there is one way to fetch"
    failed = part.path_of("failed_endpoints.json")
    if os.path.exists(failed):
        yield f"'{failed}' is not heeded: which endpoint answers is seen while running"
