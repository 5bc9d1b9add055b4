from __future__ import annotations

import urllib.request
from pathlib import Path

import pytest

from examples.sitecheck import pydoc_site as program
from examples.sitecheck.site_process import PydocSite, pydoc_site
from tests.examples.programs import start
from tests.examples.sitecheck.walk import walk


@pytest.fixture(scope="module")
def closed_site() -> PydocSite:
    with pydoc_site(modules=3) as site:
        first, second, third = program.MODULES[:3]
        with urllib.request.urlopen(site.url + f"{third}.html") as response:
            assert response.status == 200
        assert {path.name for path in site.directory.iterdir()} == {
            "index.html",
            f"{first}.html",
            f"{second}.html",
            f"{third}.html",
        }
    return site


def test_the_list_is_fixed_and_without_repetitions() -> None:
    assert len(program.MODULES) == len(set(program.MODULES)) > 250
    assert sorted(program.MODULES) == program.MODULES


def test_the_files_are_gone_when_the_site_is(closed_site: PydocSite) -> None:
    assert not closed_site.directory.exists()
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(closed_site.url)


def test_a_site_takes_the_port_of_the_last_if_it_can(closed_site: PydocSite) -> None:
    port = int(closed_site.url.rstrip("/").rpartition(":")[2])
    with pydoc_site(modules=1, port=port) as again:
        assert again.url == closed_site.url
        with pydoc_site(modules=1, port=port) as other:
            assert other.url != closed_site.url


def test_every_page_can_be_reached_from_the_start_page(whole_site: PydocSite) -> None:
    files = {f"/{path.name}" for path in whole_site.directory.iterdir()} - {"/index.html"}
    assert files <= walk(whole_site.directory).statuses.keys()
    assert len(files) > 250


STARTER = """
import signal
from examples.sitecheck.site_process import pydoc_site

with pydoc_site(modules=1) as site:
    print(site.url, site.directory, flush=True)
    signal.pause()
"""


def test_a_site_does_not_outlive_a_starter_that_is_killed() -> None:
    with start("-c", STARTER) as starter:
        assert starter.stdout is not None
        url, directory = starter.stdout.readline().split()
        starter.kill()
        starter.communicate(timeout=30)  # the site holds the same standard error: it has ended
    assert not Path(directory).exists()
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(url)
