"""Settings plain enough to need no boto3, whose import costs more than the rest of a short run.

Keys in the environment or the credentials file, a region, an endpoint: read here, as botocore would
have them (its order: botocore.credentials.create_credential_resolver; a test compares the answers).
Whatever else is set - roles, SSO, addressing styles, a name unknown to us - is boto3's to decide.
"""

import configparser
import os
import re
from typing import NamedTuple
from urllib.parse import urlsplit

from s3kit.s3.address import Endpoint

HARMLESS = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_DEFAULT_REGION",
            "AWS_REGION", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_CONFIG_FILE",
            "AWS_SHARED_CREDENTIALS_FILE", "AWS_PROFILE", "AWS_DEFAULT_PROFILE",
            "AWS_EC2_METADATA_DISABLED", "AWS_PAGER", "AWS_DEFAULT_OUTPUT", "AWS_CA_BUNDLE",
            "AWS_RETRY_MODE", "AWS_MAX_ATTEMPTS", "AWS_CLI_AUTO_PROMPT"}
HARMLESS_KEYS = {"region", "output", "cli_pager", "cli_auto_prompt", "cli_timestamp_format",
                 "retry_mode", "max_attempts"}
# What the AWS CLI alone reads of its `s3` settings.
HARMLESS_S3 = {"max_concurrent_requests", "max_queue_size", "multipart_threshold",
               "multipart_chunksize", "max_bandwidth"}
SECRETS = {"aws_access_key_id", "aws_secret_access_key", "aws_session_token"}
# The partition `aws`: others (China, GovCloud, isolated ones) have other names and rules.
REGION = re.compile(
    r"(?:af|ap|ca|eu|il|me|mx|sa|us)-(?:north|south|east|west|central|northeast|northwest|"
    r"southeast|southwest)-\d")
# What may be a bucket's name at all, as botocore has it; only it understands ARNs of access points.
NAME = re.compile(r"[A-Za-z0-9._-]{1,255}|arn:[!-~]+")
# may stand in a host's name, under S3's certificate
BUCKET = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")


class Plain(NamedTuple):
    """Who we are and where requests go; `url` is empty for Amazon's own S3."""

    access_key: str
    secret_key: str
    token: str
    region: str
    url: str
    ca_bundle: str
    verify: bool
    request_payer: str

    def endpoint(self, bucket, region):
        """Return a bucket's Endpoint, `region` the one it is in."""
        host = "s3.amazonaws.com" if region == "us-east-1" else f"s3.{region}.amazonaws.com"
        if self.url:
            url = f"{self.url}/{bucket}"
        elif BUCKET.fullmatch(bucket):
            url = f"https://{bucket}.{host}"
        else:
            url = f"https://{host}/{bucket}"
        return Endpoint(bucket, url, region, self.access_key, self.secret_key, self.token,
                        self.ca_bundle, self.verify, self.request_payer)


def read(options, env=os.environ):
    """Return what options, environment and files say as a Plain, or None where boto3 must be asked.
    """
    if any(name.startswith("AWS_") and name not in HARMLESS and value for name,
           value in env.items()):
        return None
    profile = options.profile or env.get("AWS_PROFILE") or env.get("AWS_DEFAULT_PROFILE")
    name = profile or "default"
    config = section(env.get("AWS_CONFIG_FILE") or "~/.aws/config", {name, f"profile {name}"})
    shared = section(env.get("AWS_SHARED_CREDENTIALS_FILE") or "~/.aws/credentials", {name})
    if config is None or shared is None or config.keys() - HARMLESS_KEYS or shared.keys() - SECRETS:
        return None
    if profile and not (config or shared):
        return None             # no such profile: boto3 says it best
    keys = ("", "", "")
    if not options.no_sign_request:
        keys = (None if options.profile else keys_of(env, str.upper)) or keys_of(shared, str)
    url = (options.endpoint_url or env.get("AWS_ENDPOINT_URL_S3") or env.get("AWS_ENDPOINT_URL")
           or "").rstrip("/")
    region = options.region or env.get("AWS_DEFAULT_REGION") or config.get("region") or "us-east-1"
    if keys and wrong_in(keys):
        return None             # said by Session.credentials, where all keys come by
    if not keys or not (is_simple(url) if url else REGION.fullmatch(region)):
        return None
    bundle = options.ca_bundle or env.get("AWS_CA_BUNDLE") or certificates()
    return Plain(*keys, region, url, bundle, not options.no_verify_ssl, options.request_payer or "")


def section(path, names):
    """Return the settings of one profile in a file of AWS's form; None where only boto3 can read
    them.
    """
    parser = configparser.RawConfigParser()
    try:
        with open(os.path.expanduser(path), encoding="utf-8") as lines:
            parser.read_file(lines)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, configparser.Error):
        return None
    found = [dict(parser[name]) for name in parser.sections() if name in names]
    if len(found) > 1:
        return None
    settings = (found or [{}])[0]
    if {
            line.partition("=")[0].strip()
            for line in settings.get("s3", "").splitlines()} <= HARMLESS_S3 | {""}:
        settings.pop("s3", None)
    return None if any("\n" in value for value in settings.values()) else settings


def keys_of(settings, spell):
    """Return (access key, secret key, token) if both keys are there, else None."""
    access, secret, token = (settings.get(spell(f"aws_{name}"), "")
                             for name in ("access_key_id", "secret_access_key", "session_token"))
    return (access, secret, token) if access and secret else None


def wrong_in(keys):
    """Return what is wrong with (access key, secret key, token) as text, which shows none of it, or
    ''.

    Keys are sent in headers and in signatures, which can carry printable ASCII alone.
    """
    for name, value in zip(("access key", "secret key", "session token"), keys):
        if not re.fullmatch("[ -~]*", value):
            return f"the {name} has a character that is not a printable ASCII one"
    return ""


def is_name(bucket):
    """Return whether a text can be a bucket's name, or an ARN in its place."""
    return NAME.fullmatch(bucket) is not None


def is_simple(url):
    """Return whether an endpoint is a host and a port, below which buckets are directories."""
    try:
        parts = urlsplit(url)
        parts.port
    except ValueError:
        return False
    if (
            parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query
            or parts.username):
        return False
    return ("amazonaws.com" not in parts.hostname
            and re.fullmatch(r"[A-Za-z0-9.-]+", parts.hostname) is not None)


def certificates():
    """Return the path of the certificates that botocore would trust, without importing it."""
    from importlib.util import find_spec
    for package, file in (("certifi", "cacert.pem"), ("botocore", "cacert.pem")):
        spec = find_spec(package)
        if spec and spec.submodule_search_locations:
            path = os.path.join(spec.submodule_search_locations[0], file)
            if os.path.exists(path):
                return path
    return ""
