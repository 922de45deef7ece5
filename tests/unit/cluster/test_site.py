import pickle
import time
from concurrent.futures import Future

import pytest
from conftest import set_aws, env_of
from fakes3 import FakeS3
from types import SimpleNamespace

from s3kit.cluster import probe, site as module
from s3kit.cluster.parcel import Parcel, Setup
from s3kit.cluster.site import Site, sliced
from s3kit.disk.tree import LOST, clock
from s3kit.restore.asking import ArchiveCall, StatusQuery
from s3kit.s3.access import Access
from s3kit.s3.request_rate import RequestRate
from s3kit.transfer.job import Job, Outcome
from s3kit.transfer.work import Work


@pytest.fixture
def fake():
    with FakeS3() as server:
        for number in range(150):
            server.put("b", f"k{number}", b"%d" % number)
        yield server


@pytest.fixture
def endpoint(fake, monkeypatch):
    set_aws(monkeypatch, env_of(fake))
    args = SimpleNamespace(profile=None, region=None, endpoint_url=None, no_sign_request=False,
                           request_payer=None, ca_bundle=None, no_verify_ssl=False,
                           read_timeout=300)
    return Access(args).endpoint("b")


@pytest.fixture
def dest(tmp_path):
    folder = tmp_path / "dest"
    folder.mkdir()
    return folder


@pytest.fixture
def reports():
    return []


@pytest.fixture
def a_site(dest, reports):
    """Return a Site of a run."""
    made = []

    def a_site(leaving=lambda: False, **facts):
        setup = Setup("r", "s3-fetch", str(dest), probe.write(str(dest)))._replace(**facts)
        made.append(Site(setup, "tcp://a", 2, reports.append, leaving, lambda site: site.close()))
        return made[-1]

    yield a_site
    for each in made:
        each.close()


def gets(fake, count=150):
    return [Job("get", "b", f"k{number}", "", fake.get("b", f"k{number}").etag, -1, -1,
                f"b/k{number}") for number in range(count)]


def work_for(dest):
    return pickle.dumps(Work(str(dest), {}, 8))


def test_files_are_there_by_name_when_a_parcel_is_answered(fake, endpoint, dest, a_site, reports):
    site = a_site()
    answer = site.do(Parcel(site.setup, work_for(dest), [("endpoints", [endpoint])], gets(fake)))
    assert not (answer.stop or answer.fault or answer.lost)
    assert [outcome.state for outcome in answer.outcomes] == ["fetched"] * 150
    assert [(dest / outcome.path).read_bytes() for outcome in answer.outcomes] == [
        b"%d" % number for number in range(150)]
    said = [note for report in (*reports, answer.news) for note in report.notes]
    assert sum(value for kind, value in said if kind == "moved") == sum(
        len(str(number)) for number in range(150))
    assert {each[0].rpartition(":")[0] for each in answer.news.at_work} == {site.host}
    assert len(answer.news.at_work) == 2


def test_a_destination_that_is_another_is_not_written_to(fake, endpoint, dest, a_site, monkeypatch):
    monkeypatch.setattr(probe, "SECONDS", 0)
    site = a_site(probe=probe.Probe("probe-no", ""))
    answer = site.do(Parcel(site.setup, work_for(dest), [("endpoints", [endpoint])], gets(fake, 1)))
    assert "is another directory there" in answer.lost and not (dest / "b").exists()


def test_where_nothing_is_written_nothing_is_made(dest, a_site):
    """s3-put takes a directory without our folder for parts for what its names are keys below."""
    site, future = a_site(), Future()
    future.set_result([Outcome("sent")])
    site.executor = SimpleNamespace(submit=lambda work, part: future, shutdown=lambda **_: None)
    site.works[b""] = None
    job = Job("send", "b", "k", "", "", 1, -1, "k")
    assert site.do(Parcel(site.setup, b"", [], [job])).outcomes == [Outcome("sent")]
    assert [path.name[:6] for path in (dest / ".s3kit").iterdir()] == ["probe-"]


def test_a_flush_that_fails_ends_the_run(fake, endpoint, dest, a_site, monkeypatch):
    def fail(fd):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("s3kit.disk.durable.sync_tree", fail)
    site = a_site()
    answer = site.do(Parcel(site.setup, work_for(dest), [("endpoints", [endpoint])], gets(fake, 2)))
    assert answer.stop.startswith(f"{site.host}: cannot make files durable: No space left")
    assert not list(dest.glob("b/*")) and not list((dest / ".s3kit/parts").iterdir())


def test_requests_have_no_files(fake, endpoint, a_site):
    site = a_site(destination="", probe=None)
    queries = [StatusQuery(endpoint, f"k{number}", "") for number in range(3)]
    answer = site.do(Parcel(site.setup, pickle.dumps(ArchiveCall), [], queries))
    assert [status.state for status in answer.outcomes] == ["online"] * 3


def test_requests_of_a_node_are_limited_as_those_of_its_processes(a_site, monkeypatch):
    """Each is allowed its share, though one sends for all; what is told again changes nothing."""
    rate = RequestRate()
    monkeypatch.setattr(module, "LIMIT", rate)
    site = a_site(destination="", probe=None)
    site.hear([("limits", (0.0, 10.0))])
    assert rate.most == 10.0 * site.processes == 20.0
    rate.tokens = -5.0
    site.hear([("limits", (0.0, 10.0))])
    assert rate.tokens == -5.0
    site.hear([("limits", (0.0, 4.0))])
    assert rate.most == 8.0


def test_a_dask_worker_that_ends_takes_nothing_with_it(fake, endpoint, dest, a_site):
    fake.latency = 30
    leaving = []
    site = a_site(leaving=lambda: bool(leaving))
    leaving.append(True)
    began = time.monotonic()
    answer = site.do(Parcel(site.setup, work_for(dest), [("endpoints", [endpoint])], gets(fake, 3)))
    assert answer.lost == "it ends" and time.monotonic() - began < 10


def test_what_engines_hear_is_told_once(a_site, endpoint):
    site, told = a_site(), []
    site.executor = SimpleNamespace(tell=lambda message, keep: told.append((message, keep)),
                                    shutdown=lambda **_: None)
    newer = endpoint._replace(generation=endpoint.generation + 1)
    for messages in ([("endpoints", [endpoint]), ("share", 4.0)],
                     [("endpoints", [endpoint]), ("share", 4.0), ("slow", None)],
                     [("endpoints", [newer]), ("share", 8.0), ("slow", None)]):
        site.hear(messages)
    assert told == [(("endpoints", [endpoint]), True), (("share", 4.0), True),
                    (("slow", None), False), (("endpoints", [newer]), True),
                    (("share", 8.0), True), (("slow", None), False)]
    assert site.executor.load == 16


def test_where_the_lease_has_run_out_nothing_is_begun(fake, endpoint, dest, a_site):
    """A parcel that has waited for long does not make it older than it is."""
    site = a_site()
    parcel = Parcel(site.setup, work_for(dest), [("endpoints", [endpoint]),
                                                 ("lease", clock() - 1)], gets(fake, 1))
    assert site.do(parcel).lost == LOST and not (dest / "b").exists()
    site.hear([("lease", clock() + 30)])
    answer = site.do(parcel)
    assert [outcome.state for outcome in answer.outcomes] == ["fetched"]


def test_a_lease_that_is_lost_does_not_come_back(fake, endpoint, dest, a_site):
    """Whatever older news still comes, in a parcel that has waited or between them."""
    site = a_site()
    site.hear([("lease", clock() + 30)])
    site.hear([("lease", 0.0)])
    site.hear([("lease", clock() + 30)])
    answer = site.do(Parcel(site.setup, work_for(dest), [("endpoints", [endpoint]),
                                                         ("lease", clock() + 30)], gets(fake, 1)))
    assert answer.lost == LOST and not (dest / "b").exists()


def test_it_shows_that_it_is_there_and_ends_when_nobody_uses_it(a_site, reports, monkeypatch):
    monkeypatch.setattr(module, "HEARTBEAT", 0.02)
    site = a_site()
    site.under_way = 1
    until(lambda: reports)
    assert reports[0].run == "r" and reports[0].node == "tcp://a"
    site.under_way = 0
    assert not site.over.is_set()
    site.used_at -= module.IDLE_SECONDS
    until(site.over.is_set)


def until(is_so):
    end = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_worker_of_ours_that_dies_fails_its_rows_alone(a_site, fake, dest):
    from s3kit.pipeline.pool import WorkerDied
    site, futures = a_site(), [Future() for _ in range(3)]
    site.executor = SimpleNamespace(submit=lambda work, part: futures.pop(0),
                                    shutdown=lambda **_: None)
    good, bad, last = futures
    good.set_result(["good"] * 64)
    bad.set_exception(WorkerDied("its worker died 3 times"))
    last.set_result(["good"] * 22)
    outcomes = site.outcomes(None, gets(fake))
    assert [getattr(each, "error", each) for each in outcomes] == (
        ["good"] * 64 + ["its worker died 3 times"] * 64 + ["good"] * 22)


def test_a_parcel_is_cut_as_a_flow_cuts():
    jobs = [Job("get", "b", "k", "", "", size, -1, "p") for size in [1] * 100 + [5 << 20] * 3]
    assert [len(part) for part in sliced(jobs)] == [64, 38, 1]
