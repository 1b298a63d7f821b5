"""The caller: on whose account a request is counted, its key if it shows one, else its address."""

from ipaddress import IPv6Address, ip_address, ip_network

from starlette.types import Scope

CALLER = "yin.caller"  # in a scope, who showed a valid API key
HOME = 64  # bits of an IPv6 address that one home or machine has for itself


def caller_of(scope: Scope) -> str:
    """Return whose request this is."""
    known: str | None = scope.get(CALLER)
    return known or home_of((scope.get("client") or ("unknown",))[0])


def home_of(address: str) -> str:
    """Return an address, or the network that belongs to whoever has it."""
    try:
        ip = ip_address(address)
    except ValueError:  # a Unix socket's, or a test's
        return address
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is None:
        return str(ip_network((ip, HOME), strict=False))
    return str(getattr(ip, "ipv4_mapped", None) or ip)
