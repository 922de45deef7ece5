"""Bucket policies: templates, evaluation, plans, rollback."""
