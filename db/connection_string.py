"""What a MongoDB connection string holds, read without connecting, and what is wrong with one."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote

from pymongo.errors import ConfigurationError

DEFAULT_NAME = "storyboard"
DEFAULT_PORT = 27017
NOT_OURS = {"admin", "local", "config", "$external"}
"""Databases of the server itself: their names in a path say where a user is stored."""

_ENCODED = "write % as %25, @ as %40, : as %3A, / as %2F, ? as %3F and # as %23"
_LASTING = {"NXDOMAIN", "NoAnswer"}
"""Answers of a name server that the next try does not change, as dnspython calls them."""


@dataclass(frozen=True)
class ConnectionString:
    """The parts of a connection string that decide which database is meant; holds no secret.

    Attributes:
        hosts: Servers with their ports; for `mongodb+srv` the name to look up.
        path: The database that the string names; empty if none.
        path_is_of_user: Whether the path only says where the user is stored.
    """

    hosts: str
    path: str = ""
    path_is_of_user: bool = False

    @classmethod
    def of(cls, url: str) -> "ConnectionString":
        """Read a connection string; of a malformed one, only its scheme counts."""
        scheme, _, rest = url.strip().partition("://")
        authority, _, options = rest.partition("?")
        authority, _, path = authority.partition("/")
        user, _, hosts = authority.rpartition("@")
        if _is_cut_in_password(rest) or not all(map(_has_number, hosts.split(","))):
            return cls("a malformed address")
        path = unquote(path).partition(".")[0]
        given = {name.lower() for name in parse_qs(options, keep_blank_values=True)}
        of_user = path in NOT_OURS or (bool(user) and "authsource" not in given)
        if scheme == "mongodb+srv":
            return cls(f"{hosts} (SRV)", path, of_user)
        return cls(", ".join(map(_with_port, hosts.split(","))), path, of_user)

    def choose(self, named: str | None, named_by: str) -> tuple[str, str]:
        """Choose the database and give the reason: a name from elsewhere, the path, the default.

        Args:
            named: The name that is given elsewhere; None or empty if there is none.
            named_by: Where it is given.
        """
        if named:
            other = self.path and not self.path_is_of_user and self.path != named
            instead = f", not '{self.path}' as in the connection string" if other else ""
            return named, f"named by {named_by}{instead}"
        if self.path and not self.path_is_of_user:
            return self.path, "named by the connection string"
        if self.path:
            where = f"the path '{self.path}' of the connection string is where its user is stored"
            return DEFAULT_NAME, f"the default name; {where}"
        return DEFAULT_NAME, "the default name"


def _is_cut_in_password(rest: str) -> bool:
    """Check whether what looks like the host is a part of a password with `/` or `?` in it."""
    before, _, options = rest.partition("?")
    _, slash, path = before.partition("/")
    first = options.partition("&")[0].partition("=")[0]
    return "@" in path or "@" in (first if slash else options)


def _has_number(host: str) -> bool:
    """Check that what stands in the place of a port is one, and not a password without a host."""
    port = re.search(r":([^:]*)$", host.rpartition("]")[2])
    return port is None or not port[1] or port[1].isdecimal()


def _with_port(host: str) -> str:
    has_port = re.search(r":\d*$", host.rpartition("]")[2])
    return host if has_port or not host else f"{host}:{DEFAULT_PORT}"


def is_passing(error: Exception) -> bool:
    """Check for a look-up of `mongodb+srv` that failed for the moment."""
    cause = error.__cause__
    # dnspython comes with PyMongo; told by name, its errors make it no dependency of this project.
    lookup = isinstance(error, ConfigurationError) and type(cause).__module__.startswith("dns.")
    return lookup and type(cause).__name__ not in _LASTING


def explain(url: str, error: Exception) -> str:
    """Explain in a sentence without secrets why no client can be made for a connection string."""
    if type(error.__cause__).__module__.startswith("dns."):
        return _lookup_failed(url, error)
    if isinstance(error, OSError):
        return _file_unusable(url, error)
    if character := _unencoded(url):
        return f"The user or password in MONGO_URL holds {character} unencoded; {_ENCODED}."
    if option := _option(url, error):
        return f"MONGO_URL is not a MongoDB connection string: its option {option} is not valid."
    return "MONGO_URL is not a MongoDB connection string; its form is mongodb://host:port/."


def _lookup_failed(url: str, error: Exception) -> str:
    host = ConnectionString.of(url).hosts.removesuffix(" (SRV)")
    what = f"The servers of {host}, which MONGO_URL names, cannot be looked up"
    if is_passing(error):
        return f"{what} ({type(error.__cause__).__name__}); check this machine's name server."
    return f"{what}: the name has no SRV record; correct it, or write mongodb://host:port/."


def _file_unusable(url: str, error: OSError) -> str:
    """Name the file, if the error names the option; a path is not a secret."""
    option = _option(url, error)
    if not option:
        return (
            f"A TLS file that MONGO_URL names cannot be used ({error.strerror}); correct tlsCAFile "
            "or tlsCertificateKeyFile."
        )
    [path, *_] = parse_qs(url.partition("?")[2])[option]
    return f"MONGO_URL names the {option} {path}, which cannot be read; correct the path."


def _unencoded(url: str) -> str:
    """Find a character of the user part that ends it too early, or begins no encoded one."""
    user = url.partition("://")[2].rpartition("@")[0]
    if re.search(r"%(?![0-9A-Fa-f]{2})", user):
        return "%"
    found = next((character for character in user if character in "@/?#"), "")
    return found or (":" if user.count(":") > 1 else "")


def _option(url: str, error: Exception) -> str:
    """Find the option that an error names; its value may be a secret and is left out."""
    named = parse_qs(url.partition("?")[2], keep_blank_values=True)
    words = {word.lower() for word in re.findall(r"\w+", str(error))}
    return next((name for name in named if name.lower() in words), "")
