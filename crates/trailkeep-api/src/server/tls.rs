//! The certificate and the key.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::{Error, Result};

/// The PEM files of a certificate chain and its private key.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// The certificate, followed by those that signed it.
    pub cert: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

impl TlsFiles {
    /// Reads both files.
    ///
    /// # Errors
    /// Where a file cannot be read or the two cannot be used together.
    pub fn load(&self) -> Result<TlsIdentity> {
        TlsIdentity::from_pem(&read(&self.cert)?, &read(&self.key)?)
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|source| Error::ReadTlsFile { path: path.to_owned(), source })
}

/// A certificate chain with its private key, checked to belong together.
#[derive(Clone)]
pub struct TlsIdentity(Arc<ServerConfig>);

impl TlsIdentity {
    /// Takes a certificate chain and a private key in PEM form.
    ///
    /// # Errors
    /// [`Error::ParsePem`] or [`Error::UseCertificate`].
    pub fn from_pem(cert: &[u8], key: &[u8]) -> Result<Self> {
        let certificate = |source| Error::ParsePem { what: "certificate", source };
        let chain: std::result::Result<Vec<_>, _> = CertificateDer::pem_slice_iter(cert).collect();
        let chain = chain.map_err(certificate)?;
        if chain.is_empty() {
            return Err(certificate(rustls_pki_types::pem::Error::NoItemsFound));
        }
        let key = PrivateKeyDer::from_pem_slice(key)
            .map_err(|source| Error::ParsePem { what: "private key", source })?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|config| config.with_no_client_auth().with_single_cert(chain, key))
            .map_err(|source| Error::UseCertificate { source })?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(Arc::new(config)))
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.0))
    }
}

impl fmt::Debug for TlsIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsIdentity(****)")
    }
}
