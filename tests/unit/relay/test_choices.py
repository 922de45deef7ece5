"""Choices: the command line counts, then the file; keys are shown nowhere."""

import argparse

import pytest

from s3kit.cli.options import s3_options_of
from s3kit.commands.relay import build_parser
from s3kit.errors import Usage
from s3kit.relay.choices import EVERY, Choices

FILE = """
source: {address: s3://a/x/, region: snow, endpoint_url: https://device, ca_bundle: device.pem,
         access_key: AKIDFILE, secret_key: secretoffile, session_token: tokenoffile}
target: {address: s3://b/y/, profile: archive, no_verify_ssl: true}
volumes:
  - /vol/1
  - {path: /vol/2, budget: 500G, min_free: 10G}
work: /work
every: 2m
order: listed
round_size: 1G
"""
SECRETS = ("AKIDFILE", "secretoffile", "tokenoffile")


def chosen(*words):
    """Return the Choices of a command line."""
    args = build_parser().parse_args([str(word) for word in words])
    return Choices(args, args.words, s3_options_of)


def of_volumes(choices):
    """Return what volumes there are."""
    return [(each.path, each.budget, each.min_free) for each in choices.volumes]


def test_of_a_line_alone():
    choices = chosen("s3://a/x", "--volume", "/v", "s3://b", "--volume=/w", "--budget", "5G",
                     "--min-free", "0", "--target-profile", "archive")
    assert (choices.route, choices.addresses) == (("s3://a/x", "s3://b"), [("a", "x"), ("b", "")])
    assert of_volumes(choices) == [("/v", 5 << 30, 0), ("/w", 5 << 30, 0)]
    assert [options.profile for options in choices.options] == [None, "archive"]
    assert (choices.work, choices.every, choices.by_size, choices.round_size, choices.keys) == (
        "/v/.s3kit/relay", EVERY, True, None, [None, None])
    assert not choices.warnings


def test_of_a_file_alone(written, tmp_path):
    choices = chosen("--config", written(FILE))
    source, target = choices.options
    assert choices.route == ("s3://a/x/", "s3://b/y/")
    assert (source.region, source.endpoint_url, source.ca_bundle, source.profile) == (
        "snow", "https://device", str(tmp_path / "device.pem"), None)
    assert (target.profile, target.no_verify_ssl, target.endpoint_url) == ("archive", True, None)
    assert choices.keys == [SECRETS, None]
    assert of_volumes(choices) == [("/vol/1", None, None), ("/vol/2", 500 << 30, 10 << 30)]
    assert (choices.work, choices.every, choices.by_size, choices.round_size) == (
        "/work", 120.0, False, 1 << 30)
    assert any("keys in it" in warning for warning in choices.warnings)


def test_the_line_counts_before_the_file(written):
    choices = chosen("--config", written(FILE), "s3://c/", "s3://d/", "-w", "/else", "--every",
                     "5s", "--order", "large", "--round-size", "2G", "--volume", "/v",
                     "--source-region", "eu-west-1", "--source-profile", "mine",
                     "--source-no-verify-ssl", "--target-endpoint-url", "https://t",
                     "--target-ca-bundle", "t.pem")
    source, target = choices.options
    assert choices.route == ("s3://c/", "s3://d/") and choices.work == "/else"
    assert (choices.every, choices.by_size, choices.round_size) == (5.0, True, 2 << 30)
    assert of_volumes(choices) == [("/v", None, None)]
    assert (source.region, source.profile, source.endpoint_url) == (
        "eu-west-1", "mine", "https://device")
    # who we are, and whom we trust, are each one decision
    assert choices.keys == [None, None]
    assert (source.ca_bundle, source.no_verify_ssl) == (None, True)
    assert (target.ca_bundle, target.no_verify_ssl, target.profile) == ("t.pem", False, "archive")


@pytest.mark.parametrize("option, left", [
    ("--budget=1G", [("/vol/1", 1 << 30, None), ("/vol/2", 1 << 30, 10 << 30)]),
    ("--min-free=0", [("/vol/1", None, 0), ("/vol/2", 500 << 30, 0)])])
def test_sizes_of_the_line_are_for_all_volumes(written, option, left):
    assert of_volumes(chosen("--config", written(FILE), option)) == left


def test_once_ends_whatever_the_file_says(written):
    assert chosen("--config", written(FILE), "--once").every is None


@pytest.mark.parametrize("option", ["--source-profile=x", "--source-no-sign-request"])
def test_keys_of_the_file_are_for_nobody_who_says_who_he_is(written, option):
    choices = chosen("--config", written(FILE), option)
    assert choices.keys == [None, None]


# --- what makes no sense


@pytest.mark.parametrize("words, why", [
    ([], "two addresses"), (["s3://a/"], "two addresses"), (["statsu"], "two addresses"),
    (["s3://a/", "s3://b/", "s3://c/"], "two addresses"), (["a/", "s3://b/"], "s3://"),
    (["s3://a/", "s3://b/"], "no volume"),
    (["s3://a/", "s3://b/", "--volume=/v", "--volume=/v/"], "twice"),
    (["s3://a/", "s3://b/", "--volume=/v", "--volume=/x/../v"], "twice"),
    (["s3://a/", "s3://b/", "--volume=/v", "--once", "--every=5s"], "exclude")])
def test_wrong_words(words, why):
    with pytest.raises(Usage, match=why):
        chosen(*words)


def test_one_volume_by_two_names(tmp_path):
    (tmp_path / "v").mkdir()
    (tmp_path / "link").symlink_to("v")
    with pytest.raises(Usage, match="twice"):
        chosen("s3://a/", "s3://b/", f"--volume={tmp_path}/v", f"--volume={tmp_path}/link")


@pytest.mark.parametrize("source, target, why", [
    ("s3://a/", "s3://a/", "the source is the target"), ("s3://a", "s3://a/", "is the target"),
    ("s3://a/x/", "s3://a/x/y/", "within"), ("s3://a/x/", "s3://a/", "within"),
    ("s3://a/x", "s3://a/x-copy/", "within"), ("s3://a/x/", "s3://a/y/", None),
    ("s3://a/", "s3://b/", None)])
def test_copies_are_not_copied(source, target, why):
    """A target within the source would grow for ever; one around it might change the source."""
    if why:
        with pytest.raises(Usage, match=why):
            chosen(source, target, "--volume=/v")
    else:
        chosen(source, target, "--volume=/v")


@pytest.mark.parametrize("option", ["--target-endpoint-url=https://t", "--target-profile=t"])
def test_one_name_at_two_providers(option):
    assert chosen("s3://a/", "s3://a/", "--volume=/v", option).route == ("s3://a/", "s3://a/")
    with pytest.raises(Usage):
        chosen("s3://a/", "s3://a/", "--volume=/v", option,
               option.replace("target", "source"))


# --- what the commands are told


def test_the_cores_are_shared():
    choices = chosen("s3://a/", "s3://b/", "--volume=/v", "--volume=/w", "-c", "7", "--retries=0")
    assert [choices.plan(cores).pool[0] for cores in (1, 2, 9)] == [
        "--jobs=1", "--jobs=1", "--jobs=4"]
    assert choices.plan(2).pool[1:] == ["--connections=7", "--retries=0"]
    assert chosen("s3://a/", "s3://b/", "--volume=/v", "-j", "3").plan(9).pool == [
        "--jobs=3", "--retries=5"]


def test_keys_are_shown_nowhere(written):
    choices = chosen("--config", written(FILE))
    plan = choices.plan(2)
    assert isinstance(plan, argparse.Namespace)
    for text in (repr(choices), repr(choices.options), repr(plan), *choices.warnings,
                 *map(repr, choices.volumes), repr(choices.args)):
        assert not any(secret in text for secret in SECRETS), text
