"""Control: calls side by side, faults that are one call's, and faults that are ours."""

import time

import pytest
from conftest import env_of

from s3kit.errors import Fault
from s3kit.s3.calls import Call, Control

SOON = 20       # seconds, on a busy machine


class Ask(Call):
    """Asks for each job, a key, and gives back the status."""

    def begin(self):
        """Send a request for each."""
        for place, (endpoint, key) in enumerate(self.jobs):
            self.send((place,), endpoint, endpoint.object_url(key))

    def answered(self, transfer, places):
        """Keep the status."""
        self.finish(places[0], transfer.status)


class Refused(Ask):
    """Finds at once that it cannot be done."""

    def begin(self):
        """Fail as can be expected."""
        raise Fault("there is no such thing")


class Broken(Ask):
    """Fails as nobody expects, with the answer."""

    def answered(self, transfer, places):
        """Fail."""
        raise ZeroDivisionError("of nobody's making")


@pytest.fixture
def endpoint(fake, monkeypatch):
    """An Endpoint of the fake's bucket `b`, which holds `k`."""
    from argparse import Namespace

    from s3kit.s3.session import Session
    for name, value in env_of(fake).items():
        monkeypatch.setenv(name, value)
    fake.bucket("b")
    fake.put("b", "k", b"k")
    return Session(Namespace(profile=None, region=None, endpoint_url=None, no_sign_request=False,
                             request_payer=None, ca_bundle=None, no_verify_ssl=False,
                             read_timeout=300)).endpoint("b")


@pytest.fixture
def control():
    """A Control of four connections."""
    made = Control(4)
    yield made
    made.shutdown(cancel_futures=True)


def test_calls_are_answered(control, endpoint):
    futures = [control.submit(Ask, [(endpoint, "k"), (endpoint, "none")]) for _ in range(10)]
    assert [future.result(SOON) for future in futures] == [[200, 404]] * 10
    assert not control.open and control.fault is None
    assert control.steps >= 20, "each answer is one, also within a call"


def test_a_fault_that_is_expected_is_its_calls_alone(control, endpoint):
    with pytest.raises(Fault, match="there is no such thing"):
        control.submit(Refused, [(endpoint, "k")]).result(SOON)
    assert control.submit(Ask, [(endpoint, "k")]).result(SOON) == [200]
    assert control.fault is None


def test_an_exception_is_that_of_everything_outstanding_and_of_all_that_comes(
        control, endpoint, fake):
    fake.fault("hang", key="none", times=None)
    waiting = control.submit(Ask, [(endpoint, "none")])
    broken = control.submit(Broken, [(endpoint, "k")])
    for future in (waiting, broken):
        with pytest.raises(ZeroDivisionError, match="of nobody's making"):
            future.result(SOON)
    assert isinstance(control.fault, ZeroDivisionError) and control.fault.__traceback__
    with pytest.raises(ZeroDivisionError):
        control.submit(Ask, [(endpoint, "k")])
    control.shutdown()


def test_a_token_that_no_header_can_carry_ends_it(control, endpoint):
    """libcurl's binding wants ASCII: what it raises is raised in the thread, and must not stay
    there.
    """
    control.submit(Ask, [(endpoint, "k")]).result(SOON)
    future = control.submit(Ask, [(endpoint._replace(token="tök€n"), "k")])
    with pytest.raises(UnicodeError):
        future.result(SOON)
    assert control.fault is future.exception()


def test_steps_are_made_while_an_answer_is_awaited(control, endpoint, fake):
    """And by nothing else: a long page over a slow line is not a run that is stuck."""
    control.submit(Refused, [(endpoint, "k")]).exception(SOON)
    assert control.steps == 0
    fake.fault("hang", key="k", times=None, seconds=SOON)
    control.submit(Ask, [(endpoint, "k")])
    until = time.monotonic() + SOON
    while control.steps < 3:
        assert time.monotonic() < until and not fake.requests(status=200)
        time.sleep(0.05)


@pytest.mark.parametrize("at_once", [True, False])
def test_the_end(control, endpoint, fake, at_once):
    """What was submitted is still answered, or cancelled where nobody waits; more is not taken."""
    fake.fault("hang", key="k", times=None, seconds=SOON if at_once else 0.1)
    futures = [control.submit(Ask, [(endpoint, "k")]) for _ in range(6)]
    control.shutdown(cancel_futures=at_once)
    assert all(future.cancelled() if at_once else future.done() and not future.exception()
               for future in futures)
    with pytest.raises(RuntimeError, match="the control has ended"):
        control.submit(Ask, [(endpoint, "k")])
