//! Networks of addresses, as `10.0.0.0/8` or `2001:db8::/32`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// All addresses that share a prefix.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Network {
    base: IpAddr,
    prefix_bits: u32,
}

/// Says what a text with a `/` is instead.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum NetworkError {
    /// Some other text.
    NotAnAddress,
    /// The prefix is not a number, or longer than the address.
    Prefix,
}

impl Network {
    pub(crate) fn parse(text: &str) -> Result<Self, NetworkError> {
        let (address, prefix) = text.split_once('/').ok_or(NetworkError::NotAnAddress)?;
        let address: IpAddr = address.parse().map_err(|_error| NetworkError::NotAnAddress)?;
        let n_bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix_bits: u32 = prefix.parse().map_err(|_error| NetworkError::Prefix)?;
        if prefix_bits > n_bits {
            return Err(NetworkError::Prefix);
        }
        Ok(Self { base: cut(address, prefix_bits), prefix_bits })
    }

    /// Tells whether the text is an address of the network. An IPv4 address counts as itself
    /// also where it is written as an IPv6 address.
    pub(crate) fn has(self, text: &str) -> bool {
        let Ok(address) = text.parse::<IpAddr>() else { return false };
        let same_family = |address: IpAddr| address.is_ipv4() == self.base.is_ipv4();
        [address, address.to_canonical()]
            .into_iter()
            .any(|address| same_family(address) && cut(address, self.prefix_bits) == self.base)
    }
}

/// Clears the bits after the prefix.
fn cut(address: IpAddr, prefix_bits: u32) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            let n_cleared = 32_u32.saturating_sub(prefix_bits);
            let mask = u32::MAX.checked_shl(n_cleared).unwrap_or(0);
            Ipv4Addr::from_bits(v4.to_bits() & mask).into()
        }
        IpAddr::V6(v6) => {
            let n_cleared = 128_u32.saturating_sub(prefix_bits);
            let mask = u128::MAX.checked_shl(n_cleared).unwrap_or(0);
            Ipv6Addr::from_bits(v6.to_bits() & mask).into()
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.prefix_bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members() {
        let cases = [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.1.2.3/8", "10.9.9.9", true),
            ("10.0.0.0/8", "::ffff:10.1.1.1", true),
            ("0.0.0.0/0", "1.2.3.4", true),
            ("0.0.0.0/0", "::1", false),
            ("1.2.3.4/32", "1.2.3.4", true),
            ("2001:db8::/32", "2001:db8:1::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("::ffff:10.0.0.0/104", "::ffff:10.1.1.1", true),
            ("10.0.0.0/8", "ec2.amazonaws.com", false),
            ("10.0.0.0/8", "10.0.0.07", false),
        ];
        for (network, address, member) in cases {
            assert_eq!(
                Network::parse(network).unwrap().has(address),
                member,
                "{network} {address}"
            );
        }
        assert_eq!(Network::parse("10.0.0.0/33"), Err(NetworkError::Prefix));
        assert_eq!(Network::parse("a/b"), Err(NetworkError::NotAnAddress));
    }
}
