"""What documents say of a bucket's settings."""

import pytest

from s3kit.doctor.settings import READERS
from s3kit.s3.xml import parse

NAMESPACE = ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
ONE = ("<LifecycleConfiguration{}><Rule><ID>r</ID><Status>{}</Status>{}</Rule>"
       "</LifecycleConfiguration>")


@pytest.mark.parametrize("namespace", ("", NAMESPACE))
@pytest.mark.parametrize("rule, deeds", (
    ("<Filter><Prefix>a</Prefix></Filter><Expiration><Days>3</Days></Expiration>",
     [("deletes objects", "3 days after they came")]),
    ("<Prefix>a</Prefix><Expiration><Date>2026-12-01T00:00:00Z</Date></Expiration>",
     [("deletes objects", "on 2026-12-01")]),
    ("<Filter/><Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker>"
     "</Expiration>",
     [("removes delete markers that hide nothing", "")]),
    ("<NoncurrentVersionExpiration><NoncurrentDays>7</NoncurrentDays>"
     "</NoncurrentVersionExpiration>",
     [("deletes old versions", "7 days after they were replaced")]),
    ("<Transition><Days>1</Days><StorageClass>DEEP_ARCHIVE</StorageClass></Transition>",
     [("moves objects to DEEP_ARCHIVE", "1 days after they came")]),
    ("<NoncurrentVersionTransition><NoncurrentDays>2</NoncurrentDays>"
     "<StorageClass>GLACIER</StorageClass></NoncurrentVersionTransition>",
     [("moves old versions to GLACIER", "2 days after they were replaced")]),
    # can still be read
    ("<Transition><Days>1</Days><StorageClass>STANDARD_IA</StorageClass></Transition>", []),
    ("<Transition><Days>1</Days><StorageClass>GLACIER_IR</StorageClass></Transition>", []),
    ("<AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation>"
     "</AbortIncompleteMultipartUpload>", []),
))
def test_what_a_rule_does(namespace, rule, deeds):
    """Only what a migration would meet: deleted, or in an archive."""
    (read,) = READERS["lifecycle"](parse(ONE.format(namespace, "Enabled", rule).encode()))
    assert read["abort_days"] == (1 if "AbortIncomplete" in rule else None)
    assert (read["deeds"] == deeds and read["is_on"]
            and read["prefix"] == ("a" if ">a<" in rule else ""))


@pytest.mark.parametrize("rule, told", (
    ("<DefaultRetention><Mode>GOVERNANCE</Mode><Days>3</Days></DefaultRetention>",
     "governance 3 days"),
    ("<DefaultRetention><Mode>COMPLIANCE</Mode><Years>2</Years></DefaultRetention>",
     "compliance 2 years"), ("<DefaultRetention><Mode>GOVERNANCE</Mode></DefaultRetention>",
                             "without a default"), ("", "without a default")))
def test_an_object_lock(rule, told):
    """Its default retention, if it has one."""
    text = ("<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled>"
            f"<Rule>{rule}</Rule></ObjectLockConfiguration>")
    assert READERS["lock"](parse(text.encode())) == told


@pytest.mark.parametrize("off", (None, "BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy",
                                 "RestrictPublicBuckets"))
def test_public_access(off):
    """All four must be on."""
    names = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    text = "".join(f"<{name}>{'false' if name == off else 'true'}</{name}>" for name in names)
    assert READERS["public"](parse(f"<P>{text}</P>".encode())) is (off is None)
