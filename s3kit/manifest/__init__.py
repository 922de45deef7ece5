"""Rows, and the streams that carry them."""
