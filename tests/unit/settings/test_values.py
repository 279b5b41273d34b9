"""The spellings a value may have."""

import pytest

from hubfleet.settings.problems import shown
from hubfleet.settings.types import PublicUrl, pinned_image, size


@pytest.mark.parametrize(
    ("text", "bytes_"),
    [(512, 512), ("512", 512), ("10k", 10 * 1024), ("1.5G", 1536 * 1024**2), ("2 GiB", 2 * 1024**3), ("1TB", 1024**4)],
)
def test_a_size_is_a_number_or_a_text_in_powers_of_1024(text: object, bytes_: int) -> None:
    assert size(text) == bytes_


@pytest.mark.parametrize(
    ("typed", "written", "origin", "path", "is_address"),
    [
        ("https://hub.example.org", "https://hub.example.org/", "https://hub.example.org", "/", False),
        ("hub.example.org", "https://hub.example.org/", "https://hub.example.org", "/", False),
        ("HUB.Example.org.", "https://hub.example.org/", "https://hub.example.org", "/", False),
        ("hub", "https://hub/", "https://hub", "/", False),
        ("https://hub.example.org:443/", "https://hub.example.org/", "https://hub.example.org", "/", False),
        ("hub.example.org:8443", "https://hub.example.org:8443/", "https://hub.example.org:8443", "/", False),
        ("https://example.org/a/b", "https://example.org/a/b/", "https://example.org", "/a/b/", False),
        ("192.0.2.7", "https://192.0.2.7/", "https://192.0.2.7", "/", True),
        ("192.0.2.7:8443/lab", "https://192.0.2.7:8443/lab/", "https://192.0.2.7:8443", "/lab/", True),
        ("2001:DB8::7", "https://[2001:db8::7]/", "https://[2001:db8::7]", "/", True),
        ("[2001:db8:0::7]:8443", "https://[2001:db8::7]:8443/", "https://[2001:db8::7]:8443", "/", True),
        ("http://hub.example.org", "http://hub.example.org/", "http://hub.example.org", "/", False),
    ],
)
def test_public_url_may_be_typed_in_many_ways(
    typed: str, written: str, origin: str, path: str, is_address: bool
) -> None:
    url = PublicUrl.parse(typed)
    assert (str(url), url.origin, url.base_path, url.is_address) == (written, origin, path, is_address)


@pytest.mark.parametrize(
    "image",
    [
        "vnmd/neurodesktop:2026-08-14",
        "registry.example.org:5000/lab/hub:1.2_3",
        "registry.example.org/jupyter/base-notebook@sha256:" + "0" * 64,
        "python:3.13@sha256:" + "0" * 64,
    ],
)
def test_an_image_has_a_tag_or_a_digest(image: str) -> None:
    assert pinned_image(image) == image


@pytest.mark.parametrize("image", ["registry.example.org:5000/lab/hub", "hub@sha256:12", "hub:", "a b:1", "-rf:1"])
def test_what_is_no_pinned_image_is_refused(image: str) -> None:
    with pytest.raises(ValueError, match="; "):
        pinned_image(image)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("outbound_proxy", "http://lab:hunter2@proxy:3128", "'http://***@proxy:3128'"),
        ("admin_password", "hunter2", ""),
        (".API_TOKEN", 5, ""),
        ("environment", ["API_TOKEN=hunter2"], "a list"),
        ("mirrors", ["http://a:hunter2@b"], "['http://***@b']"),
        ("nested", [{"password": "hunter2"}], "a list"),
        ("nested", {"password": "hunter2"}, "a dictionary"),
        ("long", "x" * 100, "'" + "x" * 58 + "…"),
    ],
)
def test_a_value_is_shown_unless_it_may_be_a_secret(name: str, value: object, text: str) -> None:
    assert shown(name, value) == text
