"""Two fakes as the sides of a relay, for unit tests that list them."""

from argparse import Namespace

from conftest import env_of

from s3kit.relay.side import Side

OPTIONS = {"profile": None, "region": None, "endpoint_url": None, "no_sign_request": False,
           "request_payer": None, "ca_bundle": None, "no_verify_ssl": False, "read_timeout": 60.0}


def side_of(name, s3, address):
    """Return the Side of a fake S3, with its own keys; `said` is what people heard of it."""
    said = []
    env = env_of(s3)
    options = OPTIONS | {"region": "us-east-1", "endpoint_url": s3.url, "read_timeout": 300}
    made = Side(name, address, Namespace(**options),
                (env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], ""), said.append)
    made.said = said
    return made
