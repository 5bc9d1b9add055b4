"""What a link means: one spelling per page, and which pages belong to the site."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, quote, urldefrag, urljoin, urlsplit, urlunsplit

DEFAULT_PORTS = {"http": 80, "https": 443}

# Characters that stand for themselves somewhere in a path or a query; "%" so that what is escaped
# already stays as it is.
_SAFE = "%/:=&?~+!$,;'@()*[]-._|"
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_TAB_OR_NEWLINE = re.compile(r"[\t\r\n]")


def resolve(href: str, base: str) -> str | None:
    """The address that ``href`` on the page ``base`` leads to, without fragment, spelled one way.

    ``None`` if it does not lead to an http or https address (``mailto:``, ``javascript:``, ...).
    A malformed address is returned as it stands: somebody linked to it, so it is to be reported.
    """
    href = _TAB_OR_NEWLINE.sub("", href).strip()
    if _SCHEME.match(href) and not href.lower().startswith(("http:", "https:")):
        return None
    try:
        absolute = urldefrag(urljoin(base, href)).url
    except ValueError:
        return href
    return normalise(absolute)


def normalise(url: str) -> str:
    """One spelling for one page: case of the host, default port, dots in the path, escapes."""
    if problem(url) is not None:
        return url
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    path = quote(_without_dots(parts.path or "/"), safe=_SAFE)
    return urlunsplit((scheme, _location(parts, scheme), path, quote(parts.query, safe=_SAFE), ""))


def problem(url: str) -> str | None:
    """Why ``url`` cannot be asked for, in words; ``None`` if it can."""
    try:
        parts = urlsplit(url)
        port = parts.port
        host = parts.hostname
    except ValueError as error:
        return f"bad URL: {error}"
    if parts.scheme.lower() not in DEFAULT_PORTS:
        return "bad URL: not http or https"
    if not host:
        return "bad URL: no host"
    if port == 0:
        return "bad URL: port 0"
    return _host_problem(host)


def same_site(url: str, start: str) -> bool:
    """Whether ``url`` is on the host of ``start``; a malformed address is on every site."""
    if problem(url) is not None:
        return True
    return _host_and_port(url) == _host_and_port(start)


def _host_problem(host: str) -> str | None:
    if ":" in host:  # an IPv6 address, checked by urlsplit
        return None
    if re.search(r"[\s<>\"{}|\\^`%]", host):
        return f"bad URL: {host!r} is not a host name"
    try:
        host.encode("idna")
    except UnicodeError:
        return f"bad URL: {host!r} is not a host name"
    return None


def _host_and_port(url: str) -> tuple[str | None, int | None]:
    """Default ports count as equal, so that http and https of one host are one site."""
    parts = urlsplit(url)
    port = parts.port
    return parts.hostname, None if port == DEFAULT_PORTS[parts.scheme.lower()] else port


def _location(parts: SplitResult, scheme: str) -> str:
    host = parts.hostname or ""
    if ":" in host:
        host = f"[{host}]"
    if parts.port is None or parts.port == DEFAULT_PORTS[scheme]:
        return host
    return f"{host}:{parts.port}"


def _without_dots(path: str) -> str:
    """RFC 3986, 5.2.4: ``/a/./b/../c`` is ``/a/c``."""
    kept: list[str] = []
    for segment in path.split("/")[1:]:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if path.endswith(("/.", "/..")):
        kept.append("")
    return "/" + "/".join(kept)
