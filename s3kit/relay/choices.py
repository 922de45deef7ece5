"""What a relay is to do: the command line, and the file of --config where the line says nothing."""

import os
from argparse import Namespace

from s3kit.errors import Usage
from s3kit.pipeline.processes import words_of
from s3kit.relay.config import SIDES, read
from s3kit.relay.volumes import Volume
from s3kit.relay.work import work_of
from s3kit.s3.address import parse_s3

EVERY = 60.0            # seconds between two listings


class Choices:
    """What `args` and the words of the command line come to; `options_of(args, side)` gives the S3
    options of a side. `warnings` are for people.

    `route` is the two addresses as they were written, `addresses` as (bucket, prefix), `options`
    and `keys` those of the sides, `volumes` the Volumes, `work` the work directory. Raises Usage,
    and Fault where the file cannot be read.
    """

    def __init__(self, args, words, options_of):
        self.args = args
        said = read(args.config) if args.config else None
        self.warnings = said.warnings if said else ()
        self.route = tuple(words) or (said and (said.source.address, said.target.address)) or ()
        if len(self.route) != 2:
            raise Usage("two addresses are wanted, from where and to where: s3://bucket/prefix")
        self.addresses = [parse_s3(address) for address in self.route]
        self.options = [options_of(args, side) for side in SIDES]
        self.keys = [None, None]
        for number, side in enumerate((said.source, said.target) if said else ()):
            self.keys[number] = filled(self.options[number], side)
        self.check_apart()
        self.volumes = self.volumes_of(said)
        self.work = work_of(args.work or said and said.work,
                            [volume.path for volume in self.volumes])
        self.settle(said)

    def check_apart(self):
        """See that the two are not within one another: copies would be copied. Raises Usage."""
        first, second = ((bucket, options.endpoint_url, options.profile, keys)
                         for (bucket, _), options, keys in zip(
                             self.addresses, self.options, self.keys))
        prefixes = [prefix for _, prefix in self.addresses]
        if first == second and os.path.commonprefix(prefixes) in prefixes:
            raise Usage("the source is the target" if prefixes[0] == prefixes[1]
                        else "the source and the target lie within one another")

    def volumes_of(self, said):
        """Return the Volumes. Raises Usage."""
        args = self.args
        named = [(path, None, None) for path in args.volume] or (said.volumes if said else [])
        if not named:
            raise Usage("no volume: --volume DIR, once for each")
        volumes = [Volume(path, args.budget or budget,
                          min_free if args.min_free is None else args.min_free)
                   for path, budget, min_free in named]
        paths = {os.path.realpath(volume.path) for volume in volumes}
        if len(paths) < len(volumes):
            raise Usage("a volume is named twice")
        return volumes

    def settle(self, said):
        """Choose how it goes on. Raises Usage."""
        args = self.args
        if args.once and args.every:
            raise Usage("--once and --every exclude each other")
        order = args.order or (said and said.order) or "large"
        self.by_size = order == "large"
        self.round_size = args.round_size or (said and said.round_size) or None
        self.every = None if args.once else args.every or (said and said.every) or EVERY

    def plan(self, cores):
        """Return how a Relay is to work on a machine with so many cores."""
        jobs = self.args.jobs or max(1, cores // len(self.volumes))
        pool = [f"--jobs={jobs}", *words_of(self.args, "connections"),
                f"--retries={self.args.retries}"]
        return Namespace(by_size=self.by_size, round_size=self.round_size, every=self.every,
                         pool=pool, verbose=self.args.verbose)


def filled(options, side):
    """Give S3 options what a SideConfig says and they do not; return its keys, None where the
    options say who we are.
    """
    is_trusted = options.ca_bundle or options.no_verify_ssl
    who = options.profile or options.no_sign_request
    for name in ("region", "endpoint_url", "request_payer"):
        setattr(options, name, getattr(options, name) or getattr(side, name))
    for name in ("ca_bundle", "no_verify_ssl") * (not is_trusted):
        setattr(options, name, getattr(side, name))
    for name in ("profile", "no_sign_request") * (not who):
        setattr(options, name, getattr(side, name))
    return None if who else side.keys
