"""Rows through executors and out again."""
