"""Which addresses belong to the public internet: what a stranger names may lead there, and nowhere else."""

import ipaddress
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

# Written out, since `is_global` says another thing in each release of Python, and nothing of what tunnels carry.

_NOT_PUBLIC_4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",
        "100.64.0.0/10",  # carriers' own
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's platform, as its machines see it
        "169.254.0.0/16",  # link-local, where clouds keep their credentials
        "172.16.0.0/12",
        "192.0.0.0/24",  # protocols' own
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",
        "198.18.0.0/15",  # measurements
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)

_UNICAST_6 = IPv6Network("2000::/3")
"""All else in IPv6 is local, mapped, translated (64:ff9b::/96) or not given out."""

_NOT_PUBLIC_6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # Teredo, measurements, ORCHID and other protocols' own
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, which has an IPv4 address inside
        "3fff::/20",  # documentation
    )
)


def is_public(address: str) -> bool:
    """Whether it is an address, and one of the public internet."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    match parsed:
        case IPv4Address():
            return not any(parsed in network for network in _NOT_PUBLIC_4)
        case IPv6Address():
            scoped = parsed.scope_id is not None
            return not scoped and parsed in _UNICAST_6 and not any(parsed in network for network in _NOT_PUBLIC_6)
