"""Files rendered for a host. What their own services say of them: tests/fleet/test_templates.py."""

from pathlib import Path

import pytest
from jinja2 import UndefinedError

from hubfleet.nginx import site
from hubfleet.operations import self_signed
from hubfleet.settings import Lab
from hubfleet.systems import System
from hubfleet.templates import render
from tests.unit.labs import lab_of
from tests.unit.operations.bench import Bench

DEBIAN_12, DEBIAN_13 = System("debian", "12", "bookworm"), System("debian", "13", "trixie")


def nginx(lab: Lab, system: System = DEBIAN_13) -> str:
    return site(lab, system, "/tls.crt", "/tls.key")


def test_a_value_that_is_missing_is_an_error_not_an_empty_word() -> None:
    with pytest.raises(UndefinedError):
        render("docker/proxy.conf.j2", proxy="http://proxy.example.org")


class TestSite:
    def test_says_anew_who_the_client_is(self, tmp_path: Path) -> None:
        text = nginx(lab_of(tmp_path))
        for header in ("X-Real-IP $remote_addr", "X-Forwarded-For $remote_addr", "X-Forwarded-Proto https"):
            assert f"proxy_set_header {header};" in text
        assert "$proxy_add_x_forwarded_for" not in text

    @pytest.mark.parametrize(
        ("url", "listen", "header", "redirect"),
        [
            ("https://hub.example.org", "443", "hub.example.org", "https://hub.example.org"),
            ("https://hub.example.org:8443", "8443", "hub.example.org:8443", "https://hub.example.org:8443"),
            ("192.0.2.7", "443", "192.0.2.7", "https://192.0.2.7"),
            ("https://[2001:db8::1]:8443", "8443", "[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
        ],
    )
    def test_follows_from_public_url(self, tmp_path: Path, url: str, listen: str, header: str, redirect: str) -> None:
        text = nginx(lab_of(tmp_path, public_url=url))
        assert f"listen {listen} ssl;" in text
        assert f"proxy_set_header Host {header};" in text
        assert f"return 308 {redirect}$request_uri;" in text

    def test_without_a_port_for_http_has_no_redirect(self, tmp_path: Path) -> None:
        text = nginx(lab_of(tmp_path, edge_http_port=0))
        assert "return 308" not in text
        assert text.count("server {") == 1

    def test_pins_https_only_for_a_certificate_that_can_be_checked(self, tmp_path: Path) -> None:
        assert "Strict-Transport-Security" not in nginx(lab_of(tmp_path))
        made = {"certificate": str(tmp_path / "hub.crt"), "key": str(tmp_path / "hub.key")}
        Bench.local().perform(self_signed, **made, common_name="hub.example.org", is_address=False)
        files = {"tls_mode": "files", "tls_cert": "hub.crt", "tls_key": "file:hub.key"}
        assert "Strict-Transport-Security" in nginx(lab_of(tmp_path, **files))

    def test_speaks_each_nginxs_own_http2(self, tmp_path: Path) -> None:
        assert "http2 on;" in nginx(lab_of(tmp_path), DEBIAN_13)
        assert "listen 443 ssl http2;" in nginx(lab_of(tmp_path), DEBIAN_12)
        assert "http2 on;" not in nginx(lab_of(tmp_path), DEBIAN_12)

    def test_of_the_modern_profile_speaks_tls_13_only(self, tmp_path: Path) -> None:
        text = nginx(lab_of(tmp_path, tls_profile="modern"))
        assert "ssl_protocols TLSv1.3;" in text
        assert "ssl_ciphers" not in text


def test_the_users_network_opens_to_hub_and_proxy_in_both_directions_and_to_nobody_outside() -> None:
    open_to, closed = ["10.217.0.2", "10.217.0.3"], ["hfc-lab", "hfu-lab"]
    rules = render("hub/network-rules.j2", bridge="hfu-lab", open=open_to, closed=closed)
    assert [line for line in rules.splitlines() if line.startswith("rule ")] == [
        *(f"rule -i hfu-lab -o hfu-lab {way} {address} -j ACCEPT" for address in open_to for way in ("-s", "-d")),
        *(f"rule ! -i {inner} -o {inner} -m conntrack --ctstate NEW -j DROP" for inner in closed),
    ]


@pytest.mark.parametrize(
    ("egress", "rules"),
    [
        ("open", []),
        (
            "blocked",
            [
                "-A hfe-lab -d 10.217.0.1 -j DROP",
                "-A hfe-lab ! -d 10.217.0.0/20 -j DROP",
                "-A hfe-lab -j DROP",  # the same for IPv6, of which the users' network has none
            ],
        ),
    ],
)
def test_the_ways_out_are_closed_to_all_that_is_not_the_users_network(egress: str, rules: list[str]) -> None:
    text = render(
        "egress/rules.j2",
        egress=egress,
        chain="hfe-lab",
        bridge="hfu-lab",
        gateway="10.217.0.1",
        subnet="10.217.0.0/20",
    )
    assert [line for line in text.splitlines() if line.startswith("-A ")] == rules
    for command in ("iptables", "ip6tables"):
        assert f"{command} -w 30 -t mangle -I PREROUTING -i hfu-lab -j hfe-lab" in text
