"""Debian's sources out of the host's apt configuration."""

from __future__ import annotations

import pytest

from banger_tui.engine.debian.apt import Package, parse_uris
from banger_tui.engine.debian.sources import (
    HostSources,
    Source,
    Target,
    entry_options,
    map_sources,
    parse_targets,
    select,
)

STANZA = """MetaKey: main/binary-amd64/Packages
ShortDesc: Packages
Created-By: {created}
Target-Of: deb
Architecture: amd64
Codename: {codename}
Component: {component}
Filename: /var/lib/apt/lists/x
Origin: {origin}
Release: {release}
Repo-URI: {uri}
Sourcesentry: /etc/apt/sources.list.d/debian.sources:{entry}
"""


def stanza(**values: str) -> str:
    base = {
        "created": "Packages", "codename": "bookworm", "component": "main", "origin": "Debian",
        "release": "bookworm", "uri": "file:/srv/debian/", "entry": "1",
    }  # fmt: skip
    return STANZA.format(**{**base, **values})


def targets(*values: dict[str, str]) -> list[Target]:
    return parse_targets("\n".join(stanza(**each) for each in values))


def test_only_debians_main_is_taken() -> None:
    found = targets(
        {},
        {"release": "bookworm-updates"},
        {"release": "bookworm-security", "uri": "file:/srv/security/"},
        {"release": "bookworm-backports"},
        {"component": "contrib"},
        {"origin": "Somebody", "uri": "file:/srv/other/"},
        {"created": "Translations"},
        {"origin": "", "release": "nodistro"},
    )
    chosen = select(found, "amd64")
    assert [t.suite for t in chosen] == ["bookworm", "bookworm-updates", "bookworm-security"]
    assert select(found, "arm64") == []


def test_lists_never_downloaded_are_judged_by_name_for_now() -> None:
    assert len(select(targets({"origin": "", "codename": ""}), "amd64")) == 1


@pytest.mark.parametrize(
    ("host", "wanted"),
    [
        ("trixie", "bookworm"),
        ("trixie-updates", "bookworm-updates"),
        ("stable-security", "bookworm-security"),
        ("buster/updates", "bookworm-security"),
        ("bookworm", "bookworm"),
    ],
)
def test_suites_are_mapped(host: str, wanted: str) -> None:
    (source,) = map_sources(targets({"release": host}), "bookworm", {})
    assert source.suite == wanted


def test_one_source_once_with_its_key() -> None:
    found = targets({"entry": "2"}, {"entry": "2"}, {"release": "bookworm-updates"})
    key = "/etc/apt/sources.list.d/debian.sources:2"
    sources = map_sources(found, "bookworm", {key: "/usr/share/keyrings/mine.gpg"})
    assert sources == (
        Source("file:/srv/debian/", "bookworm", "/usr/share/keyrings/mine.gpg"),
        Source("file:/srv/debian/", "bookworm-updates"),
    )
    text = HostSources(sources, listed=True, confirmed=True).text
    assert text.count("Types: deb\n") == 2
    assert "Signed-By: /usr/share/keyrings/mine.gpg\n" in text


def test_keys_of_a_sources_file_by_stanza() -> None:
    text = """# a comment
Types: deb
URIs: file:/srv/debian/
Signed-By: /a.gpg

# another
Types: deb
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc

Types: deb
"""
    found = entry_options(text, deb822=True)
    assert found[1] == "/a.gpg"
    assert found[2].startswith("-----BEGIN")
    assert found[2].endswith(" abc")
    assert 3 not in found


def test_keys_of_a_list_file_by_line() -> None:
    text = "# x\ndeb [arch=amd64 signed-by=/a.gpg] file:/srv x main\ndeb file:/srv y main\n"
    assert entry_options(text, deb822=False) == {2: "/a.gpg"}


def test_what_apt_would_download() -> None:
    text = (
        "'file:/srv/pool/busybox.deb' busybox-static_1%3a1.35.0-4+b1_amd64.deb 928188 SHA256:x\n"
        "'file:/srv/pool/ssl.deb' libssl3_3.0.22-1~deb12u2_amd64.deb 2039888 \n"
        "E: something else\n"
    )
    found = parse_uris(text)
    assert found == (
        Package("busybox-static", "1:1.35.0-4+b1", 928188),
        Package("libssl3", "3.0.22-1~deb12u2", 2039888),
    )
    assert found[0].spec == "busybox-static=1:1.35.0-4+b1"
