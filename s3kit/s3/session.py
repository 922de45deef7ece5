"""What boto3 decides: who we are, and how a bucket is reached.

boto3 decides, libcurl moves bytes: an endpoint, its region and its addressing style are asked of
botocore once, by looking at the request it would send, and then used by the data plane (wire).
Where the settings leave nothing to decide (see settings), boto3 is not even imported.

A region belongs to a bucket: whatever is done with one is done with the client of its own region.
"""

from s3kit.errors import Fault, NoCredentials
from s3kit.s3 import regions, settings
from s3kit.s3.address import Endpoint, is_name
from s3kit.s3.clients import Clients
from s3kit.s3.translation import translated


class Session:
    """The credentials, and the Endpoints of the buckets in use; `options` has the AWS CLI's names
    (see options.s3_options).
    """

    def __init__(self, options):
        self.options, self.clients = options, Clients(options)
        self.endpoints = {}         # bucket: Endpoint
        self.generation = 0
        self.frozen = None
        self.plain = settings.read(options)

    # --- boto3's clients

    @property
    def client(self):
        """The S3 client in the region that the settings name. Raises NoAccess or Fault."""
        return self.clients.home

    def service(self, name, seconds=0):
        """Return a client of another service; see Clients.service."""
        return self.clients.service(name, seconds)

    def is_custom(self):
        """Return whether requests go to an endpoint of the user's, where regions mean nothing."""
        return self.clients.is_custom()

    # --- credentials

    def credentials(self):
        """Return the current (access key, secret, token), refreshed if they are about to expire.

        Raises NoCredentials where there are none, or none that can be sent.
        """
        if self.options.no_sign_request:
            return ("", "", "")
        with translated():
            self.client
            found = self.clients.session.get_credentials()
            if found is None:
                raise NoCredentials(
                    "no credentials found (set AWS_PROFILE or --profile, run 'aws sso "
                    "login', or give --no-sign-request for a public bucket)")
            frozen = found.get_frozen_credentials()
        keys = (frozen.access_key, frozen.secret_key, frozen.token or "")
        if wrong := settings.wrong_in(keys):
            raise NoCredentials(f"{wrong}; look at where the credentials come from")
        return keys

    def origin(self):
        """Return (how boto3 found the credentials, when they expire as an aware datetime, or None).

        To be asked after `credentials`. botocore tells the time to nobody, so it is read where it
        keeps it.
        """
        found = self.clients.session.get_credentials()
        return found.method or "", getattr(found, "_expiry_time", None)

    def refresh(self):
        """Return new Endpoints of all buckets in use if the credentials have changed, else nothing.

        Raises NoCredentials. Only keys change: where a bucket is, is asked once.
        """
        if not self.endpoints or self.plain:
            return []           # keys that are written down do not change
        now = self.credentials()
        if now == self.frozen:
            return []
        self.frozen = now
        self.generation += 1
        access_key, secret_key, token = now
        self.endpoints = {bucket: endpoint._replace(access_key=access_key, secret_key=secret_key,
                                                    token=token, generation=self.generation)
                          for bucket, endpoint in self.endpoints.items()}
        return list(self.endpoints.values())

    # --- where buckets are

    def home(self):
        """Return the Endpoint of S3 itself, without keys, which are not looked for.

        Raises NoAccess or Fault.
        """
        with translated():
            meta = self.clients.make(("none", "none")).meta
        region = "us-east-1" if meta.region_name == "aws-global" else meta.region_name
        return Endpoint("", meta.endpoint_url.rstrip("/"), region, ca_bundle=self.clients.ca_bundle,
                        verify=not self.options.no_verify_ssl,
                        read_timeout=self.options.read_timeout)

    def located(self, where):
        """Return {bucket: Endpoint} of {bucket: region}; nothing is asked.

        Raises NoAccess or Fault.
        """
        if self.plain:
            return {bucket:
                    self.plain.endpoint(bucket, self.plain.region if self.plain.url else region)
                    for bucket, region in where.items()}
        self.frozen = self.frozen or self.credentials()
        return {bucket: self.describe(bucket, region) for bucket, region in where.items()}

    def endpoint(self, bucket):
        """Return the Endpoint of a bucket. Raises NoSuchBucket, NoAccess or Fault."""
        if bucket not in self.endpoints:
            if not is_name(bucket):
                raise regions.no_name(bucket)
            if self.plain and not settings.needs_boto3(bucket):
                region = self.plain.region if self.plain.url else self.ask_region(bucket)
                self.endpoints[bucket] = self.plain.endpoint(bucket, region)
            else:
                self.frozen = self.frozen or self.credentials()
                region = "" if self.is_custom() else self.find_region(bucket)
                self.endpoints[bucket] = self.describe(bucket, region)
        return self.endpoints[bucket]

    def ask_region(self, bucket):
        """Return the region of a bucket of Amazon's, without boto3.

        Raises NoSuchBucket or Fault.
        """
        return regions.ask_region(self.plain.endpoint(bucket, self.plain.region))

    def find_region(self, bucket):
        """Return the region of a bucket, '' where nobody says it. Raises NoSuchBucket or Fault."""
        return regions.find_region(self.client, bucket)

    def describe(self, bucket, region):
        """Return the Endpoint of a bucket in a region ('': that of the settings).

        Raises NoAccess or Fault.
        """
        client = self.clients.in_region(region)
        url, scope, service = regions.reach_of(client, bucket)
        if not url.isascii():
            raise Fault(f"cannot use the endpoint {url}: write its name in ASCII (xn--...)")
        if not scope.isprintable():         # botocore takes a line feed at its end
            raise Fault(f"cannot use the region '{scope}'")
        return Endpoint(bucket, url, scope, *self.frozen, self.clients.ca_bundle,
                        not self.options.no_verify_ssl, self.options.request_payer or "",
                        self.generation,
                        client.meta.config.response_checksum_validation != "when_required",
                        self.options.read_timeout, service)

    # --- calls

    def buckets(self):
        """Return [(name, created as an aware datetime or None)] of all buckets we may see.

        Raises NoAccess or Fault.
        """
        found, token, asked = [], "", set()
        while token not in asked:
            asked.add(token)
            with translated():
                page = self.client.list_buckets(**{"ContinuationToken": token} if token else {})
            buckets, token = page.get("Buckets"), page.get("ContinuationToken", "")
            if buckets is None or not all(bucket.get("Name") for bucket in buckets):
                raise Fault("the server does not answer with a list of buckets")
            found += [(bucket["Name"], bucket.get("CreationDate")) for bucket in buckets]
            if not token:
                return found
        raise Fault("the list of buckets goes in circles")
