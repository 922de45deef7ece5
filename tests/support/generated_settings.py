"""Settings as people have them, generated, and what botocore makes of each."""

import contextlib
import os
from types import SimpleNamespace

import boto3
import botocore.session
from botocore import UNSIGNED
from botocore.config import Config
from botocore.httpsession import get_cert_path

from s3kit.s3.regions import reach_of

OPTIONS = dict(profile=None, region=None, endpoint_url=None, no_sign_request=False,
               no_verify_ssl=False, read_timeout=300, ca_bundle=None, request_payer=None)
REGIONS = ("us-east-1", "eu-west-1", "ap-south-1", "us-west-2", "me-central-1", "us-east-1 # home",
           "xx-lab-9", "garage", "US-EAST-1", "cn-north-1", "us-gov-west-1", "aws-global",
           "fips-us-east-1", "us-east-1-fips", "s3-external-1", "-x", "1", "a_b", "us-iso-east-1",
           "eu", "", "eu-west-1 ", "eusc-de-east-1", "us-east-9", "il-central-1", "mars-north-1")
URLS = ("http://127.0.0.1:8333", "https://minio.example.org", "http://ceph:7480/", "http://h//",
        "http://h:80", "https://h:443/", "http://h/s3", "https://s3.eu-west-1.amazonaws.com",
        "https://S3.example.org", "http://h:", "http://h:0", "http://h:65536", "http://h:60999",
        "http://h#x", "http://h?x=1", "http://u:p@h", "h:9000", "ftp://h", "http://", "",
        "http://[::1]:9000", "http://a_b:1", "http://a..b", "https://bucket.example.org",
        "https://s3.amazonaws.com", "http://xn--bcher-kva.example:9000", "https://ämter.example")
PROFILES = ("default", "other", "a b", "o'x", "work-1", "profile", "DEFAULT", "nobody")
TITLES = ("[{}]", "[profile {}]", '[profile "{}"]', "[profile  {}]", "[profile\t{}]",
          "[ profile {}]", "[profile {} ]", "[Profile {}]", "[profile {}] ; x", "[profiles {}]",
          "[profile '{}']", "[profile {} x]", "[profile{}]", "[sso-session {}]", "[services {}]")
NAMES = ("AKIAFIRST", "AKIASECOND", "account:user", "a/b+c@d=", "ключ", "A B", "", " A ", "#A")
LINES = ("output = json", "cli_pager =", "retry_mode = adaptive", "max_attempts = 3",
         "max_attempts = many", "endpoint_url = http://file:1", "services = mine",
         "s3 =\n  addressing_style = virtual", "s3 =\n  max_concurrent_requests = 9",
         "s3 =\n  max_queue_size = 9\n  addressing_style = path", "s3 = path", "s3 =\n  nonsense",
         "s3 =\n  endpoint_url = http://nested:2", "role_arn = arn:aws:iam::1:role/x",
         "source_profile = other", "sso_session = x", "credential_process = /bin/false",
         "credential_process = /bin/echo {}", "web_identity_token_file = /x", "ca_bundle = /x",
         "use_dualstack_endpoint = true", "use_fips_endpoint = true", "login_session = x",
         "ignore_configured_endpoint_urls = true", "# a comment", "; another", "  indented = 1",
         "request_checksum_calculation = when_required", "sigv4a_signing_region_set = *",
         "response_checksum_validation = when_required", "aws_security_token = T", "novalue",
         "defaults_mode = auto", "unknown = x", "s3 =\n  use_accelerate_endpoint = true",
         "s3 =\n  us_east_1_regional_endpoint = legacy", "credential_source = Environment",
         "sdk_ua_app_id = x", "api_versions =\n  s3 = 2006-03-01", "aws_account_id = 1",
         "tcp_keepalive = true", "s3 =\n  Addressing_Style = path", "s3 =\n  p = 1\n\n  x = 2")
ENVIRONMENT = (("AWS_USE_FIPS_ENDPOINT", "true"), ("AWS_USE_DUALSTACK_ENDPOINT", "true"),
               ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"), ("AWS_PAGER", ""),
               ("AWS_ROLE_ARN", "arn:aws:iam::1:role/x"), ("AWS_SECURITY_TOKEN", "OLD"),
               ("AWS_RETRY_MODE", "standard"), ("AWS_RETRY_MODE", "none"),
               ("AWS_MAX_ATTEMPTS", "3"), ("AWS_MAX_ATTEMPTS", "x"), ("AWS_CA_BUNDLE", "/ca.pem"),
               ("REQUESTS_CA_BUNDLE", "/requests.pem"), ("AWS_CA_BUNDLE", ""),
               ("AWS_DEFAULTS_MODE", "auto"), ("AWS_DEFAULT_OUTPUT", "json"),
               ("AWS_CREDENTIAL_EXPIRATION", "2099-01-01T00:00:00Z"),
               ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:9/"),
               ("AWS_RESPONSE_CHECKSUM_VALIDATION", "when_required"), ("AWS_ACCOUNT_ID", "1"),
               ("AWS_S3_US_EAST_1_REGIONAL_ENDPOINT", "legacy"), ("AWS_CLI_AUTO_PROMPT", "on"))
BUCKETS = ("bucket", "my.dotted.bucket", "Old_Bucket", "a--b", "x" * 63, "x" * 64, "ab", "1.2.3.4",
           "b--usw2-az1--x-s3", "-b", "b-", "xn--b", "b-s3alias", "a..b", "b.", ".b")


class Generated:
    """One set of settings: `env`, `options`, the texts of the two files, and a bucket, chosen by a
    random.Random.
    """

    def __init__(self, random):
        self.random = random
        self.env, self.options = {}, dict(OPTIONS)
        self.choose_environment()
        if self.rarely():
            self.options["profile"] = random.choice(PROFILES)
        if self.rarely():
            self.options["region"] = random.choice(REGIONS)
        if self.rarely():
            self.options["endpoint_url"] = random.choice(URLS)
        self.options["no_sign_request"] = random.random() < 0.1
        self.bucket = random.choice(BUCKETS) if self.rarely() else "bucket"
        self.config, self.shared = self.file(is_config=True), self.file(is_config=False)

    def rarely(self):
        """Return True one time of twelve."""
        return self.random.random() < 1 / 12

    def often(self):
        """Return True every other time."""
        return self.random.random() < 1 / 2

    def usual(self, values, usual=2):
        """Return one of the first `usual` values, or rarely any of them."""
        return self.random.choice(values if self.rarely() else values[:usual])

    def choose_environment(self):
        """Set the variables."""
        if self.often():
            self.env["AWS_ACCESS_KEY_ID"] = self.usual(NAMES)
        if self.often() or "AWS_ACCESS_KEY_ID" in self.env and not self.rarely():
            self.env["AWS_SECRET_ACCESS_KEY"] = self.usual(("secret", "with/slash+", "", " s"))
        for name, values in (("AWS_SESSION_TOKEN", ("T", "", "t t")), ("AWS_REGION", REGIONS),
                             ("AWS_DEFAULT_REGION", REGIONS), ("AWS_PROFILE", PROFILES),
                             ("AWS_DEFAULT_PROFILE", PROFILES)):
            if self.rarely():
                self.env[name] = self.usual(values, 3)
        for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
            if self.random.random() < 0.3:
                self.env[name] = self.usual(URLS, 3)
        if self.rarely():
            self.env.update([self.random.choice(ENVIRONMENT)])

    def file(self, is_config):
        """Return the bytes of a file, None for one that is not there."""
        if self.rarely():
            return None
        sections = []
        for name in PROFILES:
            if self.often() if name in PROFILES[:2] else self.rarely():
                usual = TITLES[is_config and name != "default"]
                title = self.random.choice(TITLES) if self.rarely() else usual
                sections.append(title.format(name) + self.end() + self.settings(is_config))
        if self.rarely():
            sections.append("[services mine]\ns3 =\n  endpoint_url = http://services:3\n")
        text = "".join(sections)
        if self.random.random() < 0.02:
            text = self.random.choice(("region = x\n", "\ufeff", "[broken\n", "\n\n# x\n")) + text
        if self.random.random() < 0.02:
            return text.encode("utf-16")
        if self.random.random() < 0.02:
            return f"{text}# é\n".encode("latin-1", "replace")
        return text.encode()

    def settings(self, is_config):
        """Return the lines of one section."""
        lines = []
        if is_config and self.often():
            lines.append(f"region{self.equals()}{self.usual(REGIONS, 4)}")
        if self.rarely() if is_config else not self.rarely():
            access = "AWS_Access_Key_Id" if self.rarely() else "aws_access_key_id"
            lines.append(f"{access}{self.equals()}{self.usual(NAMES)}")
            if not self.rarely():
                lines.append(f"aws_secret_access_key{self.equals()}file/secret")
            if self.rarely():
                lines.append(f"aws_session_token{self.equals()}{self.usual(('FT', ''))}")
        if self.rarely():
            lines.append(self.random.choice(LINES))
        if lines and self.random.random() < 0.02:
            lines.append(lines[0])
        self.random.shuffle(lines)
        return "".join(line + self.end() for line in lines)

    def equals(self):
        """Return what parts a name and its value."""
        return self.usual((" = ", "=", ":", " : ", "\t=\t", " =\n  ", " = = "))

    def end(self):
        """Return the end of a line."""
        return self.usual(("\n", "\n", "\r\n", "  \n", " # x\n", " ; x\n", "\n\n", "\n \n"))

    @contextlib.contextmanager
    def installed(self, folder):
        """A context with the variables and files in place, below `folder`, and none of others."""
        paths = {"AWS_CONFIG_FILE": "config", "AWS_SHARED_CREDENTIALS_FILE": "credentials"}
        before = dict(os.environ)
        for name in before:
            if name.startswith(("AWS_", "REQUESTS_")):
                del os.environ[name]
        os.environ.update(self.env | {"HOME": str(folder), "AWS_EC2_METADATA_DISABLED": "true",
                                      "VAULT": str(folder)})
        for (name, file), content in zip(paths.items(), (self.config, self.shared)):
            path = folder / file
            path.unlink(missing_ok=True)
            if content is not None:
                path.write_bytes(content)
            os.environ[name] = self.usual((f"$VAULT/{file}", f"~/{file}", str(path), "", "/x/y"), 3)
        try:
            yield SimpleNamespace(**self.options)
        finally:
            os.environ.clear()
            os.environ.update(before)

    def __repr__(self):
        """Return all of it, to be tried by hand."""
        return repr({name: value for name, value in vars(self).items() if name != "random"})


LOADER = botocore.session.get_session().get_component("data_loader")


def by_botocore(options, bucket):
    """Return (access key, secret key, token, region, service, URL, certificates) of a bucket as
    botocore has them; raises what it raises.
    """
    inner = botocore.session.Session()
    inner.register_component("data_loader", LOADER)
    session = boto3.Session(botocore_session=inner, profile_name=options.profile)
    bundle = (options.ca_bundle or inner.get_config_variable("ca_bundle")
              or os.environ.get("REQUESTS_CA_BUNDLE") or get_cert_path(True))
    config = Config(signature_version=UNSIGNED if options.no_sign_request else "s3v4")
    # the AWS CLI's order: s3kit(7)
    region = (options.region or os.environ.get("AWS_REGION") or session.region_name or "us-east-1")
    client = session.client("s3", region_name=region, endpoint_url=options.endpoint_url,
                            config=config)
    url, scope, service = reach_of(client, bucket)
    keys = ("", "", None)
    if not options.no_sign_request:
        keys = session.get_credentials().get_frozen_credentials()
    return (keys[0], keys[1], keys[2] or "", scope, service, url, bundle)
