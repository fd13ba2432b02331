"""References: Docker's grammar, its short forms, and that no text is ever taken for another one."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from banger_tui.engine.errors import InvalidInput
from banger_tui.engine.oci.hosts import is_loopback
from banger_tui.engine.oci.reference import Reference, parse

HEX = "9c2ab1" + "0" * 58
SHA256 = f"sha256:{HEX}"
SHA512 = "sha512:" + "ab" * 64


@pytest.mark.parametrize(
    ("text", "canonical", "familiar"),
    [
        ("alpine", "docker.io/library/alpine:latest", "alpine:latest"),
        ("alpine:3.20", "docker.io/library/alpine:3.20", "alpine:3.20"),
        ("docker.io/alpine", "docker.io/library/alpine:latest", "alpine:latest"),
        ("docker.io/library/alpine", "docker.io/library/alpine:latest", "alpine:latest"),
        ("index.docker.io/alpine", "docker.io/library/alpine:latest", "alpine:latest"),
        ("library/alpine", "docker.io/library/alpine:latest", "alpine:latest"),
        ("library/a/b", "docker.io/library/a/b:latest", "library/a/b:latest"),
        ("org/name:v1", "docker.io/org/name:v1", "org/name:v1"),
        ("localhost", "docker.io/library/localhost:latest", "localhost:latest"),
        ("localhost/x", "localhost/x:latest", "localhost/x:latest"),
        ("localhost:5000/x", "localhost:5000/x:latest", "localhost:5000/x:latest"),
        # one component: what looks like a port is a tag
        ("localhost:5000", "docker.io/library/localhost:5000", "localhost:5000"),
        ("ghcr.io/org/img", "ghcr.io/org/img:latest", "ghcr.io/org/img:latest"),
        ("ghcr.io:443/org/img:t", "ghcr.io:443/org/img:t", "ghcr.io:443/org/img:t"),
        ("[::1]:5000/x", "[::1]:5000/x:latest", "[::1]:5000/x:latest"),
        ("[fd00:1:2::3]/a/b:c", "[fd00:1:2::3]/a/b:c", "[fd00:1:2::3]/a/b:c"),
        ("127.0.0.1:5000/x/y", "127.0.0.1:5000/x/y:latest", "127.0.0.1:5000/x/y:latest"),
        # an upper-case letter makes a host of the first component
        ("Registry/x", "Registry/x:latest", "Registry/x:latest"),
        (f"alpine@{SHA256}", f"docker.io/library/alpine@{SHA256}", f"alpine@{SHA256}"),
        (f"a/b:t@{SHA256}", f"docker.io/a/b:t@{SHA256}", f"a/b:t@{SHA256}"),
        (f"quay.io/a@{SHA512}", f"quay.io/a@{SHA512}", f"quay.io/a@{SHA512}"),
        ("a__b--c.d_e", "docker.io/library/a__b--c.d_e:latest", "a__b--c.d_e:latest"),
        ("x:_.-Tag", "docker.io/library/x:_.-Tag", "x:_.-Tag"),
        ("x:" + "t" * 128, "docker.io/library/x:" + "t" * 128, "x:" + "t" * 128),
        # without docker.io before it, this would be another registry's
        ("docker.io/x.y/z", "docker.io/x.y/z:latest", "docker.io/x.y/z:latest"),
        ("docker.io/localhost/z", "docker.io/localhost/z:latest", "docker.io/localhost/z:latest"),
    ],
)
def test_forms(text: str, canonical: str, familiar: str) -> None:
    reference = parse(text)

    assert reference.canonical == str(reference) == canonical
    assert reference.familiar == familiar
    assert parse(familiar) == parse(canonical) == reference


@pytest.mark.parametrize(
    "text",
    [
        "", "/", "a/", "/a", "a//b", ":", "@", "alpine:", "alpine@", ":tag", "a:b:c", " alpine",
        "alpine ", "alpine\n", "alp ine", "Alpine", "org/Name", "ghcr.io/Org/x", "a___b", "a..b",
        "-a", "a-", "_a", "a_", ".a", "a.", "x:-tag", "x:.tag", "x:" + "t" * 129, HEX,
        "a@sha256:abc", f"a@sha256:{HEX.upper()}", f"a@sha256:{HEX}0", f"a@md5:{HEX}",
        f"a@{SHA256}@{SHA256}", f"a@sha512:{HEX}", "a@sha256", "https://ghcr.io/a", "ghcr.io/",
        "ghcr.io:/a", "ghcr.io:abc/a", "ghcr.io:0/a", "ghcr.io:65536/a", "ghcr.io:99999999/a",
        "-ghcr.io/a", "ghcr-.io/a", "ghcr..io/a", "[::1/a", "[::1]]/a", "[::g]/a", "[1:2]/a",
        "[fe80::1%25eth0]/a", "::1/a", "user@ghcr.io/a", "é/a", "ghcr.io/é", "x:é", "a\0b",
        "ghcr.io/" + "a" * 256, "a" * 249,
    ],
)  # fmt: skip
def test_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse(text)

    assert caught.value.hint
    assert len(caught.value.title) < 160


def test_the_longest_path_is_allowed() -> None:
    assert len(parse("ghcr.io/" + "a" * 255).repository) == 255
    # what docker.io puts before it counts
    assert len(parse("a" * 247).repository) == 255
    with pytest.raises(InvalidInput, match="no image reference"):
        parse("a" * 248)


def test_upper_case_is_told_apart_from_nonsense() -> None:
    with pytest.raises(InvalidInput) as caught:
        parse("ghcr.io/Org/x")

    assert "lower case" in caught.value.detail


def test_docker_hub_has_another_name_on_the_wire() -> None:
    assert parse("alpine").host == "registry-1.docker.io"
    assert parse("ghcr.io/a").host == "ghcr.io"


def test_a_digest_counts_more_than_a_tag() -> None:
    assert parse("a:t").wanted == "t"
    assert parse(f"a:t@{SHA256}").wanted == SHA256


def test_pinned_is_the_digest_alone() -> None:
    assert parse("a:t").pinned(SHA256).canonical == f"docker.io/library/a@{SHA256}"


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("localhost", True), ("localhost:5000", True), ("LOCALHOST:1", True), ("127.0.0.1", True),
        ("127.9.9.9:5000", True), ("[::1]", True), ("[::1]:5000", True), ("localhost.org", False),
        ("127.0.0.1.org", False), ("0.0.0.0", False), ("10.0.0.1", False), ("[::]", False),
        ("registry", False),
    ],
)  # fmt: skip
def test_loopback_by_its_looks(host: str, loopback: bool) -> None:
    assert is_loopback(host) == loopback


ALPHANUMERIC = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=5)
SEPARATORS = st.sampled_from([".", "_", "__", "-", "--", "---"])


@st.composite
def components(draw: st.DrawFn) -> str:
    text = draw(ALPHANUMERIC)
    for _ in range(draw(st.integers(0, 2))):
        text += draw(SEPARATORS) + draw(ALPHANUMERIC)
    return text


HOSTS = st.one_of(
    st.sampled_from(["docker.io", "localhost", "ghcr.io", "localhost:5000", "[::1]:5", "A", "x:1"]),
    st.from_regex(r"[a-z0-9]{1,5}\.[a-zA-Z]{2,4}(:[1-9][0-9]{0,3})?", fullmatch=True),
)
TAGS = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,9}", fullmatch=True)


@st.composite
def references(draw: st.DrawFn) -> Reference:
    host = draw(HOSTS)
    path = "/".join(draw(st.lists(components(), min_size=1, max_size=3)))
    if host == "docker.io" and "/" not in path:
        path = f"library/{path}"
    tag, digest = draw(TAGS), draw(st.sampled_from([SHA256, SHA512]))
    kept = draw(st.sampled_from([(tag, ""), ("", digest), (tag, digest)]))
    return Reference(host, path, *kept)


@given(references())
def test_both_forms_parse_to_the_same(reference: Reference) -> None:
    assert parse(reference.canonical) == reference
    assert parse(reference.familiar) == reference
    assert parse(parse(reference.familiar).familiar) == reference


@given(st.text(max_size=80) | st.text("aA0.:/@-_[]%", max_size=30))
def test_any_text_is_a_reference_or_refused(text: str) -> None:
    try:
        reference = parse(text)
    except InvalidInput:
        return
    assert parse(reference.canonical) == reference
    assert reference.repository == reference.repository.lower()
    assert reference.tag or reference.digest
    assert not any(c.isspace() or not c.isascii() for c in reference.canonical)
