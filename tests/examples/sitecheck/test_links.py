from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples.sitecheck.links import extract_links

URL = "http://site.test/dir/"


def test_every_kind_of_link_is_found_once_and_sorted() -> None:
    html = """
      <link href="style.css"><script src="code.js"></script>
      <a href="b.html">b</a><a href="b.html#x">b again</a><a name="anchor">none</a>
      <A HREF='a.html'>a</A><img src=i.png><iframe src="/frame"></iframe>
      <a href="mailto:x@y.test">mail</a><a href="https://other.test">out</a>
    """
    assert extract_links(html, URL) == (
        "http://site.test/dir/a.html",
        "http://site.test/dir/b.html",
        "http://site.test/dir/code.js",
        "http://site.test/dir/i.png",
        "http://site.test/dir/style.css",
        "http://site.test/frame",
        "https://other.test/",
    )


def test_a_link_to_the_page_itself_is_none() -> None:
    assert extract_links('<a href="#top"></a><a href=""></a><a href="/dir/"></a>', URL) == ()


def test_the_base_of_the_page_is_respected_and_only_the_first() -> None:
    html = '<base href="/other/"><base href="/third/"><a href="x"></a>'
    assert extract_links(html, URL) == ("http://site.test/other/x",)


def test_entities_in_addresses_are_read() -> None:
    assert extract_links('<a href="x?a=1&amp;b=2"></a>', URL) == ("http://site.test/dir/x?a=1&b=2",)


@pytest.mark.parametrize(
    "html",
    [
        '<a href="x.html"><b><i></a></p></html></html>',
        '<a href="x.html" <a href=',
        '<![<bogus><a href="x.html">',
        "<!ELEMENT ><a href=x.html ",
        '<a href="x.html"></a',
        '<a class="a\'b" href=x.html>&#x110000;&bogus;',
        'text < text & text <a href="x.html"',
    ],
)
def test_broken_html_yields_what_can_be_made_out_of_it(html: str) -> None:
    assert set(extract_links(html + ">", URL)) <= {"http://site.test/dir/x.html"}


def test_links_after_a_broken_declaration_are_found() -> None:
    assert extract_links('<![<bogus><a href="x">', URL) == ("http://site.test/dir/x",)


PIECES = st.sampled_from(
    [
        "<",
        "<!",
        "<![",
        "<!--",
        "-->",
        '<a href="',
        "'>",
        '">',
        "</",
        "]]>",
        "<?",
        "&#",
        "\0",
        "<script>",
    ]
)


@given(st.lists(PIECES | st.text(max_size=4), max_size=12).map("".join))
def test_no_page_makes_the_parser_fail(html: str) -> None:
    assert isinstance(extract_links(html, URL), tuple)


def test_a_page_made_to_be_slow_is_given_up() -> None:
    started = time.perf_counter()
    assert extract_links("<!--" * 500_000, URL) == ()
    # Forced through to the end it would take the better part of an hour.
    assert time.perf_counter() - started < 30
