"""s3-policy show: what is planned, live or kept, as a document or as it is."""

import json

import pytest
from policyruns import OLD, ONLY_ME


def test_which_document(place, run):
    """The planned one unless another is asked for; what is not there is said."""
    status, out, err = run("show", "b")
    assert (status, out) == (1, "") and "there is no 'policies/b.json' (--live shows" in err
    assert run("show", "b", "--backup") == (1, "", "s3-policy: b: there is no backup\n")
    status, out, err = run("show", "c", "--live")
    assert (status, out, err) == (
        0, "null\n", "s3-policy: c: no policy is live: principals' own policies alone decide\n")
    run("plan", "b", *ONLY_ME)
    run("apply", "b", "--yes")
    assert [len(json.loads(run("show", "b", *option)[1])["Statement"])
            for option in ((), ("--live",), ("--backup",))] == [3, 3, 1]


def test_no_policy_on_a_terminal(place, run, monkeypatch):
    """Is said; null would say less."""
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    status, out, err = run("show", "c", "--live")
    assert (status, out) == (0, "") and "c: no policy is live" in err


@pytest.mark.parametrize("text, shown", (("{ broken", "{ broken\n"),
                                         (json.dumps(OLD), json.dumps(OLD, indent=2) + "\n")))
def test_a_document_as_it_is(place, run, text, shown):
    """Laid out for people, or letter by letter where it cannot be read."""
    place.bucket("b").policy = text
    assert run("show", "b", "--live")[:2] == (0, shown)
