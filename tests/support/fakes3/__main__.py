"""python -m fakes3 PORT: serve until killed."""

import argparse
import collections

from fakes3.server import FakeS3


def main(arguments=None):
    """Serve until killed."""
    parser = argparse.ArgumentParser(description="A strict fake S3.")
    parser.add_argument("port", type=int, help="0 takes a free one")
    parser.add_argument("--no-sign", action="store_true", help="believe everybody")
    parser.add_argument("--bucket", action="append", default=[],
                        help="make this bucket (may be repeated)")
    options = parser.parse_args(arguments)
    s3 = FakeS3(sign=not options.no_sign)
    s3.log = collections.deque(maxlen=10000)    # it may run for days
    for name in options.bucket:
        s3.bucket(name)
    s3.start(options.port)
    print(f"READY {s3.url}", flush=True)
    s3.thread.join()


if __name__ == "__main__":
    main()
