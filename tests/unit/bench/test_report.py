"""What the bench says of what it measured."""

import pytest
from goals import GOALS
from report import duel, show, summary

from unit.bench.tables import table, tool

OURS = tool("s3kit fetch", [2.0])


def test_medians_are_compared():
    """The best peer is another one for each figure; ratios are by s3kit's first tool."""
    found = duel(table("t", tool("s3kit fetch", [1, 9, 2], 2), tool("s3kit more", [1], 1),
                       tool("s5cmd cp", [3, 1, 1], 5, needs="s5cmd"),
                       tool("rclone copy", [4], 3, needs="rclone")))
    assert found["wall"] == ("s5cmd cp", 0.5) and found["cpu"] == ("rclone copy", 1.5)


@pytest.mark.parametrize("lame", [{"status": 1}, {"lacks": "9 files of 10"}, {"rival": False}])
def test_who_did_not_do_the_work_does_not_win(lame):
    """Nor who does another work; what failed is told."""
    made = table("t", OURS, tool("s5cmd cp", [1], needs="s5cmd", **lame),
                 tool("rclone copy", [3], needs="rclone"))
    assert duel(made)["wall"] == ("rclone copy", 1.5)
    told = summary([made])
    assert ("it failed" in told) == ("status" in lame) and ("9 files" in told) == ("lacks" in lame)
    assert "t " in told and "1.50" in told


def test_a_table_without_peers_has_no_winner():
    """Nor one in which s3kit failed."""
    assert not duel(table("t", OURS))
    assert not duel(table("t", tool("s3kit fetch", [1], status=3), tool("aws", [1], needs="aws")))


def test_goals():
    """Each is told as reached or not, by the peer that it names."""
    made = [table("small", OURS, tool("s5cmd cp", [3], 1.4, needs="s5cmd")),
            table("plain-30", OURS, tool("s5cmd cp", [2.3], needs="s5cmd"), floor=1.0),
            table("list", OURS, tool("s5cmd ls", [6], needs="s5cmd"),
                  tool("rclone lsf", [3.9], needs="rclone"))]
    told = [line for line in summary(made).splitlines() if "goal" in line]
    for words in (("small ", "1.50", "; goal: wall 1.5 reached, CPU 1.5 NOT reached"),
                  ("plain-30 ", "1.15", "; goal: wall 1.2 NOT reached, within 1.3 times the floor "
                                        "NOT reached (2.0)"),
                  ("list ", "3.00", "s5cmd ls; goal: wall 3 reached"),
                  ("list ", "1.95", "rclone lsf; goal: wall 2 NOT reached")):
        assert [line for line in told if all(word in line for word in words)], (words, told)


def test_limits():
    """Memory is held to what it may be."""
    made = table("memory", tool("s3kit fetch", [1], connections=5.12))
    assert ("s3kit fetch, 512 connections: the largest worker 20 MiB; goal: at most 64 MiB reached"
            in summary([made]))


def test_a_quick_run_does_not_judge():
    """It has too little to do."""
    told = summary([table("small", OURS, tool("s5cmd cp", [3], needs="s5cmd"), quick=True)])
    assert "1.50" in told and "goal" not in told


def test_a_table_says_what_was_done():
    """The work, the figures, who failed, and what one parent has CPU for."""
    told = show(table("t", OURS, tool("s5cmd cp", [1], needs="s5cmd", status=1)))
    assert told.startswith("t: the work; rounds: 1\n") and "STATUS 1: it failed" in told
    assert "200 objects a second of its CPU" in told


def test_what_one_parent_has_cpu_for():
    """It is in the summary, where nobody is compared with."""
    assert "200 objects a second of its CPU" in summary([table("rows", OURS)])


def test_goals_name_tables():
    """Each goal is of a table that some case makes."""
    import cases
    text = open(cases.__file__).read()
    ends = [where + how for where, _ in cases.UP_TO for how, _ in cases.UP_HOW]
    assert all(any(f'"{goal.title.removesuffix(end)}"' in text for end in ends) for goal in GOALS)
