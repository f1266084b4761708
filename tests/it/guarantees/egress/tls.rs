//! TLS requires a trusted certificate for the requested name.

use rcgen::{CertificateParams, date_time_ymd};

use super::*;
use crate::support::certificate_authority::CertificateAuthority;

/// Connects to this machine by any name, and trusts this certificate authority.
fn trusting(authority: &CertificateAuthority) -> HttpClient {
    let settings = [("ACCOUNTD_WEBHOOKS__CA_FILE".to_owned(), authority.path().to_owned())];
    let authorities = Config::load(Flags::default(), settings).unwrap().webhooks.trust_anchors;
    let here = addresses(["127.0.0.1"]);
    let resolver = Arc::new(ChangingResolver { first: here.clone(), later: here, ..ChangingResolver::default() });
    HttpClient::new(networks("127.0.0.1"), authorities, resolver).unwrap()
}

fn expired() -> CertificateParams {
    let mut params = CertificateParams::new(["crm.example.org".to_owned()]).unwrap();
    (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
    params
}

#[tokio::test]
async fn egress_trusts_the_configured_certificate_authority() {
    let authority = CertificateAuthority::new();
    let receiver = Receiver::over_tls(authority.acceptor_for("crm.example.org")).await;
    let url = format!("https://crm.example.org:{}/", receiver.address.port());
    assert_eq!(post(&trusting(&authority), &url).await, Ok(200));
    let [request] = &receiver.take()[..] else { panic!("one request") };
    assert_eq!(request.header("host"), format!("crm.example.org:{}", receiver.address.port()));
}

#[tokio::test]
async fn egress_refuses_untrusted_certificates() {
    let (authority, untrusted) = (CertificateAuthority::new(), CertificateAuthority::new());
    for (acceptor, why) in [
        (untrusted.acceptor_for("crm.example.org"), "untrusted certificate authority"),
        (authority.acceptor_for("shop.example.org"), "certificate for another name"),
        (authority.acceptor_for("127.0.0.1"), "certificate for the address, not for the name"),
        (authority.acceptor_with(expired()), "expired certificate"),
    ] {
        let receiver = Receiver::over_tls(acceptor).await;
        let url = format!("https://crm.example.org:{}/", receiver.address.port());
        assert_eq!(post(&trusting(&authority), &url).await, Err(EgressError::Untrusted), "{why}");
        assert_eq!(receiver.take().len(), 0);
    }
    let plain = Receiver::new().await;
    let url = format!("https://crm.example.org:{}/", plain.address.port());
    assert_eq!(post(&trusting(&authority), &url).await, Err(EgressError::Untrusted));
    assert_eq!(plain.take().len(), 0);
}
