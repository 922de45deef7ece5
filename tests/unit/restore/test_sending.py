"""What is asked of S3, and how much of it is under way."""

from s3kit.manifest.row import Row
from s3kit.restore.asking import RestoreRequest, StatusQuery
from s3kit.restore.probing import Probes
from s3kit.restore.sending import ASKED, LOOKED, POLLED, Requests
from s3kit.restore.version import Version


def test_requests_are_counted_by_their_reason(made):
    """With the terms that S3 takes for the class, and the newest Endpoint."""
    stage, probes = made(days=3), Probes()
    requests = Requests(stage, probes, None)
    version = Version(Row("b", "k", "v", etag="e", storage_class="DEEP_ARCHIVE"), "Expedited")
    requests.look_at(version)
    requests.look_at(version, POLLED)
    stage.access.generation = 2
    probes.shown["b"] = False
    requests.look_at(version)
    requests.ask_for(version)
    endpoint = stage.sent[-1][1].endpoint
    assert [job for _, job in stage.sent] == [
        *2 * [StatusQuery(endpoint._replace(generation=1), "k", "v", "e", False)],
        StatusQuery(endpoint, "k", "v", "e", True),
        RestoreRequest(endpoint, "k", "v", 3, "Standard")]
    assert requests.under_way == {LOOKED: 2, POLLED: 1, ASKED: 1}
    assert (version.asks, version.reason) == (1, ASKED)
    assert requests.answered(version) == ASKED
    assert (version.reason, version.job) == (None, None), "it may go to disk, keys must not"
    assert requests.under_way == {LOOKED: 2, POLLED: 1, ASKED: 0}


def test_a_bucket_that_is_not_there(made):
    """Nothing is under way for it."""
    failed, stage = [], made()
    requests = Requests(stage, Probes(), lambda version, why: failed.append(why))
    requests.look_at(Version(Row("gone", "k"), "Bulk"))
    assert failed == ["bucket 'gone' does not exist"] and not stage.sent
    assert requests.under_way[LOOKED] == 0
