"""What a request gives in its parameters and its document, and the errors for wrong ones."""

import re
from xml.etree import ElementTree

from fakes3.errors import S3Error


def parse_xml(body, root):
    """Return the root element of a request body, without namespaces; anything else is MalformedXML.
    """
    try:
        tree = ElementTree.fromstring(body)
    except ElementTree.ParseError:
        raise S3Error("MalformedXML") from None
    if bare(tree).tag != root:
        raise S3Error("MalformedXML")
    return tree


def bare(tree):
    """Return an element whose tags have lost their namespaces, as have those below it."""
    for element in tree.iter():
        element.tag = element.tag.rpartition("}")[2]
    return tree


def number(value, name, least=0):
    """Return a numeric parameter; S3 says InvalidArgument for anything else."""
    if not re.fullmatch(r"-?\d{1,10}", value) or int(value) < least:
        raise S3Error("InvalidArgument", f"Provided {name} not an integer or within integer range",
                      ArgumentName=name, ArgumentValue=value)
    return int(value)


def check_version_id(value):
    """Refuse what cannot be a version id [LS]."""
    if not re.fullmatch(r"[A-Za-z0-9._\-]{1,1024}", value):
        message = ("Invalid version id specified" if value
                   else "Version id cannot be the empty string")
        raise S3Error("InvalidArgument", message, ArgumentName="versionId", ArgumentValue=value)


def part_number(value):
    """Return a partNumber parameter as a number."""
    if not value.isdecimal() or not 1 <= int(value) <= 10000:
        raise S3Error("InvalidArgument",
                      "Part number must be an integer between 1 and 10000, inclusive",
                      ArgumentName="partNumber", ArgumentValue=value)
    return int(value)
