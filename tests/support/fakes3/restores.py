"""RestoreObject."""

from fakes3.answers import Response
from fakes3.archive import DAY, SPEED_OF, TIERS, Restore, midnight
from fakes3.checksums import check_content
from fakes3.errors import S3Error
from fakes3.operations import operation
from fakes3.parameters import parse_xml
from fakes3.reads import find_version


@operation("POST", "object", "restore")
def restore_object(s3, request):
    """RestoreObject.

    Days is needed [seen: aws-sdk-ruby#3134], but not allowed for tiers of INTELLIGENT_TIERING
    [seen: s3cmd#1377]. While a restore runs, a faster tier with the same days is an upgrade [UG
    restoring-objects].
    """
    _, version = find_version(s3, request)
    check_content(request)
    tree = parse_xml(request.body, "RestoreRequest")
    if {child.tag for child in tree} - {"Days", "GlacierJobParameters", "Description"}:
        raise S3Error("MalformedXML")  # Type, Tier, SelectParameters are of Select restores
    days, tier = tree.findtext("Days"), tree.findtext("GlacierJobParameters/Tier") or "Standard"
    if tier not in TIERS or (days is not None and not days.isdecimal()):
        raise S3Error("MalformedXML")
    now = s3.clock.now()
    state = version.state(now)
    if state == "online":
        raise S3Error("InvalidObjectState",
                      "Restore is not allowed for the object's current storage class",
                      StorageClass=version.storage_class)
    if version.tier and days is not None:
        raise S3Error("InvalidArgument",
                      "INTELLIGENT_TIERING objects are not subject to restore expiry. "
                      "Do not specify Days when restoring this object")
    if not version.tier and days is None:
        raise S3Error("MalformedXML")
    if days is not None and int(days) < 1:
        raise S3Error("InvalidArgument", "The Days value must be a positive integer")
    seconds = s3.restore_seconds.get((SPEED_OF.get(version.tier, version.storage_class), tier))
    if seconds is None:
        # The message is known [seen: finraos/herd], the code is [?].
        raise S3Error("InvalidArgument", "Retrieval option is not supported by this storage class")
    if tier == "Expedited" and not s3.expedited:
        raise S3Error("GlacierExpeditedRetrievalNotAvailable")
    days = int(days or 0)
    if state == "ready":            # only the date moves, from now
        version.restore.expires = midnight(now + days * DAY)
        return Response(200)
    if state == "ongoing":
        faster = TIERS.index(tier) > TIERS.index(version.restore.tier)
        if not faster or days != version.restore.days:
            raise S3Error("RestoreAlreadyInProgress")
    done = now + seconds
    if state == "ongoing":
        done = min(done, version.restore.done)
    version.restore = Restore(tier, days, done, midnight(done + days * DAY))
    return Response(202)
