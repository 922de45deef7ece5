"""The only boto3: who we are, how a bucket is reached, and every rare or dangerous call.

boto3 decides, libcurl moves bytes: an endpoint, its region and its addressing style are asked of
botocore once, by looking at the request it would send, and then used by the data plane (wire). Where
the settings leave nothing to decide (see plain), boto3 is not even imported.
"""

import re
import warnings
from io import BytesIO

from s3kit.errors import Fault, NoAccess
from s3kit.s3 import settings
from s3kit.s3.address import Endpoint

SCOPE = re.compile(r"Credential=[^,]*/\d{8}/([^/]+)/s3/aws4_request")
REGION_TRIES = 3
DENIED = ("AccessDenied", "403", "Forbidden", "AllAccessDisabled", "UnauthorizedAccess")

# Botocore's words for a server that cannot be reached.
UNREACHED = ("EndpointConnectionError", "ConnectTimeoutError", "ConnectionClosedError", "ReadTimeoutError", "ProxyConnectionError",
             "HTTPClientError", "SSLError")


class Session:
    """A lazily made boto3 session; `options` has the AWS CLI's names (see options.s3_options)."""

    def __init__(self, options):
        self.options = options
        self.made = self.session = None
        self.endpoints = {}
        self.generation = 0
        self.frozen = None
        self.plain = settings.read(options)

    @property
    def client(self):
        """The S3 client, made when it is first needed."""
        if not self.made:
            with translated():
                self.made = self.make()
        return self.made

    def make(self, keys=()):
        """Return a boto3 client from the options, the environment and the AWS configuration.

        With `keys`, whatever they are, boto3 does not look for any: that may take seconds.
        """
        import boto3
        from botocore import UNSIGNED
        from botocore.config import Config
        from botocore.httpsession import get_cert_path

        options = self.options
        if options.no_verify_ssl:
            warnings.filterwarnings("ignore", message="Unverified HTTPS request")       # it was asked for
        # One session for all clients: another would look for the credentials again.
        self.session = self.session or boto3.Session(profile_name=options.profile)
        self.ca_bundle = (options.ca_bundle or self.session._session.get_config_variable("ca_bundle")
                          or get_cert_path(True))
        config = Config(signature_version=UNSIGNED if options.no_sign_request else "s3v4",
                        retries={"mode": "standard", "total_max_attempts": 4}, user_agent_extra="s3kit")
        region = options.region or self.session.region_name or "us-east-1"
        return self.session.client("s3", region_name=region, endpoint_url=options.endpoint_url, config=config,
                                   verify=False if options.no_verify_ssl else self.ca_bundle,
                                   **dict(zip(("aws_access_key_id", "aws_secret_access_key"), keys)))

    def service(self, name, seconds=0):
        """Return a boto3 client of another service (`sts`, `iam`, `accessanalyzer`), with the same identity and settings.

        With `seconds` it asks once, and waits no longer than that for anything.

        Beside an S3 of one's own it is asked at that server, unless the settings name another: the keys of a server in
        the cellar are not shown to Amazon. Raises NoAccess or Fault.
        """
        with translated():
            from botocore.config import Config
            home = self.client.meta
            settings = {"region_name": home.region_name, "verify": False if self.options.no_verify_ssl else self.ca_bundle}
            patience = {"connect_timeout": seconds, "read_timeout": seconds, "retries": {"total_max_attempts": 1}} if seconds else \
                {"connect_timeout": 10, "retries": {"mode": "standard", "total_max_attempts": 2}}
            settings["config"] = Config(**patience)
            made = self.session.client(name, **settings)
            if self.is_custom() and ".amazonaws.com" in made.meta.endpoint_url:
                made = self.session.client(name, endpoint_url=home.endpoint_url, **settings)
        return made

    def credentials(self):
        """Return the current (access key, secret, token), refreshed if they are about to expire."""
        if self.options.no_sign_request:
            return ("", "", "")
        with translated():
            found = self.session.get_credentials()
            if found is None:
                raise NoAccess("no credentials found (set AWS_PROFILE or --profile, run 'aws sso login', "
                               "or give --no-sign-request for a public bucket)")
            frozen = found.get_frozen_credentials()
        return (frozen.access_key, frozen.secret_key, frozen.token or "")

    def origin(self):
        """Return (how boto3 found the credentials, when they expire as an aware datetime, or None where nothing says so).

        To be asked after `credentials`. botocore tells the time to nobody, so it is read where it keeps it.
        """
        found = self.session.get_credentials()
        return found.method or "", getattr(found, "_expiry_time", None)

    def home(self):
        """Return the Endpoint of S3 itself, without keys, which are not looked for. Raises NoAccess or Fault."""
        with translated():
            meta = self.make(("none", "none")).meta
        region = "us-east-1" if meta.region_name == "aws-global" else meta.region_name
        return Endpoint("", meta.endpoint_url.rstrip("/"), region, ca_bundle=self.ca_bundle, verify=not self.options.no_verify_ssl)

    def located(self, regions):
        """Return {bucket: Endpoint} of {bucket: region}, where the regions are known; nothing is asked. Raises NoAccess or Fault."""
        if self.plain:
            return {bucket: self.plain.endpoint(bucket, self.plain.region if self.plain.url else region)
                    for bucket, region in regions.items()}
        self.frozen = self.frozen or self.credentials()
        made = {}
        for bucket, region in sorted(regions.items(), key=lambda each: each[1]):
            if not self.is_custom() and region != self.client.meta.region_name:
                self.regional(region)
            made[bucket] = self.describe(bucket)
        return made

    def endpoint(self, bucket):
        """Return the Endpoint of a bucket. Raises NoAccess or Fault."""
        if bucket not in self.endpoints and self.plain:
            self.endpoints[bucket] = self.plain.endpoint(bucket, self.plain.region if self.plain.url else self.ask_region(bucket))
        if bucket not in self.endpoints:
            self.client
            self.frozen = self.frozen or self.credentials()
            if not self.is_custom():
                self.find_region(bucket)
            self.endpoints[bucket] = self.describe(bucket)
        return self.endpoints[bucket]

    def ask_region(self, bucket):
        """Return the region of a bucket of Amazon's, which tells it to anyone. Raises Fault."""
        from s3kit.s3.wire import Wire
        home = self.plain.region
        asked = self.plain._replace(access_key="").endpoint(bucket, home)
        for _ in range(REGION_TRIES):
            transfer = Wire.once(asked, method="HEAD")
            if transfer.status == 404:
                raise Fault(f"bucket '{bucket}' does not exist")
            if transfer.status in (200, 301, 307, 400, 403):
                return transfer.headers.get("x-amz-bucket-region", home)
        raise Fault(f"cannot reach bucket '{bucket}': {transfer.failure or f'S3 answers with status {transfer.status}'}")

    def is_custom(self):
        """Return whether requests go to an endpoint of the user's, where regions mean nothing."""
        return ".amazonaws.com" not in self.client.meta.endpoint_url

    def find_region(self, bucket):
        """Let botocore learn the bucket's region: its redirector keeps it for the next requests."""
        from botocore.exceptions import BotoCoreError, ClientError
        try:
            self.client.head_bucket(Bucket=bucket)
        except ClientError as error:
            region = error.response["ResponseMetadata"]["HTTPHeaders"].get("x-amz-bucket-region")
            if error.response["Error"]["Code"] in ("404", "NoSuchBucket"):
                raise Fault(f"bucket '{bucket}' does not exist") from None
            if region and region != self.client.meta.region_name:
                self.regional(region)
        except BotoCoreError as error:
            raise translate(error) from None

    def regional(self, region):
        """Make the client anew for another region."""
        self.options.region = region
        self.made = None
        self.client

    def describe(self, bucket):
        """Return the Endpoint that botocore would send a request for `bucket` to."""
        from botocore.awsrequest import AWSResponse
        seen = []

        def look(request, **_):
            seen.append(request)
            return AWSResponse(request.url, 200, {}, BytesIO())

        events = self.client.meta.events
        events.register_first("before-send.s3.GetObject", look)
        try:
            with translated():
                self.client.get_object(Bucket=bucket, Key="k")
        finally:
            events.unregister("before-send.s3.GetObject", look)
        url = seen[0].url.partition("?")[0]
        authorization = seen[0].headers.get("Authorization", "")
        if isinstance(authorization, bytes):
            authorization = authorization.decode()
        scope = SCOPE.search(authorization)
        access_key, secret_key, token = self.frozen
        return Endpoint(bucket, url.removesuffix("/k"), scope[1] if scope else self.client.meta.region_name,
                        access_key, secret_key, token, self.ca_bundle, not self.options.no_verify_ssl,
                        self.options.request_payer or "", self.generation)

    def refresh(self):
        """Return new Endpoints of all buckets in use if the credentials have changed, else nothing."""
        if not self.endpoints or self.plain:
            return []           # keys that are written down do not change
        now = self.credentials()
        if now == self.frozen:
            return []
        self.frozen = now
        self.generation += 1
        self.endpoints = {bucket: self.describe(bucket) for bucket in self.endpoints}
        return list(self.endpoints.values())

    def renewed(self, endpoint):
        """Return the Endpoint of the same bucket with newer credentials, or None where there are none."""
        self.refresh()
        fresh = self.endpoints[endpoint.bucket]
        return fresh if fresh.generation > endpoint.generation else None

    def presign(self, bucket, key, version_id="", method="get_object", etag=""):
        """Return a URL that is signed as it stands, for keys with dot segments; good for a day.

        With `etag` the request must say If-Match with it.
        """
        self.client
        params = {"Bucket": bucket, "Key": key}
        if method == "get_object":
            params["ChecksumMode"] = "ENABLED"
        if etag:
            params["IfMatch"] = f'"{etag}"'
        if version_id:
            params["VersionId"] = version_id
        if self.options.request_payer:
            params["RequestPayer"] = self.options.request_payer
        with translated():
            return self.client.generate_presigned_url(method, Params=params, ExpiresIn=86400)

    def buckets(self):
        """Return [(name, created as an aware datetime)] of all buckets we may see."""
        with translated():
            return [(b["Name"], b["CreationDate"]) for b in self.client.list_buckets()["Buckets"]]


class translated:
    """A context in which boto3's exceptions become Faults of one line."""

    def __enter__(self):
        """Nothing to do."""

    def __exit__(self, kind, error, trace):
        """Translate what botocore raises, and what its configuration parsers do."""
        if error is None or isinstance(error, Fault) or not isinstance(error, Exception):
            return False
        raise translate(error) from None


def translate(error):
    """Return the Fault that says a boto3 exception in one line, with what to do where that is known."""
    from botocore import exceptions as known
    text = " ".join(str(error).split())
    if isinstance(error, (known.NoCredentialsError, known.PartialCredentialsError, known.CredentialRetrievalError,
                          known.ProfileNotFound, known.TokenRetrievalError, known.SSOError)):
        return NoAccess(f"cannot find out who we are: {text}")
    if isinstance(error, known.ClientError):
        code = error.response.get("Error", {}).get("Code", "")
        kind = NoAccess if code in DENIED or code.startswith(("InvalidAccessKey", "Signature", "Expired")) else Fault
        fault = kind(f"S3 says {code}: {error.response.get('Error', {}).get('Message', text)}")
        fault.code = code
        return fault
    if isinstance(error, known.BotoCoreError):
        fault = Fault(text)
        fault.code = type(error).__name__
        return fault
    if isinstance(error, ValueError):
        return Fault(f"cannot use these settings: {text}")
    return Fault(f"{type(error).__name__}: {text}")
