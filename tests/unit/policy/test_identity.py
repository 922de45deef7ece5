"""Who we are, and who keeps access: as STS, IAM and people say it."""

import json
from pathlib import Path

import pytest
from policyruns import GLASS, ME, OLD, ONLY_ME, deny, document, live

from s3kit.errors import Fault, Usage
from s3kit.policy.evaluator import DENY, UNSAID, answer
from s3kit.policy.identity import NAME_KEY, Caller, Circle, arn_in, confirm, principal


def test_a_role_s_path_comes_from_iam(place, run):
    """A session of SSO is the role with its path; where IAM does not say it the user must."""
    services, role = (place.services,
                      "arn:aws:iam::111111111111:role/aws-reserved/sso.amazonaws.com/"
                      "AWSReservedSSO_A_1")
    services.arn = "arn:aws:sts::111111111111:assumed-role/AWSReservedSSO_A_1/me@here"
    status, _, err = run("plan", "b", *ONLY_ME, "--by", "arn")
    assert status == 3 and "cannot find the path of the role" in err
    services.roles["AWSReservedSSO_A_1"] = role
    assert run("plan", "b", *ONLY_ME, "--by", "arn")[0] == 0
    assert json.loads(Path("policies/b.json").read_text())["Statement"][
        1]["Condition"]["StringNotEquals"]["aws:PrincipalArn"] == [
            role, GLASS, "arn:aws:iam::111111111111:root"]
    services.refuses.add("GetRole")
    assert run("plan", "b", *ONLY_ME, "--by", "arn")[0] == 3
    assert run("plan", "b", *ONLY_ME, "--by", "arn", "--caller", role)[0] == 0


def test_an_exempt_that_is_not_there(place, run):
    """A name that is written wrongly, or a role without its path, spares nobody; S3 would not
    notice. Also when it is applied.
    """
    services = place.services
    status, _, err = run("plan", "b", "-t", "only-me", "--exempt", GLASS + "s")
    assert (status == 3
            and "there is no user 'arn:aws:iam::111111111111:user/glasss', IAM says" in err)
    services.roles["Admin"] = "arn:aws:iam::111111111111:role/aws-reserved/Admin"
    status, _, err = run("plan", "b", "-t", "only-me", "--by", "arn", "--exempt",
                         "arn:aws:iam::111111111111:role/Admin")
    assert (status == 3 and "but 'arn:aws:iam::111111111111:role/aws-reserved/Admin'" in err
            and not Path("policies/b.json").exists())
    # nobody asks about him; he could not take it back
    away = ("--exempt", "arn:aws:iam::222222222222:user/away")
    assert (run("plan", "b", "-t", "only-me", *away)[0] == 1
            and run("plan", "b", "-t", "read-only", *away)[0] == 0)
    assert run("plan", "b", *ONLY_ME)[0] == 0
    del services.users["glass"]
    status, _, err = run("apply", "b", "--yes")
    assert status == 1 and "there is no user" in err and live(place) == OLD
    services.refuses |= {"GetUser"}
    status, _, err = run("apply", "b", "--yes")
    assert status == 0 and err.count("IAM could not be asked (AccessDenied)") == 1


@pytest.mark.parametrize("arn", ["arn:aws:sts::111111111111:federated-user/me",
                                 "arn:aws:sts::111111111111:user/moto", "nobody"])
def test_a_caller_that_no_policy_can_name(place, run, arn):
    """Status 3, with the way out."""
    place.services.arn = arn + ":::::" * (arn == "nobody")
    status, _, err = run("plan", "b", *ONLY_ME)
    assert status == 3 and "--caller" in err and not Path("policies/b.json").exists()


def test_sts_does_not_answer(place, run):
    """The same; read-only verbs of documents need nobody."""
    place.services.refuses.add("GetCallerIdentity")
    status, _, err = run("plan", "b", *ONLY_ME)
    assert status == 3 and "cannot find out who we are" in err
    assert run("plan", "b", *ONLY_ME, "--caller", ME)[0] == 0
    assert (run("apply", "b", "--yes")[0] == 3 and run("check", "b")[0] == 3
            and run("rollback", "b", "--yes")[0] == 3 and live(place) == OLD)
    assert run("show", "b")[0] == 0 and run("diff", "b")[0] == 1 and run("backup", "b")[0] == 0


ROLE = "arn:aws:iam::111111111111:role/aws-reserved/Mover"
SESSION = "arn:aws:sts::111111111111:assumed-role/Mover/me@here"


class Iam:
    """A session whose IAM answers with these, or raises."""

    def __init__(self, answer):
        self.answer, self.asked = answer, []

    def service(self, name):
        """Return it; nothing else is asked."""
        assert name == "iam"
        return self

    def get_role(self, RoleName):
        """Return the answer to a role's name."""
        self.asked.append(RoleName)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def get_user(self, UserName):
        """Return the answer to a user's name."""
        return self.get_role(UserName)


@pytest.mark.parametrize("arn", (
    "", "me", "arn:aws:iam::1:user/me", "arn:aws:iam::111111111111:group/g",
    "arn:aws:iam::111111111111:user/", "arn:aws:iam::111111111111:user/*",
    "arn:aws:sts::111111111111:role/R", "arn:aws:iam::111111111111:assumed-role/R/s",
    "arn:aws:sts::111111111111:user/me", "arn:aws:iam::\u0661" + "1" * 11 + ":user/me",
    ME + "\n", " " + ME))
def test_what_is_not_a_principal(arn):
    """Nothing is asked about it."""
    iam = Iam({})
    with pytest.raises(Usage, match="is not a principal"):
        principal(arn, iam)
    assert not iam.asked


@pytest.mark.parametrize("answer, said", (
    ({"Role": {"Arn": ROLE}}, ""), ({}, "IAM's answer has no ARN"),
    ({"Role": {}}, "IAM's answer has no ARN"),
    ({"Role": {"Arn": ROLE.replace("111111111111", "222222222222")}}, "of another account"),
    ({"Role": {"Arn": ROLE + "2"}}, "of another account"),
    (Fault("S3 says AccessDenied: no"), r"give its ARN: .*:role/PATH/Mover")))
def test_the_role_of_a_session(answer, said):
    """By IAM, which must speak of this role of this account."""
    iam = Iam(answer)
    if said:
        with pytest.raises(Fault, match=said):
            principal(SESSION, iam)
    else:
        assert principal(SESSION, iam) == ROLE
    assert iam.asked == ["Mover"]
    assert principal(ROLE, iam) == ROLE and iam.asked == ["Mover"]


def test_who_is_confirmed():
    """Users and roles of our account by their name; nobody of another, and not the root."""
    nobody = Fault("gone")
    nobody.code = "NoSuchEntity"
    with pytest.raises(Fault, match="there is no role .*, IAM says$"):
        confirm(ROLE, Iam(nobody), "111111111111")
    with pytest.raises(Fault, match=f"there is no user '{ME}', IAM says, but '{GLASS}'"):
        confirm(ME, Iam({"User": {"Arn": GLASS}}), "111111111111")
    assert confirm(ME, Iam({"User": {"Arn": ME}}), "111111111111") == ""
    assert confirm(ME, Iam(Fault("unreached")), "111111111111") == "no answer"
    for arn, account in ((ME, "222222222222"), ("arn:aws:iam::111111111111:root", "1" * 12)):
        iam = Iam(nobody)
        assert confirm(arn, iam, account) == "" and not iam.asked
    with pytest.raises(Fault):
        arn_in({"Role": {"Arn": ""}}, "Role")


def test_the_circle():
    """Who is spared, who of them could take a policy back, and what is known of their requests."""
    away, root = "arn:aws:iam::222222222222:user/away", "arn:aws:iam::111111111111:root"
    circle = Circle(Caller(ME, user_id="AIDA"), [GLASS, ME, root, away, GLASS])
    assert circle.exempt == [ME, GLASS, away, root] and circle.rescuers == [GLASS]
    assert [circle.name_of(arn) for arn in circle.exempt] == [
        "the caller", "user/glass", "user/away", "the root"]
    context = circle.asker(ME).context
    assert context["aws:userid"] == ("AIDA",) and context["aws:username"] == ("me",)
    assert "aws:userid" not in circle.asker(GLASS).context      # not known, which is not absent
    assert circle.asker(root).context["aws:username"] == ()
    assert circle.asker(ROLE).context["aws:principaltype"] == ("AssumedRole",)
    names = Circle(Caller(ME), [GLASS], NAME_KEY, assumed={"aws:username": ("other",)})
    assert names.exempt == [ME, GLASS] and "aws:principalarn" not in names.asker(ME).context
    assert names.asker(ME).context["aws:username"] == ("other",)


def test_strangers():
    """None of them is of the exempt, whatever our account is; services only where they are told."""
    for account in ("111111111111", "999999999999"):
        circle = Circle(Caller(f"arn:aws:iam::{account}:user/me", SESSION), [])
        found = dict(circle.strangers())
        assert list(found) == ["others of the account", "other accounts", "without signature",
                               "AWS services"]
        assert found["others of the account"].account == account
        assert found["other accounts"].account not in ("", account)
        assert not any(asker.session for asker in found.values())
    assert "AWS services" not in dict(Circle(Caller(ME), [], NAME_KEY).strangers())


class Custom(Iam):
    """A session with a server that is not Amazon's, or is."""

    def __init__(self, custom):
        super().__init__(None)
        self.custom = custom

    def is_custom(self):
        """Return whether it is not Amazon's."""
        return self.custom


@pytest.mark.parametrize("arn, account", [("arn:aws:iam:::user/me", ""),
                                          ("arn:aws:iam::acme:user/me", "acme"),
                                          ("arn:aws:iam::acme-1.x:role/R", "acme-1.x")])
def test_tenants_in_place_of_accounts(arn, account):
    """Ceph's, where there may be none at all; Amazon's accounts are numbers."""
    assert principal(arn, Custom(True)) == arn
    caller = Caller(arn)
    assert (caller.account, caller.root) == (account, f"arn:aws:iam::{account}:root")
    with pytest.raises(Usage, match="is not a principal"):
        principal(arn, Custom(False))


def test_who_is_of_a_tenant():
    """Its root's ARN, and its bare name, mean everybody in it; the other tenants are others."""
    spared = Circle(Caller("arn:aws:iam::acme:user/me"), ["arn:aws:iam::acme:user/glass"], NAME_KEY)
    assert spared.rescuers == ["arn:aws:iam::acme:user/glass"]
    me = spared.asker(spared.caller.arn)
    for name, verdict in (("arn:aws:iam::acme:root", DENY), ("acme", DENY), ("other", UNSAID),
                          ("arn:aws:iam:::root", UNSAID), ("arn:aws:iam::acme:user/me", DENY)):
        assert answer(document(deny(Principal={"AWS": name})), me, "s3:ListBucket",
                      "arn:aws:s3:::b").verdict == verdict, name


def test_a_server_without_sts(place, run, monkeypatch):
    """Its answer is not one of STS's at all, and has no code that boto3 could read: the way out is
    said nevertheless.
    """
    monkeypatch.setattr(place.services, "answer", lambda path, body: (
        405, "application/xml", "<Error><Code>MethodNotAllowed</Code></Error>"))
    status, _, err = run("plan", "b", *ONLY_ME)
    assert status == 3 and "cannot find out who we are" in err and "--caller" in err
