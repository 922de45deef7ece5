"""The options of every command: what their values may be, and what is said of others."""

import argparse
from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3kit.cli import options
from s3kit.errors import Usage
from s3kit.units import show_time

NOON = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)
GROUPS = (options.s3_options, options.input_options, options.output_options,
          options.pool_options, options.filter_options,
          lambda made: options.dest_option(made, "where"))
TYPES = {"positive": options.positive, "whole": options.whole, "size": options.size,
         "span": options.span, "moment": options.moment, "column_list": options.column_list}


def parsed(*argv):
    """Return what a parser with all options makes of a command line."""
    made = options.parser("s3-test", "Test.")
    for group in GROUPS:
        group(made)
    return made.parse_args(argv)


def test_what_is_not_given():
    """The defaults: quiet about rows, the directory here, no filter, connections as they help."""
    args = parsed()
    assert (args.prog, args.quiet, args.verbose, args.dest) == ("s3-test", False, False, ".")
    assert (args.file, args.output, args.format, args.in_place) == ([], None, None, False)
    assert args.jobs >= 1 and args.connections is None
    assert args.rules is args.min_size is args.newer is args.storage_class is args.region is None
    assert not (args.no_sign_request or args.no_verify_ssl or args.request_payer)


def test_what_is_given():
    args = parsed("-qv", "-d", "there", "-f", "xml", "-o", "m.csv", "-i", "-j", "2", "-c", "7",
                  "--bucket", "b", "--columns", "key, size", "--region", "eu-west-1",
                  "--min-size", "1K", "--newer", "2026-01-31T12:00:00Z", "--storage-class",
                  "glacier,DEEP_ARCHIVE", "--request-payer", "--", "-m.csv")
    assert (args.quiet, args.verbose, args.dest, args.format) == (True, True, "there", "xml")
    assert (args.jobs, args.connections, args.columns) == (2, 7, ["key", "size"])
    assert (args.min_size, args.newer, args.request_payer) == (1024, NOON, "requester")
    assert args.storage_class == ["GLACIER", "DEEP_ARCHIVE"] and args.file == ["-m.csv"]


def test_the_order_of_rules_is_kept():
    """Over all four options, of which the last that matches decides."""
    args = parsed("--exclude", "*", "--include", "*.jpg", "--exclude-regex", "^tmp/",
                  "--include-regex", "x")
    assert args.rules == [(False, False, "*"), (True, False, "*.jpg"), (False, True, "^tmp/"),
                          (True, True, "x")]
    assert parsed().rules is None, "rules of one command line are not those of the next"


@pytest.mark.parametrize("argv, says", [
    (["-j", "0"], "argument -j/--jobs: '0' is not a number of at least 1"),
    (["-j", "\u0663"], "is not a number of at least 1"), (["-j", "1.5"], "is not a number"),
    (["--min-size", "10X"], "'10X' is not a size"),
    (["--min-size", "9" * 400 + ".5"], "more than any size"),
    (["--newer", "soon"], "'soon' is not a time"),
    (["--newer", "9" * 400 + "d"], "is before the calendar"),
    (["--columns", "bucket,size"], "there must be a column 'key'"),
    (["--include-regex", "("], "argument --include-regex: '(' is not a regular expression"),
    (["--include", "\udcff*"], "is not UTF-8 text, as all keys are"),
    (["--profile", "\udcff"], "argument --profile: '\udcff' is not UTF-8 text"),
    (["--region", "\udcff"], "is not UTF-8"), (["--endpoint-url", "\udcff"], "is not UTF-8"),
    (["--bucket", "bücket"], "argument --bucket: 'bücket' cannot be the name of a bucket"),
    (["--bucket", "b\udcff"], "cannot be the name of a bucket"),
    (["-f", "json"], "invalid choice"), (["--reg", "x"], "unknown option '--reg'"),
    (["--request-payer=me"], "invalid choice"), (["-d"], "expected one argument")])
def test_what_is_asked_wrongly(argv, says):
    """One line, no usage, status 2, and where to read more; options are not guessed."""
    with pytest.raises(Usage) as told:
        parsed(*argv)
    text = str(told.value)
    assert says in text and text.endswith(" (try 's3-test --help')") and "\n" not in text
    assert told.value.status == 2


@pytest.mark.parametrize("argv, says", [
    (["--endpoint", "http://h"], "unknown option '--endpoint': did you mean --endpoint-url?"),
    (["--endpoint=http://h"], "unknown option '--endpoint': did you mean --endpoint-url?"),
    (["--bukcet", "b"], "unknown option '--bukcet': did you mean --bucket?"),
    (["--regex", "x"], "'--regex': did you mean --include-regex or --exclude-regex?"),
    (["--recursive"], "unknown option '--recursive' (try"), (["-x"], "unknown option '-x' (try"),
    (["a.csv", "-j", "2", "b.csv"], "unexpected argument 'b.csv': it has to stand beside the")])
@pytest.mark.parametrize("parse", ["parse_args", "parse_intermixed_args"])
def test_an_option_that_is_nearly_right(argv, says, parse):
    """Is named; what is like none is only called unknown."""
    made = options.parser("s3-test", "Test.")
    for group in GROUPS:
        group(made)
    if parse == "parse_intermixed_args" and "b.csv" in argv:
        assert made.parse_intermixed_args(argv).file == ["a.csv", "b.csv"]
        return
    with pytest.raises(Usage) as told:
        getattr(made, parse)(argv)
    assert says in str(told.value)


@pytest.mark.parametrize("argv, form, files", [
    (["-0"], "keys0", []), (["--null", "l"], "keys0", ["l"]), (["--keys", "l"], "keys", ["l"]),
    (["--keys", "-"], "keys", ["-"]), (["--keys", "l", "-0"], "keys0", ["l"]),
    (["l"], None, ["l"])])
def test_lists_of_keys(argv, form, files):
    """Are what --from and FILE would say, also of what a command calls its sources."""
    args = parsed(*argv)
    assert (args.from_form, args.file) == (form, files)
    made = options.parser("s3-test", "Test.")
    made.add_argument("source", nargs="*")
    options.bucket_option(made)
    args = made.parse_args(argv)
    assert (args.from_form, args.source) == (form, files)


@pytest.mark.parametrize("argv, says", [
    (["--keys", "l", "m"], "--keys FILE is the input: it goes with no other"),
    (["-0", "--from", "keys0"], "they go with no --from or --columns"),
    (["--keys", "l", "--columns", "key"], "they go with no --from or --columns")])
def test_lists_of_keys_beside_other_input(argv, says):
    with pytest.raises(Usage) as told:
        parsed(*argv)
    assert says in str(told.value)


@given(st.sampled_from(sorted(TYPES)), st.text(max_size=12) | st.from_regex(
    r"\A[-+]?[0-9]{1,30}(\.[0-9]{1,5})?[a-zA-Z]{0,3}\Z"))
def test_a_value_is_taken_or_refused(name, text):
    """In words, whatever it is: argparse turns ArgumentTypeError to a message."""
    try:
        value = TYPES[name](text)
    except argparse.ArgumentTypeError as error:
        assert str(error)
    else:
        assert value is not None and (name != "positive" or value >= 1)
        assert name not in ("positive", "whole", "size", "span") or value >= 0


@given(st.integers(0, 1 << 62))
def test_numbers(value):
    assert options.whole(str(value)) == value
    if value:
        assert options.positive(str(value)) == value


@given(st.datetimes(datetime(1970, 1, 1), datetime(2199, 1, 1), timezones=st.just(timezone.utc)))
def test_moments(value):
    assert options.moment(show_time(value)) == value


@pytest.mark.parametrize("option, also", [("--newer", ""), ("--at", ": what is there now is mea")])
def test_a_time_to_come_is_said(capsys, option, also):
    """It chooses what nobody wants chosen; with -q nothing is said."""
    made = options.parser("s3-test", "Test.")
    options.filter_options(made)
    made.add_argument("--at", type=options.moment)
    assert made.parse_args([option, "2999-01-01T12:00+02:00", "--older", "now"])
    said = capsys.readouterr().err
    assert said.startswith(f"s3-test: warning: {option} 2999-01-01T10:00:00Z is in the "
                           f"future{also}")
    assert said.count("\n") == 1 and "(a time without a zone is UTC)" in said
    made.parse_args([option, "yesterday"])
    made.parse_args(["-q", option, "2999-01-01"])
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("text, seconds", [("60s", 60), ("5m", 300), ("0.5h", 1800),
                                           ("2d", 172800)])
def test_spans(text, seconds):
    assert options.span(text) == seconds


@pytest.mark.parametrize("text, names", [("key", ["key"]), (" bucket , key ", ["bucket", "key"]),
                                         ("key,,size", ["key", "", "size"])])
def test_columns(text, names):
    assert options.column_list(text) == names


def test_help_and_version(capsys):
    """On stdout, with status 0."""
    for option, says in (("--help", "usage: s3-test"), ("--version", "s3-test (s3kit) ")):
        with pytest.raises(SystemExit) as end:
            parsed(option)
        assert not end.value.code and capsys.readouterr().out.startswith(says)
