"""One line of a report."""

from s3kit.doctor.finding import FAULT, OK, WARNING, WRONG, Finding


def test_a_line():
    """What was seen, and what to do if anything is."""
    assert Finding("disk", FAULT, "full", "make room").line() == "full: make room"
    assert Finding("disk", OK, "there").line() == "there"


def test_json():
    """Facts beside the texts; what is not said is left out, zero and no are said."""
    found = Finding("disk", WARNING, "low", "", {"free": 0, "source": None, "name": "",
                                                 "is_low": False, "seen": "a fact counts"})
    assert found.json() == {"check": "disk", "state": "warning", "seen": "a fact counts", "free": 0,
                            "is_low": False}


def test_what_is_wrong():
    """Only what somebody has to do something about."""
    assert set(WRONG) == {WARNING, FAULT}
