"""What IAM's simulation and Access Analyzer say of a document."""

from types import SimpleNamespace

import pytest
from aws import DOCUMENT
from policyruns import ALICE, BOB, GLASS, ME, OLD, ONLY_ME, circle, deny, document, live

from s3kit.errors import Fault
from s3kit.policy.simulation import Simulation, entries_of
from s3kit.policy.template import RECOVERY


def test_what_iam_s_simulation_denies_is_not_put(place, run):
    """It is asked about each user that is exempt, with the policy; whoever does not answer stops
    nothing.
    """
    services = place.services
    run("plan", "b", *ONLY_ME)
    services.denied.add((GLASS, "s3:PutBucketPolicy"))
    status, _, err = run("apply", "b", "--yes")
    assert (status == 1 and "IAM's simulation denies user/glass PutBucketPolicy" in err
            and live(place) == OLD)
    asked = [query for action, query in services.asked if action == "SimulatePrincipalPolicy"]
    assert ({query["PolicySourceArn"] for query in asked} == {ME, GLASS}
            and "S3KitOnlyMe" in asked[0]["ResourcePolicy"])
    assert run("check", "b")[0] == 1
    services.refuses |= {"SimulatePrincipalPolicy", "ValidatePolicy"}
    status, _, err = run("apply", "b", "--yes")
    assert status == 0 and err.count("could not be asked (AccessDenied") == 2


def test_what_access_analyzer_finds(place, run):
    """Errors stop it, suggestions are passed on."""
    run("plan", "b", *ONLY_ME)
    finding = {"findingType": "SUGGESTION", "findingDetails": "could be shorter", "issueCode": "X",
               "learnMoreLink": "y", "locations": []}
    place.services.findings = [finding]
    status, _, err = run("check", "b")
    assert status == 0 and "Access Analyzer: suggestion: could be shorter" in err
    place.services.findings = [finding
                               | {"findingType": "ERROR", "findingDetails": "no such action"}]
    status, _, err = run("apply", "b", "--yes")
    assert status == 1 and "refused: Access Analyzer: no such action" in err and live(place) == OLD


@pytest.mark.system("minutes")
@pytest.mark.parametrize("arn", ("arn:aws:iam::111111111111:user/me",
                                 "arn:aws:sts::111111111111:assumed-role/A/me"))
def test_answers_of_services_without_what_they_should_have(place, run, monkeypatch, arn):
    """Each of the services answers with an empty document, one after the other: a line, not a
    trace, and nothing is put that was not judged by somebody.
    """
    services = place.services
    services.roles["A"] = "arn:aws:iam::111111111111:role/A"
    services.arn, whole = arn, services.answer
    assert run("plan", "b", *ONLY_ME, "--by", "arn")[0] == 0
    for action in ("GetCallerIdentity", "GetRole", "GetUser", "SimulatePrincipalPolicy",
                   "/policy/validation", "/policy/validation of something"):
        def answer(path, body):
            if action.partition(" ")[0] not in path + body:
                return whole(path, body)
            if action.startswith("/"):
                return (200, "application/json",
                        '{"findings": [{}]}' if action.endswith("something") else "{}")
            return 200, "text/xml", DOCUMENT.format(action, "")
        monkeypatch.setattr(services, "answer", answer)
        for words in (("plan", "c", *ONLY_ME, "--by", "arn"), ("check", "b"), ("apply", "b", "-n")):
            status, _, err = run(*words)
            assert status in (0, 3), (action, words, err)
            if action == "GetCallerIdentity":
                assert status == 3 and "which no policy can name" in err
            elif action == "GetRole" and ":sts:" in arn:
                assert status == 3 and "IAM's answer has no ARN" in err
            elif action == "SimulatePrincipalPolicy" and words[0] != "plan":
                assert "IAM's simulation could not be asked (it gave no result)" in err or (
                    ":sts:" in arn)
            elif action == "/policy/validation" and words[0] != "plan":
                assert "Access Analyzer could not be asked (it gave no findings)" in err


class Amazon:
    """A session whose services answer with these, or raise; `asked` is what they were asked."""

    def __init__(self, results, findings):
        self.results, self.findings, self.asked = results, findings, []

    def service(self, name):
        """Return itself: it is each of them."""
        return self

    def simulate_principal_policy(self, **asked):
        """Return the results."""
        return self.answer({"EvaluationResults": self.results}, asked)

    def validate_policy(self, **asked):
        """Return the findings."""
        return self.answer({"findings": self.findings}, asked)

    def answer(self, answer, asked):
        """Return an answer, or raise it."""
        self.asked.append(asked)
        (told,) = answer.values()
        if isinstance(told, Exception):
            raise told
        return answer


DENIED = [{"EvalActionName": "s3:PutBucketPolicy", "EvalDecision": "explicitDeny"},
          {"EvalActionName": "s3:ListBucket", "EvalDecision": "implicitDeny"}]


def test_who_is_simulated():
    """Users of our account, the exempt alone; roles, roots and other accounts IAM cannot."""
    away = "arn:aws:iam::222222222222:user/away"
    amazon, said = Amazon(DENIED, []), []
    spared = circle(ALICE, BOB, away, "arn:aws:iam::111111111111:role/R")
    simulation = Simulation(amazon, said.append)
    assert simulation.faults_of(document(deny()), "b", spared) == [
        "IAM's simulation denies the caller PutBucketPolicy",
        f"IAM's simulation denies {BOB.split(':')[5]} PutBucketPolicy"]
    assert [each.get("PolicySourceArn") for each in amazon.asked] == [None, ALICE, BOB]
    assert set(amazon.asked[1]["ActionNames"]) == set(RECOVERY)
    assert amazon.asked[1]["ResourceArns"] == ["arn:aws:s3:::b"] and not said
    # who wants to lose access is not asked about; without a policy there is nothing to ask
    assert simulation.faults_of(document(deny()), "b", circle(ALICE), but_self=True) == []
    assert simulation.faults_of(None, "b", spared) == []


@pytest.mark.parametrize("results, findings, said", (
    (Fault("no answer: at all"), [], "IAM's simulation could not be asked (no answer)"),
    ([], [], "IAM's simulation could not be asked (it gave no result)"),
    (DENIED[1:], Fault("down"), "Access Analyzer could not be asked (down)")))
def test_who_does_not_answer_is_named_once(results, findings, said):
    """It stops nothing, and is not asked again."""
    amazon, heard = Amazon(results, findings), []
    simulation = Simulation(amazon, heard.append)
    for _ in range(2):
        assert simulation.faults_of(document(deny()), "b", circle(ALICE, BOB)) == []
    assert heard == [f"{said}: the built-in evaluator alone judges"]


def test_errors_stop_and_the_rest_is_said():
    """Whatever else a finding lacks."""
    heard = []
    simulation = Simulation(Amazon(DENIED[1:], [
        {"findingType": "ERROR", "findingDetails": "wrong"}, {"findingType": "ERROR"},
        {"findingType": "SECURITY_WARNING", "findingDetails": "wide"}, {}]), heard.append)
    assert simulation.validate(document(deny())) == [
        "Access Analyzer: wrong", "Access Analyzer: without details"]
    assert heard == ["Access Analyzer: security warning: wide",
                     "Access Analyzer: finding: without details"]


def test_what_is_known_of_requests_is_told():
    """Only what is known, and by IAM's names."""
    asker = SimpleNamespace(context={"aws:securetransport": ("true",),
                                     "aws:principalisawsservice": ()})
    assert entries_of(asker) == [{"ContextKeyName": "aws:SecureTransport",
                                  "ContextKeyValues": ["true"], "ContextKeyType": "boolean"}]


class Pages:
    """A session whose services answer in pages: `pages` are the answers, in order."""

    def __init__(self, *pages):
        self.pages, self.asked = list(pages), []

    def service(self, name):
        """Return itself."""
        return self

    def simulate_principal_policy(self, **asked):
        """Return the next page."""
        self.asked.append(asked)
        return self.pages.pop(0)

    validate_policy = simulate_principal_policy


def test_every_page_is_read():
    """What IAM denies may be on the last one, and so may an error that Access Analyzer finds."""
    amazon = Pages({"EvaluationResults": DENIED[1:], "IsTruncated": True, "Marker": "m"},
                   {"EvaluationResults": DENIED[:1], "IsTruncated": False})
    simulation = Simulation(amazon, None)
    assert simulation.simulate(document(deny()), "b", circle(ALICE, BOB), ALICE) == [
        "IAM's simulation denies the caller PutBucketPolicy"]
    assert [asked.get("Marker") for asked in amazon.asked] == [None, "m"]
    amazon = Pages({"findings": [], "nextToken": "n"}, {"findings": [{"findingType": "ERROR"}]})
    assert Simulation(amazon, None).validate(document(deny())) == [
        "Access Analyzer: without details"]
    assert amazon.asked[1]["nextToken"] == "n"


@pytest.mark.parametrize("pages", [
    [{"EvaluationResults": DENIED, "IsTruncated": True}],
    [{"EvaluationResults": DENIED, "IsTruncated": True, "Marker": "m"}] * 2,
    [{"EvaluationResults": DENIED, "IsTruncated": True, "Marker": "m"}, {}]],
                         ids=["no marker", "the same again", "an empty page"])
def test_an_answer_that_is_not_whole_is_none(pages):
    """It is said, and the built-in evaluator judges."""
    heard = []
    simulation = Simulation(Pages(*pages), heard.append)
    assert simulation.simulate(document(deny()), "b", circle(ALICE, BOB), ALICE) == []
    assert len(heard) == 1 and "IAM's simulation could not be asked" in heard[0]
