"""S3's answers in XML."""

from urllib.parse import unquote_plus

from s3kit.errors import Fault

BEFORE = b" \t\r\n\xef\xbb\xbf"      # bytes of blanks and of UTF-8's byte order mark


def parse(xml):
    """Return the root of an XML answer. Raises Fault for what is no XML or brings a DOCTYPE.

    Some servers send blanks or a byte order mark before the XML declaration, where XML has none.
    """
    from lxml import etree  # takes a sixth of a worker's start, and most uploads need no XML
    reader = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False,
                             huge_tree=False)
    try:
        root = etree.fromstring(xml.lstrip(BEFORE), reader)
    except etree.XMLSyntaxError as error:
        raise unreadable(error) from None
    refuse_doctype(root)
    return root


def unreadable(error):
    """Return the Fault of an etree.XMLSyntaxError."""
    return Fault(f"the server's XML cannot be read: {error.msg}")


def refuse_doctype(root):
    """Raise Fault where the document of a root brings a DOCTYPE."""
    if root.getroottree().docinfo.doctype:
        raise Fault("the server's XML has a DOCTYPE")


def parse_without(xml, elements):
    """Return the root of an XML answer, where it cannot be read as it is without what matches
    `elements`, a pattern of bytes: not all servers encode what XML cannot carry. Raises Fault.
    """
    try:
        return parse(xml)
    except Fault:
        readable = elements.sub(b"", xml)
        if readable == xml:
            raise
        return parse(readable)


def read_encoded(text):
    """Return a URL-encoded key. Raises Fault for one that is not UTF-8, as all of S3's are: no row
    can name it.
    """
    if not ("%" in text or "+" in text):
        return text
    try:
        return unquote_plus(text, errors="strict")
    except UnicodeDecodeError:
        raise Fault(f"the server names a key that is not UTF-8: '{text}'") from None


def local(tag):
    """Return a tag without its namespace."""
    return tag.rpartition("}")[2]
