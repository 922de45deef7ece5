"""What S3's answers say of an object besides its bytes, as the optional columns of a row have it.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html
"""

from urllib.parse import quote

COLUMNS = {"content-type": "content_type", "content-encoding": "content_encoding",
           "content-disposition": "content_disposition", "content-language": "content_language",
           "cache-control": "cache_control"}
META = "x-amz-meta-"
CHUNKED = "aws-chunked"     # how a body came, which some servers keep; no part of the object's type


def description_in(headers):
    """Return {column: text} of what an answer's headers say; what they do not say is left out.

    The object's own metadata are pairs in order of their names, as in a URL.
    """
    found = {column: text for name, column in COLUMNS.items() if (text := headers.get(name))}
    if CHUNKED in found.get("content_encoding", ""):
        encodings = map(str.strip, found.pop("content_encoding").split(","))
        if left := ", ".join(name for name in encodings if name != CHUNKED):
            found["content_encoding"] = left
    pairs = sorted((name[len(META):], text) for name, text in headers.items()
                   if name.startswith(META) and name != META)
    if pairs:
        found["metadata"] = "&".join(f"{written(name)}={written(text)}" for name, text in pairs)
    return found


def written(text):
    """Return a name or a value as it stands in a pair."""
    return quote(text, safe="/:")
