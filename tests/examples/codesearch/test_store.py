from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import trio

from examples.codesearch.database import WrongDatabase
from examples.codesearch.parse import parse_file
from examples.codesearch.store import Store
from tests.examples.codesearch.trees import ZOO, content, write

pytestmark = pytest.mark.real_clock


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write(tmp_path / "tree", ZOO)


@pytest.fixture
def store(root: Path, tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path / "index.db", root)) as store:
        yield store


async def test_what_is_saved_is_new_no_more(store: Store, root: Path) -> None:
    assert store.compare().new == tuple(sorted(ZOO))
    await store.save([parse_file(str(root), path) for path in ZOO])
    assert (store.compare().files, store.compare().new) == (4, ())
    assert (store.count().files, store.count().failed) == (4, 2)
    assert [path for path, _ in store.failures()] == ["zoo/broken.py", "zoo/latin.py"]


async def test_what_is_gone_can_be_forgotten(store: Store, root: Path) -> None:
    await store.save([parse_file(str(root), path) for path in ZOO])
    (root / "zoo/broken.py").unlink()
    gone = store.compare().gone
    assert gone == ("zoo/broken.py",)
    store.forget(gone)
    assert store.compare().gone == ()


async def test_many_may_write_at_once(store: Store, root: Path, tmp_path: Path) -> None:
    async with trio.open_nursery() as nursery:
        for path in [*ZOO] * 5:
            nursery.start_soon(store.save, [parse_file(str(root), path)])
    assert len(content(tmp_path / "index.db")[0]) == 4


def test_the_index_of_another_directory_is_refused(store: Store, tmp_path: Path) -> None:
    with pytest.raises(WrongDatabase, match="is the index of"):
        Store(tmp_path / "index.db", tmp_path)
