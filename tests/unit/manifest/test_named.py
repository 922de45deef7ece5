"""What a manifest names: by path, by key and by version."""

import pytest

from s3kit.disk.paths import path_of
from s3kit.manifest.row import Row
from s3kit.manifest.named import Named


@pytest.mark.parametrize("row, path, named", [(("b", "k"), "b/k", True),
                                              (("b", "k"), "b/other", False),
                                              (("b", "k"), "c/k", False),
                                              (("b", "d/"), "b/d/%_", True),
                                              (("b", "a"), "b/a%f", True),
                                              (("b", "a/b"), "b/a%d/b", True),
                                              (("b", "A"), "b/A%=0123456789abcdef", True),
                                              (("b", "k", "v"), "b/k%vv", True),
                                              (("b", "k", "v"), "b/k%vw", False), (
                                                  ("b", "k", "v"),
                                                  path_of("b", "k", "v") + "%=0123456789abcdef",
                                                  True), (("b", "k"), "b/k%vw", True),
                                              (("b", "k" * 300), path_of("b", "k" * 300), True),
                                              (("b", "foo"), "b/foo%+", False),
                                              (("b", "k"), "b/\udcff", False)])
def test_paths(row, path, named):
    found = Named()
    found.add(Row(*row), None)
    assert found.has_file(path, None) is named


def test_folders():
    found = Named()
    found.add(Row("b", "a/"), None)
    found.add(Row("b", "d/e/"), None)
    assert found.has_folder("b/a") and found.has_folder("b/a%d") and not found.has_folder("b/d")
