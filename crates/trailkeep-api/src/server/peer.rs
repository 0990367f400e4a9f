//! Who is at the other end of a connection.

use std::fmt;
use std::net::IpAddr;

/// The address at the other end of the TCP connection; a request's extension. It is the client's
/// own only where no proxy stands between: what a proxy says is another type.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct PeerIp(IpAddr);

impl PeerIp {
    pub(super) fn new(address: IpAddr) -> Self {
        Self(address.to_canonical())
    }

    /// Returns the address.
    pub fn get(self) -> IpAddr {
        self.0
    }
}

impl fmt::Display for PeerIp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
