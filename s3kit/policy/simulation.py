"""What Amazon itself thinks of a document: IAM's simulation and Access Analyzer's validation, where
we may ask them.

Neither is needed: where they are not there, or not for us, that is said once, and the built-in
evaluator has to do.
"""

from s3kit.errors import Fault
from s3kit.policy.documents import compact
from s3kit.policy.identity import ask
from s3kit.policy.template import RECOVERY, arn_of

WORST = "ERROR"  # of Access Analyzer's findings: S3 would not take the document, or it cannot work


class Simulation:
    """Asks Amazon about documents; `say` is told once of each service that does not answer."""

    def __init__(self, session, say):
        self.session, self.say = session, say
        self.mute = set()

    def faults_of(self, document, bucket, circle, but_self=False):
        """Return lines for what Amazon finds wrong with a document: it denies the exempt, or is no
        good policy.
        """
        if document is None:
            return []
        return self.validate(document) + [line for arn in circle.exempt
                                          if not (but_self and arn == circle.caller.arn)
                                          for line in self.simulate(document, bucket, circle, arn)]

    def simulate(self, document, bucket, circle, arn):
        """Return a line if IAM says that a document explicitly denies a user recovery.

        IAM simulates bucket policies for users only (API Reference, SimulatePrincipalPolicy).
        """
        if ":user/" not in arn or arn.split(":")[4] != circle.caller.account:
            return []

        def simulated(service):
            found = pages_of(service.simulate_principal_policy, "EvaluationResults",
                             "Marker", PolicySourceArn=arn, CallerArn=arn,
                             ActionNames=list(RECOVERY), ResourceArns=[arn_of(bucket, circle)],
                             ResourcePolicy=compact(document),
                             ContextEntries=entries_of(circle.asker(arn)))
            if not found:
                raise Fault("it gave no result")
            return found

        results = self.asked("iam", "IAM's simulation", simulated)
        denied = [each.get("EvalActionName", "an action").removeprefix("s3:")
                  for each in results if each.get("EvalDecision") == "explicitDeny"]
        return [f"IAM's simulation denies {circle.name_of(arn)} "
                f"{', '.join(denied)}"] if denied else []

    def validate(self, document):
        """Return a line for each error that Access Analyzer finds; what it merely suggests is said.
        """
        def validated(service):
            found = pages_of(service.validate_policy, "findings", "nextToken",
                             policyDocument=compact(document), policyType="RESOURCE_POLICY",
                             validatePolicyResourceType="AWS::S3::Bucket")
            if found is None:
                raise Fault("it gave no findings")
            return found

        found = [(each.get("findingType", "finding"), each.get("findingDetails", "without details"))
                 for each in self.asked("accessanalyzer", "Access Analyzer", validated)]
        for kind, details in found:
            if kind != WORST:
                self.say(f"Access Analyzer: {kind.lower().replace('_', ' ')}: {details}")
        return [f"Access Analyzer: {details}" for kind, details in found if kind == WORST]

    def asked(self, name, called, call):
        """Return what a service answers, or [] where it does not, which is said once."""
        if name in self.mute:
            return []
        try:
            return ask(lambda: call(self.session.service(name)))
        except Fault as fault:
            self.mute.add(name)
            self.say(
                f"{called} could not be asked ({fault.code or str(fault).partition(':')[0]}): the "
                "built-in evaluator alone judges")
            return []


def pages_of(call, name, marker, **asked):
    """Return what all pages of an answer have under a name, None where a page has nothing of that
    name. Raises Fault for a page that would come twice.

    `marker` is the name of what leads to the next page, in an answer and in a question alike
    (IAM API Reference, SimulatePrincipalPolicy; Access Analyzer's, ValidatePolicy).
    """
    found, seen = [], set()
    while True:
        answer = call(**asked)
        if name not in answer:
            return None
        found += answer[name]
        following = answer.get(marker)
        if not following and answer.get("IsTruncated") or following in seen:
            raise Fault("its answer does not end")
        if not following:
            return found
        seen.add(following)
        asked[marker] = following


def entries_of(asker):
    """Return what is known of an Asker's requests, as IAM's simulation takes it."""
    return [{"ContextKeyName": name, "ContextKeyValues": list(asker.context[name.lower()]),
             "ContextKeyType": "boolean"}
            for name in ("aws:SecureTransport", "aws:PrincipalIsAWSService")
            if asker.context.get(name.lower())]
