//! The authorities of an operator's own network, whose certificates are believed beside those that everybody knows.

use std::io;

use tokio_rustls::rustls::RootCertStore;
use tokio_rustls::rustls::pki_types::pem::{PemObject, SectionKind};
use tokio_rustls::rustls::pki_types::{CertificateDer, TrustAnchor};

use super::super::{Refused, refused};

/// Those in the file at this path.
pub(super) fn authorities(path: &str) -> Result<Vec<TrustAnchor<'static>>, Refused> {
    let text = std::fs::read(path).map_err(|error: io::Error| {
        refused(&format!("cannot be read: {error}"), "name a PEM file that the server may read")
    })?;
    let fix = "name a PEM file of certificates of authorities alone, each from its -----BEGIN CERTIFICATE----- on";
    let mut known = RootCertStore::empty();
    for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(&text) {
        let (kind, bytes) = section.map_err(|_| refused("is not PEM", fix))?;
        if kind != SectionKind::Certificate {
            return Err(refused("holds a key, or something else that is no certificate", fix));
        }
        known.add(CertificateDer::from(bytes)).map_err(|_| refused("has a certificate that is damaged", fix))?;
    }
    if known.is_empty() {
        return Err(refused("holds no certificate", fix));
    }
    Ok(known.roots)
}
