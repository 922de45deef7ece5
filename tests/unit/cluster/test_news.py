from s3kit.cluster import news
from s3kit.cluster.news import News
from s3kit.s3.window import Round


def test_notes_are_put_together(monkeypatch):
    sent = []
    these = News(sent.append)
    these.sent = float("inf")
    for note in (("moved", 5), ("round", Round(1, 0.5)), ("moved", 6), ("waiting", 3),
                 ("waiting", 3), ("round", Round(2, 0.25))):
        these.note(note)
    assert not sent
    assert these.take() == [("moved", 11), ("round", Round(3, 0.75)), ("waiting", 3)]
    assert these.take() == []


def test_what_is_urgent_goes_at_once_with_the_rest():
    sent = []
    these = News(sent.append)
    these.sent = float("inf")
    these.note(("moved", 5))
    these.note(("expired", 2))
    assert sent == [[("moved", 5), ("expired", 2)]]


def test_a_report_now_and_then(monkeypatch):
    sent, now = [], [100.0]
    monkeypatch.setattr(news.time, "monotonic", lambda: now[0])
    these = News(sent.append)
    for _ in range(10):
        these.note(("moved", 1))
        now[0] += 0.2
    assert [sum(value for _, value in notes) for notes in sent] == [1, 3, 3, 3]
