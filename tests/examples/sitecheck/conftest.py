from __future__ import annotations

from collections.abc import Iterator

import pytest

from examples.sitecheck.site_process import PydocSite, pydoc_site


@pytest.fixture(scope="session")
def whole_site() -> Iterator[PydocSite]:
    """The built-in site as `make run` checks it."""
    with pydoc_site() as site:
        yield site


@pytest.fixture(scope="session")
def small_site() -> Iterator[PydocSite]:
    """The built-in site, cut down to some dozens of pages."""
    with pydoc_site(modules=40) as site:
        yield site
