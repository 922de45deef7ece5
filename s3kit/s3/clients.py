"""boto3's clients, for every rare or dangerous call: of S3, one a region, and of other services.

Signatures are good in one region alone, and S3 answers those of another with
AuthorizationHeaderMalformed or a redirect
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingBucket.html).
"""

import warnings
from urllib.parse import urlsplit

from s3kit.s3 import settings
from s3kit.s3.address import is_amazon_s3, is_amazons
from s3kit.s3.proxies import proxy_of, with_port
from s3kit.s3.translation import translated


class Clients:
    """Clients of one boto3 session, made when they are first needed; `options` has the AWS CLI's
    names (see options.s3_options).

    `ca_bundle` is the path of the certificates that they trust, set with the first one.
    """

    def __init__(self, options):
        self.options = options
        self.session = None         # boto3's
        self.made = {}              # region, '' for the one that the settings name: client
        self.ca_bundle = ""

    @property
    def home(self):
        """The S3 client in the region that the settings name. Raises NoAccess or Fault."""
        if "" not in self.made:
            with translated():
                self.made[""] = self.make()
        return self.made[""]

    def is_custom(self):
        """Return whether requests go to an endpoint of the user's, where regions mean nothing."""
        return not is_amazon_s3(self.home.meta.endpoint_url)

    def in_region(self, region):
        """Return the S3 client of a region; where regions mean nothing, or with '', that of the
        settings. Raises NoAccess or Fault.
        """
        if not region or region == self.home.meta.region_name or self.is_custom():
            return self.home
        if region not in self.made:
            with translated():
                self.made[region] = self.make(region=region)
        return self.made[region]

    def make(self, keys=(), region=""):
        """Return an S3 client from the options, the environment and the AWS configuration.

        With `keys`, whatever they are, boto3 does not look for any: that may take seconds.
        """
        import boto3
        from botocore import UNSIGNED
        from botocore.config import Config
        from botocore.httpsession import get_cert_path

        options = self.options
        if options.no_verify_ssl:       # it was asked for
            warnings.filterwarnings("ignore", message="Unverified HTTPS request")
        # One session for all clients: another would look for the credentials again.
        self.session = self.session or boto3.Session(profile_name=options.profile)
        configured = self.session._session.get_config_variable("ca_bundle")
        self.ca_bundle = settings.bundle_of(options, configured) or get_cert_path(True)
        config = Config(signature_version=UNSIGNED if options.no_sign_request else "s3v4",
                        retries={"mode": "standard", "total_max_attempts": 4},
                        read_timeout=options.read_timeout or None,
                        user_agent_extra="s3kit")
        region = region or settings.region_of(options, self.session.region_name)
        return self.proxied("s3", config, region_name=region, endpoint_url=options.endpoint_url,
                            verify=False if options.no_verify_ssl else self.ca_bundle,
                            **dict(zip(("aws_access_key_id", "aws_secret_access_key"), keys)))

    def proxied(self, name, config, **asked):
        """Return a client that goes through the same proxy as libcurl does."""
        from botocore.config import Config
        made = self.session.client(name, config=config, **asked)
        proxies = unknown_to_boto3(made.meta.endpoint_url)
        if proxies is None:
            return made
        return self.session.client(name, config=config.merge(Config(proxies=proxies)), **asked)

    def service(self, name, seconds=0):
        """Return a boto3 client of another service (`sts`, `iam`, `accessanalyzer`), as the same
        user.

        With `seconds` it asks once, and waits no longer than that for anything. Where S3 is not
        Amazon's, it is asked at that server, unless the settings name another: the keys of a
        private server are not shown to Amazon. Raises NoAccess or Fault.
        """
        with translated():
            from botocore.config import Config
            home = self.home.meta
            asked = {"region_name": home.region_name,
                     "verify": False if self.options.no_verify_ssl else self.ca_bundle}
            patience = {"connect_timeout": seconds, "read_timeout": seconds,
                        "retries": {"total_max_attempts": 1}} if seconds else \
                {"connect_timeout": 10, "retries": {"mode": "standard", "total_max_attempts": 2}}
            config = Config(**patience)
            made = self.proxied(name, config, **asked)
            if self.is_custom() and is_amazons(made.meta.endpoint_url):
                made = self.proxied(name, config, endpoint_url=home.endpoint_url, **asked)
        return made


def unknown_to_boto3(url):
    """Return the proxies of botocore's Config for a URL, None where it would choose the same.

    SOCKS it does not know: it goes without.
    """
    from botocore.utils import get_environ_proxies
    scheme, proxy = urlsplit(url).scheme, proxy_of(url)
    if with_port(get_environ_proxies(url).get(scheme, "")) == proxy or "socks" in proxy:
        return None
    return {scheme: proxy} if proxy else {}
