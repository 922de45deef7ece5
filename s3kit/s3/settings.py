"""Settings plain enough to need no boto3, whose import costs more than the rest of a short run.

AWS's settings have one reader, botocore. What is read here, without it, is what this module
understands completely: keys in the environment or in the credentials file, a region, an endpoint,
certificates. Any other name, an empty value, or a value in a form of its own, and boto3 is asked;
a test compares thousands of generated settings.

One thing is not botocore's: AWS_REGION goes before AWS_DEFAULT_REGION, which botocore knows alone,
as the AWS CLI (version 2) and all other SDKs have it
(https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-envvars.html).
"""

import os
import re
from typing import NamedTuple

from s3kit.s3.address import Endpoint, is_amazons
from s3kit.s3.profiles import profile

HARMLESS = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_DEFAULT_REGION",
            "AWS_REGION", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_CONFIG_FILE",
            "AWS_SHARED_CREDENTIALS_FILE", "AWS_PROFILE", "AWS_DEFAULT_PROFILE",
            "AWS_EC2_METADATA_DISABLED", "AWS_PAGER", "AWS_DEFAULT_OUTPUT", "AWS_CA_BUNDLE",
            "AWS_CLI_AUTO_PROMPT"}
MAY_BE_EMPTY = {"AWS_SESSION_TOKEN", "AWS_PAGER"}
SECRETS = {"aws_access_key_id", "aws_secret_access_key", "aws_session_token"}
HARMLESS_KEYS = {"region", "output", "cli_pager", "cli_auto_prompt", "cli_timestamp_format"}
# What the AWS CLI alone reads of its `s3` settings.
HARMLESS_S3 = {"max_concurrent_requests", "max_queue_size", "multipart_threshold",
               "multipart_chunksize", "max_bandwidth"}
# The partition `aws`: others (China, GovCloud, isolated ones) have other names and rules.
REGION = re.compile(
    r"(?:af|ap|ca|eu|il|me|mx|sa|us)-(?:north|south|east|west|central|northeast|northwest|"
    r"southeast|southwest)-[0-9]")
# What a server of one's own may call its region; names with a meaning of their own are botocore's.
SCOPE = re.compile(r"(?!aws-global$|.*fips)[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")
# A host and a port, below which buckets are directories.
URL = re.compile(r"https?://(?!.*amazonaws)[a-z0-9]+(?:[.-][a-z0-9]+)*"
                 r"(?::(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}))?/?")
# may stand in a host's name, under S3's certificate
BUCKET = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
# a directory bucket, or an alias of one of Outposts
ELSEWHERE = re.compile(r"arn:|.*--[a-z]+-s3$")


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
    read_timeout: float

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
                        self.ca_bundle, self.verify, self.request_payer,
                        read_timeout=self.read_timeout)


def read(options, env=os.environ):
    """Return what options, environment and files say as a Plain, or None where boto3 must be asked.
    """
    given = {name: value for name, value in env.items() if name.startswith("AWS_")}
    empty = {name for name, value in given.items() if not value}
    if given.keys() - HARMLESS or empty - MAY_BE_EMPTY or "" in (
            options.profile, options.region, options.endpoint_url, options.ca_bundle):
        return None
    name = profile_of(options, env)
    try:
        config, shared = profile(name or "default", env.get("AWS_CONFIG_FILE", "~/.aws/config"),
                                 env.get("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"))
    except ValueError:
        return None             # a file that botocore refuses
    if name and not (config or shared):
        return None             # no such profile: boto3 says it best
    if not (are_harmless(config, HARMLESS_KEYS) and are_harmless(shared, SECRETS)):
        return None
    keys = keys_of(options, env, shared)
    url = options.endpoint_url or env.get("AWS_ENDPOINT_URL_S3") or env.get("AWS_ENDPOINT_URL", "")
    region = region_of(options, env.get("AWS_DEFAULT_REGION") or config.get("region"), env)
    if not keys or not (is_simple(url) and SCOPE.fullmatch(region) if url
                        else REGION.fullmatch(region)):
        return None
    bundle = bundle_of(options, env.get("AWS_CA_BUNDLE"), env) or certificates()
    return Plain(*keys, region, url.rstrip("/"), bundle, not options.no_verify_ssl,
                 options.request_payer or "", options.read_timeout)


def profile_of(options, env=os.environ):
    """Return the name of the profile that is asked for, '' for none; the older variable counts
    first, as botocore has it.
    """
    return options.profile or env.get("AWS_DEFAULT_PROFILE") or env.get("AWS_PROFILE") or ""


def are_harmless(settings, names):
    """Return whether a profile has nothing but settings of these names, each with one line of text.
    """
    return all(name in names and isinstance(value, str) and value and "\n" not in value
               or name == "s3" and isinstance(value, dict) and value.keys() <= HARMLESS_S3
               for name, value in settings.items())


def keys_of(options, env, shared):
    """Return (access key, secret key, token) of the environment or of a profile of the credentials
    file, empty where nothing is to be signed; None where that is not to be had here.
    """
    if options.no_sign_request:
        return ("", "", "")
    names = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
    if "AWS_ACCESS_KEY_ID" in env and not options.profile:
        keys = tuple(env.get(name.upper(), "") for name in names)
    else:
        keys = tuple(shared.get(name, "") for name in names)
    # What is wrong in them is said by Session.credentials, where all keys come by.
    return keys if keys[0] and keys[1] and not wrong_in(keys) else None


def region_of(options, configured, env=os.environ):
    """Return the region to ask: that of the options, else of AWS_REGION, else the `configured` one,
    else Amazon's first.
    """
    return options.region or env.get("AWS_REGION") or configured or "us-east-1"


def bundle_of(options, configured, env=os.environ):
    """Return the path of the certificates to trust, '' where nothing names any; botocore reads
    REQUESTS_CA_BUNDLE, too, after its own settings.
    """
    return options.ca_bundle or configured or env.get("REQUESTS_CA_BUNDLE") or ""


def wrong_in(keys):
    """Return what is wrong with (access key, secret key, token) as text, which shows none of it, or
    ''.

    Keys are sent in headers and in signatures, which can carry printable ASCII alone.
    """
    for name, value in zip(("access key", "secret key", "session token"), keys):
        if not re.fullmatch("[ -~]*", value):
            return f"the {name} has a character that is not a printable ASCII one"
    return ""


def is_simple(url):
    """Return whether an endpoint is no more than a host and a port in their usual form, and not
    Amazon's."""
    return URL.fullmatch(url) is not None and not is_amazons(url)


def needs_boto3(bucket):
    """Return whether only botocore knows where something of this name is."""
    return ELSEWHERE.match(bucket) is not None


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
