from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples.sitecheck.urls import normalise, problem, resolve, same_site

BASE = "http://site.test/dir/page.html"


@pytest.mark.parametrize(
    ("href", "address"),
    [
        ("other.html", "http://site.test/dir/other.html"),
        ("/top.html", "http://site.test/top.html"),
        ("../up.html", "http://site.test/up.html"),
        ("../../../up.html", "http://site.test/up.html"),
        (".", "http://site.test/dir/"),
        ("", BASE),
        ("#place", BASE),
        ("other.html#place", "http://site.test/dir/other.html"),
        ("?q=1", "http://site.test/dir/page.html?q=1"),
        ("  other.html\n", "http://site.test/dir/other.html"),
        ("oth\ner.html", "http://site.test/dir/other.html"),
        ("HTTP://SITE.test:80/x", "http://site.test/x"),
        ("https://site.test:443", "https://site.test/"),
        ("http://site.test:8080/x", "http://site.test:8080/x"),
        ("//other.test/x", "http://other.test/x"),
        ("http://site.test/a/./b/../c", "http://site.test/a/c"),
        ("http://site.test/a/..", "http://site.test/"),
        ("a b.html", "http://site.test/dir/a%20b.html"),
        ("a%20b.html", "http://site.test/dir/a%20b.html"),
        ("ü.html", "http://site.test/dir/%C3%BC.html"),
        ("http://[::1]:81/x", "http://[::1]:81/x"),
    ],
)
def test_a_link_is_resolved_to_one_spelling(href: str, address: str) -> None:
    assert resolve(href, BASE) == address


@pytest.mark.parametrize(
    "href",
    ["mailto:a@b.test", "javascript:void(0)", "ftp://x.test/", "file:/etc/passwd", "data:,x"],
)
def test_what_is_not_http_is_no_link(href: str) -> None:
    assert resolve(href, BASE) is None


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://[::1/", "Invalid IPv6"),
        ("http://site.test:99999/", "Port out of range"),
        ("http://site.test:x/", "Port could not be cast"),
        ("http://site.test:0/", "port 0"),
        ("http:///path", "no host"),
        ("http://a..b/", "'a..b' is not a host name"),
        ("http://exa mple.test/", "is not a host name"),
        (f"http://{'a' * 70}.test/", "is not a host name"),
        ("ftp://site.test/", "not http"),
        ("site.test", "not http"),
    ],
)
def test_a_malformed_address_says_what_is_wrong(url: str, words: str) -> None:
    bad = problem(url)
    assert bad is not None
    assert bad.startswith("bad URL: ")
    assert words in bad


def test_a_malformed_link_is_kept_as_it_stands_and_belongs_to_the_site_that_has_it() -> None:
    assert resolve("http://[::1/", BASE) == "http://[::1/"
    assert resolve("http://a..b/x", BASE) == "http://a..b/x"
    assert same_site("http://[::1/", BASE)


@pytest.mark.parametrize(
    ("url", "same"),
    [
        ("http://site.test/else", True),
        ("https://site.test/else", True),
        ("http://www.site.test/", False),
        ("http://site.test:8080/", False),
        ("http://other.test/", False),
    ],
)
def test_a_site_is_a_host_and_a_port(url: str, same: bool) -> None:
    assert same_site(url, BASE) is same


PIECES = st.sampled_from(
    ["http://", "https:", "//", "/", "h", "[", "]", "@", ":80", ":x", "?", "#", "%", "..", ".", " "]
)


@given(st.lists(PIECES | st.text(max_size=4), max_size=8).map("".join))
def test_any_text_is_a_link_or_none_and_normalising_twice_changes_nothing(text: str) -> None:
    address = resolve(text, BASE)
    if address is not None and problem(address) is None:
        assert normalise(address) == address
        assert "#" not in address
