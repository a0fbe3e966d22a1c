"""What a connection string says: hosts, the database that is meant, and what is wrong with it."""

import dns.resolver
import pytest
from pymongo import MongoClient
from pymongo.errors import ConfigurationError

from db.connection_string import ConnectionString, explain, is_passing

SECRET = "hunter2"  # noqa: S105 - what must not be shown

HOSTS = [
    ("mongodb://db.example/", "db.example:27017"),
    ("mongodb://db.example:27018", "db.example:27018"),
    ("mongodb://a:1,b/film?replicaSet=rs", "a:1, b:27017"),
    (f"mongodb://user:{SECRET}@a,b/?w=1", "a:27017, b:27017"),
    ("mongodb://[::1]/", "[::1]:27017"),
    ("mongodb://[::1]:27018/", "[::1]:27018"),
    (f"mongodb+srv://user:{SECRET}@cluster.example/film", "cluster.example (SRV)"),
    (f"mongodb://user:{SECRET}/x@host/", "a malformed address"),
    (f"mongodb://user:{SECRET}@host/?authMechanismProperties=SERVICE_HOST:x", "host:27017"),
    (f"mongodb://user:{SECRET}@host/?tlsCertificateKeyFilePassword=a@b", "host:27017"),
    (f"mongodb://user:{SECRET}?x=1@host/db", "a malformed address"),
    (f"mongodb://user:p@{SECRET}?x=1@host/db", "a malformed address"),
    (f"mongodb://user:{SECRET},b?c=d@host/db", "a malformed address"),
    (f"mongodb://user:{SECRET}/db", "a malformed address"),
]


@pytest.mark.parametrize(("url", "hosts"), HOSTS)
def test_the_servers_are_named_with_their_ports(url: str, hosts: str) -> None:
    assert ConnectionString.of(url).hosts == hosts


NAMES = [
    ("mongodb://h/", None, "storyboard", "the default name"),
    ("mongodb://h", "", "storyboard", "the default name"),
    ("mongodb://h/film", None, "film", "named by the connection string"),
    ("mongodb://h/my%20film", None, "my film", "named by the connection string"),
    ("mongodb://h/film?w=1", None, "film", "named by the connection string"),
    ("mongodb://h/film", "story", "story", "named by DB_NAME, not 'film' as in the connection"),
    ("mongodb://h/film", "film", "film", "named by DB_NAME"),
    ("mongodb://u:p@h/admin", "story", "story", "named by DB_NAME"),
    ("mongodb://h/admin", None, "storyboard", "the default name; the path 'admin' of the"),
    ("mongodb://h/local", None, "storyboard", "the default name"),
    ("mongodb://h/config", None, "storyboard", "the default name"),
    ("mongodb://h/$external", None, "storyboard", "the default name"),
    ("mongodb://u:p@h/film", None, "storyboard", "where its user is stored"),
    ("mongodb://u:p@h/film?authSource=admin", None, "film", "named by the connection string"),
    ("mongodb+srv://u:p@h/film?AUTHSOURCE=admin", None, "film", "named by the connection string"),
]


@pytest.mark.parametrize(("url", "given", "name", "reason"), NAMES)
def test_the_database_is_chosen_with_a_reason(
    url: str, given: str | None, name: str, reason: str
) -> None:
    chosen, because = ConnectionString.of(url).choose(given, "DB_NAME")

    assert chosen == name
    assert because.startswith(reason) or reason in because
    assert (chosen == given) == because.startswith("named by DB_NAME")


WRONG = [
    (f"mongodb://u:{SECRET}@x@h/", "holds @ unencoded; write % as %25, @ as %40"),
    (f"mongodb://u:{SECRET}%zz@h/", "holds % unencoded"),
    (f"mongodb://u:{SECRET}/x@h/", "holds / unencoded"),
    (f"mongodb://u:{SECRET}?x@h/", "holds ? unencoded"),
    (f"mongodb://u:{SECRET}:x@h/", "holds : unencoded"),
    ("mongodb://h/?tlsCAFile=/nowhere/ca.pem", "the tlsCAFile /nowhere/ca.pem, which cannot be"),
    ("mongodb://h/?tls=true&tlsCAFile=" + __file__, "TLS file that MONGO_URL names cannot be used"),
    ("mongodb://host:port/", "not a MongoDB connection string; its form is"),
    ("http://h/", "not a MongoDB connection string; its form is"),
    ("mongodb://", "not a MongoDB connection string; its form is"),
    ("mongodb://h/?tlsInsecure=true&tlsAllowInvalidCertificates=true", "option tlsInsecure is not"),
]


@pytest.mark.parametrize(("url", "sentence"), WRONG)
def test_what_is_wrong_is_named_without_secrets(url: str, sentence: str) -> None:
    with pytest.raises((ConfigurationError, ValueError, OSError)) as refused:
        MongoClient(url, connect=False)

    said = explain(url, refused.value)

    assert sentence in said
    assert SECRET not in said
    assert said.startswith(("MONGO_URL ", "The user or password in MONGO_URL", "A TLS file"))
    assert not is_passing(refused.value)


SRV = "mongodb+srv://user:hunter2@cluster.example/"
LOOKUPS = [
    (dns.resolver.NoNameservers(), True, "cannot be looked up (NoNameservers); check this machine"),
    (dns.resolver.LifetimeTimeout(), True, "cannot be looked up (LifetimeTimeout)"),
    (dns.resolver.NXDOMAIN(), False, "the name has no SRV record"),
]


@pytest.mark.parametrize(("cause", "passing", "sentence"), LOOKUPS)
def test_a_lookup_that_fails_for_the_moment_is_not_a_wrong_string(
    cause: Exception, passing: bool, sentence: str
) -> None:
    error = ConfigurationError("no answer")
    error.__cause__ = cause

    said = explain(SRV, error)

    assert is_passing(error) == passing
    assert said.startswith("The servers of cluster.example, which MONGO_URL names, cannot be")
    assert sentence in said
