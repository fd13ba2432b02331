"""Credentials: where they are looked for, whom they are for, and that nobody sees them."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any

import pytest

from banger_tui.engine.errors import InvalidInput, MissingTool, ToolFailed
from banger_tui.engine.oci.credential_files import Credential
from banger_tui.engine.oci.credentials import Credentials

SECRET = "correct-horse"


def coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


class Home:
    """A person's home directory, and a directory for helpers on PATH."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.bin = root / "bin"
        self.bin.mkdir()
        monkeypatch.setenv("PATH", f"{self.bin}:{os.environ['PATH']}")
        self.env = {"HOME": str(root)}

    def docker(self, document: Any) -> Path:
        return self.write(".docker/config.json", document)

    def write(self, name: str, document: Any) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(document if isinstance(document, str) else json.dumps(document))
        return path

    def helper(self, name: str, script: str) -> None:
        path = self.bin / f"docker-credential-{name}"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    async def get(self, registry: str, repository: str = "org/name") -> Credential | None:
        return await Credentials(self.env).get(registry, repository)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    return Home(tmp_path, monkeypatch)


async def test_nothing_anywhere_is_anonymous(home: Home) -> None:
    assert await home.get("ghcr.io") is None
    assert await Credentials().get("ghcr.io") is None


async def test_auths_of_docker(home: Home) -> None:
    home.docker({"auths": {"ghcr.io": {"auth": coded(f"me:{SECRET}:x")}}})

    found = await home.get("ghcr.io")

    assert found == Credential("me", f"{SECRET}:x")
    assert await home.get("ghcr.io.evil.org") is None
    assert await home.get("GHCR.IO") is None


@pytest.mark.parametrize(
    "key",
    [
        "https://index.docker.io/v1/", "index.docker.io", "docker.io", "registry-1.docker.io",
        "https://docker.io", "https://index.docker.io/v2/",
    ],
)  # fmt: skip
async def test_docker_hub_has_many_keys(home: Home, key: str) -> None:
    home.docker({"auths": {key: {"auth": coded(f"me:{SECRET}")}}})

    assert await home.get("docker.io") == Credential("me", SECRET)


@pytest.mark.parametrize(
    "key", ["https://r.example:5000/v1/", "http://r.example:5000", "r.example:5000/"]
)
async def test_keys_may_be_urls(home: Home, key: str) -> None:
    home.docker({"auths": {key: {"auth": coded(f"me:{SECRET}")}}})

    assert await home.get("r.example:5000") == Credential("me", SECRET)
    assert await home.get("r.example") is None


async def test_the_most_special_key_counts(home: Home) -> None:
    auths = {key: {"auth": coded(f"{key}:x")} for key in ("quay.io", "quay.io/a", "quay.io/a/b")}
    home.docker({"auths": auths})

    for repository, name in [
        ("a/b", "quay.io/a/b"), ("a/b/c", "quay.io/a/b"), ("a/bc", "quay.io/a"), ("z", "quay.io"),
    ]:  # fmt: skip
        found = await home.get("quay.io", repository)
        assert found is not None
        assert found.username == name


async def test_other_ways_to_write_it(home: Home) -> None:
    home.docker(
        {
            "auths": {
                "plain.io": {"username": "me", "password": SECRET},
                "token.io": {"auth": coded("me:"), "identitytoken": SECRET},
                "padded.io": {"auth": coded(f"me:{SECRET}\0\0")},
                "empty.io": {},
                "null.io": None,
            }
        }
    )

    assert await home.get("plain.io") == Credential("me", SECRET)
    assert await home.get("token.io") == Credential("me", "", SECRET)
    assert await home.get("padded.io") == Credential("me", SECRET)
    assert await home.get("empty.io") is None
    assert await home.get("null.io") is None


async def test_where_docker_and_podman_keep_them(home: Home) -> None:
    home.env |= {"DOCKER_CONFIG": f"{home.root}/d", "XDG_RUNTIME_DIR": f"{home.root}/run"}
    home.docker({"auths": {"unread.io": {"auth": coded("me:x")}}})
    home.write("d/config.json", {"auths": {"a.io": {"auth": coded("docker:x")}}})
    home.write(
        "run/containers/auth.json",
        {"auths": {"a.io": {"auth": coded("run:x")}, "b.io": {"auth": coded("run:x")}}},
    )
    home.write(".config/containers/auth.json", {"auths": {"c.io": {"auth": coded("home:x")}}})

    names = {}
    for host in ("a.io", "b.io", "c.io", "unread.io"):
        found = await home.get(host)
        names[host] = found.username if found else None

    assert names == {"a.io": "docker", "b.io": "run", "c.io": "home", "unread.io": None}


async def test_podmans_variable_names_the_one_file(home: Home) -> None:
    other = home.write("other.json", {"auths": {"a.io": {"auth": coded("other:x")}}})
    home.write(".config/containers/auth.json", {"auths": {"b.io": {"auth": coded("home:x")}}})
    home.env["REGISTRY_AUTH_FILE"] = str(other)

    assert await home.get("a.io") == Credential("other", "x")
    assert await home.get("b.io") is None


@pytest.mark.parametrize(
    "content",
    [
        "{", "[]", '{"auths": []}', '{"auths": {"a.io": 7}}', '{"auths": {"a.io": {"auth": "%%"}}}',
        '{"auths": {"a.io": {"auth": "bm9jb2xvbg=="}}}', '{"credHelpers": {"a": 7}}',
        '{"auths": {}, "auths": {}}', '{"credsStore": 7}', "x" * (2 << 20),
    ],
)  # fmt: skip
async def test_a_broken_file_is_named(home: Home, content: str) -> None:
    path = home.docker(content)

    with pytest.raises(InvalidInput) as caught:
        await home.get("a.io")

    assert str(path) in caught.value.title


async def test_an_empty_file_is_no_error(home: Home) -> None:
    home.docker("")

    assert await home.get("a.io") is None


async def test_a_helper_is_asked_for_its_host(home: Home) -> None:
    home.helper(
        "test",
        f'read -r url; printf \'{{"ServerURL":"%s","Username":"me","Secret":"{SECRET}"}}\' "$url"; '
        f'echo "$1 $url" >> {home.root}/asked',
    )
    home.docker({"credHelpers": {"a.io": "test"}, "auths": {"a.io": {"auth": coded("no:no")}}})
    credentials = Credentials(home.env)

    assert await credentials.get("a.io", "x") == Credential("me", SECRET)
    assert await credentials.get("a.io", "y") == Credential("me", SECRET)
    assert await credentials.get("b.io", "x") is None
    # once, and with what docker asks for
    assert (home.root / "asked").read_text() == "get a.io\n"


async def test_docker_hub_is_asked_for_by_its_old_address(home: Home) -> None:
    home.helper("test", 'read -r url; printf \'{"Username":"%s","Secret":"x"}\' "$url"')
    home.docker({"credsStore": "test"})

    assert await home.get("docker.io") == Credential("https://index.docker.io/v1/", "x")


async def test_a_helper_may_give_an_identity_token(home: Home) -> None:
    home.helper("test", f'echo \'{{"Username":"<token>","Secret":"{SECRET}"}}\'')
    home.docker({"credsStore": "test"})

    assert await home.get("a.io") == Credential(identity_token=SECRET)


async def test_a_store_without_this_host_leaves_the_file(home: Home) -> None:
    home.helper("test", 'echo "credentials not found in native keychain"; exit 1')
    home.docker({"credsStore": "test", "auths": {"a.io": {"auth": coded("me:x")}}})

    assert await home.get("a.io") == Credential("me", "x")
    assert await home.get("b.io") is None


async def test_a_missing_helper_of_a_host_is_an_error(home: Home) -> None:
    home.docker({"credHelpers": {"a.io": "not-there"}})

    with pytest.raises(MissingTool, match="docker-credential-not-there is not installed") as caught:
        await home.get("a.io")

    assert "a.io" in caught.value.detail
    assert await home.get("b.io") is None


async def test_a_missing_store_is_only_remarked(home: Home) -> None:
    home.docker({"credsStore": "desktop-of-another"})
    credentials = Credentials(home.env)

    assert await credentials.get("a.io") is None
    assert "docker-credential-desktop-of-another" in credentials.remark("a.io")
    assert credentials.remark("b.io") == ""


async def test_a_helper_that_waits_is_ended(home: Home) -> None:
    home.helper("test", "sleep 600")
    home.docker({"credHelpers": {"a.io": "test"}})

    with pytest.raises(ToolFailed, match="docker-credential-test") as caught:
        await Credentials(home.env, helper_seconds=0.2).get("a.io")

    assert "0 s" in caught.value.detail


@pytest.mark.parametrize(
    "script",
    [
        f"echo {SECRET}",
        f'echo \'{{"Username": 7, "Secret": "{SECRET}"}}\'',
        f"echo {SECRET}; echo {SECRET} >&2; exit 3",
    ],
)
async def test_what_a_helper_prints_is_in_no_error(home: Home, script: str) -> None:
    home.helper("test", script)
    home.docker({"credHelpers": {"a.io": "test"}})

    with pytest.raises(ToolFailed) as caught:
        await home.get("a.io")

    error = caught.value
    assert SECRET not in f"{error!r} {error} {error.hint} {error.tail} {error.__cause__!r}"


async def test_the_name_of_a_helper_is_no_path(home: Home) -> None:
    home.docker({"credHelpers": {"a.io": "../../bin/sh"}})

    with pytest.raises(ToolFailed):
        await home.get("a.io")


def test_a_secret_is_in_no_repr() -> None:
    credential = Credential("me", SECRET, SECRET)

    assert SECRET not in f"{credential!r} {credential}"
    assert credential.basic == f"Basic {coded(f'me:{SECRET}')}"
