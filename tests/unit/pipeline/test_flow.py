"""Rows through an executor: batches, rows that sleep, and a reader that is let go on."""

import threading
import time
from concurrent.futures import Future

import pytest

from s3kit.errors import Cut
from s3kit.pipeline.flow import Flow


class Stage:
    """Does with rows what a test says."""

    def __init__(self, take=None):
        self.taken, self.answers, self.looks, self.take = [], [], 0, take or (lambda row: None)
        self.unflushed, self.was_flushed, self.hurries = [], [], 0

    def look(self):
        """Count turns; a flow that hangs ends here."""
        self.looks += 1
        assert time.monotonic() - self.began < 20, "the flow does not end"

    def take_all(self, batch):
        """Take rows."""
        for row in batch:
            self.taken.append(row)
            self.take(row)

    def answer(self, errand, outcome):
        """Take an answer."""
        self.answers.append((errand, outcome))

    def note(self, note):
        """Take a note."""

    def flushed(self, values):
        """Take what was flushed."""
        self.was_flushed += values

    def hurry(self):
        """Flush what waits."""
        self.hurries += 1
        waiting, self.unflushed = self.unflushed, []
        self.flow.events.put(("flushed", waiting))


class Echo:
    """Answers each batch with itself; `sizes` has the batches' lengths."""

    def __init__(self):
        self.sizes = []

    def submit(self, work, jobs):
        """Answer."""
        self.sizes.append(len(jobs))
        future = Future()
        future.set_result(jobs)
        return future


def flow_of(batches, stage, limit=100, **options):
    """Return a Flow over lists of rows."""
    stage.began, executor = time.monotonic(), Echo()
    made = Flow(iter(batches), executor, lambda: None, stage, limit, **options)
    stage.flow = made
    return made


def test_jobs_go_in_batches_and_come_back_with_their_errands():
    """As many together as was said."""
    stage = Stage()
    made = flow_of([[1, 2, 3], [4, 5]], stage, together=2)
    stage.take = lambda row: made.send(row * 10, row)
    made.run()
    assert (sorted(stage.answers) == [(n, n * 10) for n in range(1, 6)]
            and max(made.executor.sizes) <= 2)


@pytest.mark.system("minutes")
@pytest.mark.parametrize("limit", [1, 2, 7, 64])
def test_rows_that_sleep_and_need_nothing_let_the_reader_go_on(limit):
    """No answer comes when they wake: the reader is let go on all the same, at any limit."""
    stage, woken = Stage(), []
    made = flow_of([[n, n] for n in range(40)], stage, limit)
    stage.take = lambda row: made.later(0.001, woken.append, row)
    made.run()
    assert len(woken) == 80 and len(stage.taken) == 80


def test_the_flow_waits_for_a_flush_and_asks_for_it_when_nothing_else_comes():
    """Once, after the last answer; nobody is kept from reading on meanwhile."""
    stage = Stage()
    made = flow_of([[n] for n in range(300)], stage, limit=2)

    def take(row):
        stage.unflushed.append(row)
        made.unflushed += 1

    stage.take = take
    made.run()
    assert stage.was_flushed == list(range(300)) and stage.hurries == 1
    assert made.unflushed == 0 and not made.is_owed()


def test_a_cut_is_raised_at_the_end():
    """After everything that came."""
    def batches():
        yield [1]
        raise Cut("cut")

    stage = Stage()
    made = flow_of(batches(), stage)
    stage.take = lambda row: made.send(row, row)
    with pytest.raises(Cut):
        made.run()
    assert stage.answers == [(1, 1)]


def test_no_more_is_read_than_fits():
    """A hundred blocks wait in the input while ten rows are on their way."""
    read = []

    def batches():
        for number in range(100):
            read.append(number)
            yield [number]

    stage = Stage()
    made = flow_of(batches(), stage, limit=5)
    stage.take = lambda row: made.later(1000, print)
    stage.look = (lambda: (_ for _ in ()).throw(TimeoutError) if time.monotonic() - stage.began > 1
                  else None)
    with pytest.raises(TimeoutError):
        made.run()
    assert len(read) <= 5 + 4
    for thread in threading.enumerate():
        if thread.name == "read":
            thread.join(20)
            assert not thread.is_alive(), "the reader waits for a flow that has ended"


@pytest.mark.parametrize("cut", [None, Cut("cut")])
def test_what_is_done_at_the_end(cut):
    """After every row, however the input ended, and before that is said."""
    def rows():
        yield [1, 2]
        if cut:
            raise cut

    stage = Stage()
    made = flow_of(rows(), stage)
    stage.take = lambda row: made.send(row, row)
    made.at_end = lambda: stage.answers.append("end")
    if cut:
        with pytest.raises(Cut):
            made.run()
    else:
        made.run()
    assert stage.answers == [(1, 1), (2, 2), "end"]
