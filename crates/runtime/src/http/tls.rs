//! TLS of the API: its certificate and key are files, and are read again when they change.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::file_watch;

/// The files of `TLS_CERT_FILE` and `TLS_KEY_FILE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// PEM: the certificate of the server, then those of its authorities.
    pub certificate: PathBuf,
    /// PEM: the key of the certificate.
    pub key: PathBuf,
}

/// Why a certificate and its key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// One of the files cannot be read, or is no PEM file of its kind.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: pem::Error,
    },
    /// The certificate file has no certificate.
    #[error("{} has no certificate", .0.display())]
    Empty(PathBuf),
    /// The key is not that of the certificate, or of a kind that is not known.
    #[error("the certificate and the key do not go together: {0}")]
    Pair(#[from] rustls::Error),
}

impl TlsFiles {
    /// Reads both files.
    ///
    /// # Errors
    /// When they are no certificate and its key.
    pub fn check(&self) -> Result<(), TlsError> {
        self.read().map(|_| ())
    }

    fn read(&self) -> Result<TlsAcceptor, TlsError> {
        let in_certificate = |source| TlsError::File { path: self.certificate.clone(), source };
        let certificates = CertificateDer::pem_file_iter(&self.certificate).map_err(in_certificate)?;
        let chain: Vec<_> = certificates.collect::<Result<_, _>>().map_err(in_certificate)?;
        if chain.is_empty() {
            return Err(TlsError::Empty(self.certificate.clone()));
        }
        let key = PrivateKeyDer::from_pem_file(&self.key);
        let key = key.map_err(|source| TlsError::File { path: self.key.clone(), source })?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

/// The certificate that new connections get.
pub(super) struct Tls {
    files: TlsFiles,
    acceptor: watch::Sender<TlsAcceptor>,
}

impl Tls {
    /// # Errors
    /// When the files are no certificate and its key.
    pub(super) fn new(files: TlsFiles) -> io::Result<Self> {
        let acceptor = watch::Sender::new(files.read().map_err(io::Error::other)?);
        Ok(Self { files, acceptor })
    }

    /// What makes the next connection's TLS.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        self.acceptor.borrow().clone()
    }

    /// Reads the files again whenever they change. Files that cannot be used change nothing.
    pub(super) async fn renew(&self) {
        let files = [self.files.certificate.clone(), self.files.key.clone()];
        file_watch::watch(&files, || match self.files.read() {
            Ok(acceptor) => {
                self.acceptor.send_replace(acceptor);
                tracing::info!("new connections get the certificate of {}", self.files.certificate.display());
            }
            Err(problem) => tracing::warn!("new connections get the earlier certificate: {problem}"),
        })
        .await;
    }
}
