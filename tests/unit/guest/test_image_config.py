"""An image's config, read and told to the guest's scripts."""

from __future__ import annotations

from typing import Any

import pytest

from banger_tui.engine.errors import BadContent, LimitExceeded
from banger_tui.engine.guest.config import files, parse
from banger_tui.engine.limits import Limits


def told(config: dict[str, Any]) -> dict[str, str]:
    return {
        entry.name.rpartition("/")[2]: entry.data.decode()
        for entry in files(parse(config, Limits()))
        if entry.data
    }


def test_everything_is_quoted_for_a_shell() -> None:
    found = told(
        {
            "Env": ['A=it\'s "so" $HOME `id`', "B=", "A=last", "odd.name=1", "none"],
            "WorkingDir": "/srv/a b",
            "User": "app:staff",
            "Entrypoint": ["/bin/sh", "-c", "echo $0"],
            "Cmd": ["a b"],
        }
    )
    assert found["env"] == "export A=last\nexport B=''\n"
    assert found["env-odd"] == 'exec /.banger/bin/busybox env odd.name=1 "$@"\n'
    assert found["settings"] == "directory='/srv/a b'\nuser=app:staff\n"
    assert found["entrypoint"] == "set -- /bin/sh -c 'echo $0' \"$@\"\n"
    assert found["cmd"] == "set -- 'a b'\n"


def test_an_image_that_says_nothing_has_no_files() -> None:
    assert files(parse({}, Limits())) == []
    assert files(parse({"Env": None, "Cmd": None, "User": ""}, Limits())) == []


@pytest.mark.parametrize(
    ("path", "expected"),
    [("", ""), ("srv", "/srv"), ("/a/../../b", "/b"), ("//x/", "/x"), ("/", "/")],
)
def test_working_directories(path: str, expected: str) -> None:
    assert parse({"WorkingDir": path}, Limits()).directory == expected


@pytest.mark.parametrize(
    "config",
    [
        {"Env": "A=b"},
        {"Env": [1]},
        {"Env": ["A=\0"]},
        {"User": ["root"]},
        {"Cmd": {"0": "x"}},
        {"WorkingDir": "/" + "x" * 256},
    ],
)
def test_what_cant_be_honoured_is_refused(config: dict[str, Any]) -> None:
    with pytest.raises(BadContent):
        parse(config, Limits())


def test_a_path_too_long() -> None:
    with pytest.raises(LimitExceeded, match="config") as caught:
        parse({"WorkingDir": "/abc" * 20}, Limits(max_path_bytes=64))
    assert "max_path_bytes" in caught.value.detail
