"""Reaching S3: settings, credentials, signatures, requests, answers."""
