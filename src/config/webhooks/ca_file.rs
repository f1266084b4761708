//! The authorities of an operator's own network, whose certificates are believed beside those that everybody knows.

use std::io;

use tokio_rustls::rustls::RootCertStore;
use tokio_rustls::rustls::pki_types::pem::{PemObject, SectionKind};
use tokio_rustls::rustls::pki_types::{CertificateDer, TrustAnchor};

use crate::config::{InvalidValue, invalid};

/// Those in the file at this path.
pub(super) fn read_trust_anchors(path: &str) -> Result<Vec<TrustAnchor<'static>>, InvalidValue> {
    let text = std::fs::read(path).map_err(|error: io::Error| {
        invalid(&format!("cannot be read: {error}"), "name a PEM file that the server may read")
    })?;
    let fix = "name a PEM file of certificates of authorities alone, each from its -----BEGIN CERTIFICATE----- on";
    let mut store = RootCertStore::empty();
    for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(&text) {
        let (kind, bytes) = section.map_err(|_| invalid("is not PEM", fix))?;
        if kind != SectionKind::Certificate {
            return Err(invalid("holds a key, or something else that is no certificate", fix));
        }
        store.add(CertificateDer::from(bytes)).map_err(|_| invalid("has a certificate that is damaged", fix))?;
    }
    if store.is_empty() {
        return Err(invalid("holds no certificate", fix));
    }
    Ok(store.roots)
}
