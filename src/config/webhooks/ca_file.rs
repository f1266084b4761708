//! Certificate authorities of private networks, from `webhooks.ca_file`.

use std::io;

use tokio_rustls::rustls::RootCertStore;
use tokio_rustls::rustls::pki_types::pem::{PemObject, SectionKind};
use tokio_rustls::rustls::pki_types::{CertificateDer, TrustAnchor};

use crate::config::problem::{InvalidValue, invalid};

/// The trust anchors in the PEM file at `path`.
pub(super) fn read_trust_anchors(path: &str) -> Result<Vec<TrustAnchor<'static>>, InvalidValue> {
    let text = std::fs::read(path).map_err(|error: io::Error| {
        invalid(&format!("cannot be read: {error}"), "name a PEM file that the server can read")
    })?;
    let fix = "name a PEM file with certificates of authorities only, each from its -----BEGIN CERTIFICATE----- on";
    let mut store = RootCertStore::empty();
    for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(&text) {
        let (kind, bytes) = section.map_err(|_| invalid("is not PEM", fix))?;
        if kind != SectionKind::Certificate {
            return Err(invalid("holds a key, or something else than certificates", fix));
        }
        store.add(CertificateDer::from(bytes)).map_err(|_| invalid("has a malformed certificate", fix))?;
    }
    if store.is_empty() {
        return Err(invalid("holds no certificate", fix));
    }
    Ok(store.roots)
}
