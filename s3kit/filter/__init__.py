"""The work of s3-filter: operations on manifests, each in a module of its own.

An operation is called with an iterator of batches of rows, and yields batches of rows. Where its
input is cut (Cut comes out of the iterator) it yields what is known by then, and lets Cut through.
One that changes which shard the rows are of has `shard()`, the mark for the head.
"""
