//! Webhooks over TLS, to receivers with certificates of the operator's own authority.

use super::*;
use crate::support::certificate_authority::CertificateAuthority;

/// A service with one endpoint at this address, which trusts the certificates of the file.
async fn with_tls_endpoint(receiver: &Receiver, settings: &[(&str, &str)]) -> TestApp {
    let (endpoint, secret) = (format!("crm=https://{}/accounts", receiver.address), format!("crm={SECRET}"));
    let usual = [
        ("ACCOUNTD_WEBHOOKS__ENDPOINTS", endpoint.as_str()),
        ("ACCOUNTD_WEBHOOKS__SECRETS", &secret),
        ("ACCOUNTD_WEBHOOKS__ALLOWED_NETWORKS", "127.0.0.1"),
    ];
    TestApp::with(&[&usual, settings].concat()).await
}

#[tokio::test]
async fn webhook_trusts_the_configured_certificate_authority() {
    let authority = CertificateAuthority::new();
    let receiver = Receiver::over_tls(authority.acceptor_for("127.0.0.1")).await;
    let app = with_tls_endpoint(&receiver, &[("ACCOUNTD_WEBHOOKS__CA_FILE", authority.path())]).await;
    app.user("ann").await;
    assert_eq!(send_due(&app.app).await.unwrap(), 1);
    let [request] = &receiver.take()[..] else { panic!("one message") };
    assert_eq!((message(request).0.as_str(), request.target.as_str()), ("user.created", "/accounts"));
    assert!(is_signed(request, 0, SECRET));
    assert_eq!(queued_count(&app).await, 0);
}

/// No message is sent over an unverified connection; it stays queued.
#[tokio::test]
async fn webhook_to_untrusted_receiver_stays_queued() {
    let (authority, untrusted) = (CertificateAuthority::new(), CertificateAuthority::new());
    let receiver = Receiver::over_tls(authority.acceptor_for("127.0.0.1")).await;
    let app = with_tls_endpoint(&receiver, &[("ACCOUNTD_WEBHOOKS__CA_FILE", untrusted.path())]).await;
    app.user("ann").await;
    assert_eq!(send_due(&app.app).await.unwrap(), 1);
    let left = webhook_delivery::Entity::find().one(app.app.db.reader()).await.unwrap().unwrap();
    assert!(left.failure.unwrap().contains("webhooks.ca_file"));
    assert_eq!((left.attempts, receiver.take().len()), (1, 0));

    let path = authority.path().to_owned();
    let believing = config(&[("CA_FILE", &path)]).unwrap().webhooks.trust_anchors;
    let app = app.restart_with(|config| config.webhooks.trust_anchors = believing).await;
    app.clock.advance(TimeDelta::seconds(5));
    assert_eq!(send_due(&app.app).await.unwrap(), 1);
    assert_eq!((receiver.take().len(), queued_count(&app).await), (1, 0));
}

/// The allowed content of a CA file.
#[test]
fn webhook_ca_file_must_contain_certificates_only() {
    let authority = CertificateAuthority::new();
    let certificate = std::fs::read_to_string(&authority.file).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("ca.pem");
    let loaded = |content: &str| {
        std::fs::write(&file, content).unwrap();
        config(&[("CA_FILE", file.to_str().unwrap())])
    };
    assert_eq!(loaded(&certificate).unwrap().webhooks.trust_anchors.len(), 1);
    assert_eq!(loaded(&format!("# ours\n{certificate}\n{certificate}")).unwrap().webhooks.trust_anchors.len(), 2);
    let key = "-----BEGIN PRIVATE KEY-----\nbm8gc2VjcmV0\n-----END PRIVATE KEY-----\n";
    let damaged = "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n";
    for (content, why) in [
        (String::new(), "holds no certificate"),
        ("hello".to_owned(), "holds no certificate"),
        (format!("{certificate}{key}"), "holds a key"),
        (damaged.to_owned(), "malformed certificate"),
        (format!("{certificate}{damaged}"), "malformed certificate"),
        (certificate.replace("-----END", "-----end"), "is not PEM"),
    ] {
        let error = loaded(&content).unwrap_err();
        assert!(error.contains(why) && error.contains("webhooks.ca_file"), "{content}: {error}");
        assert!(!error.contains("bm8gc2VjcmV0"), "{error}");
    }
    std::fs::remove_file(&file).unwrap();
    assert!(config(&[("CA_FILE", file.to_str().unwrap())]).unwrap_err().contains("cannot be read"));
    assert!(config(&[("CA_FILE", "/")]).unwrap_err().contains("cannot be read"));
    assert!(config(&[("CA_FILE", "")]).unwrap_err().contains("is empty"));
}
