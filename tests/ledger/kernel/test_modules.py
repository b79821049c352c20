"""A folder is its own register."""

from importlib import import_module

from ledger.kernel.modules import modules_beside


def test_the_modules_of_a_folder_are_found_by_name_without_whoever_asks(tmp_path, monkeypatch):
    folder = tmp_path / "leaves"
    (folder / "inner").mkdir(parents=True)
    for name in ("__init__", "oak", "ash", "elm", "inner/__init__"):
        (folder / f"{name}.py").write_text(f"TREE = {name!r}\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)

    beside = list(modules_beside("leaves.oak", but={"elm"}))

    assert [each.TREE for each in beside] == ["ash", "inner/__init__"]
    assert beside[0] is import_module("leaves.ash")
