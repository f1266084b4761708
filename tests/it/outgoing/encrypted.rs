//! Encrypted means that somebody who is trusted answers, by the name that was called.

use rcgen::{CertificateParams, date_time_ymd};

use super::*;
use crate::support::authority::Authority;

/// Calls this machine by any name, and believes this authority.
fn believing(authority: &Authority) -> Outgoing {
    let settings = [("ACCOUNTD_WEBHOOKS__CA_FILE".to_owned(), authority.path().to_owned())];
    let authorities = Config::load(Flags::default(), settings).unwrap().webhooks.authorities;
    let here = addresses(["127.0.0.1"]);
    let resolver = Arc::new(Changing { first: here.clone(), later: here, ..Changing::default() });
    Outgoing::new(networks("127.0.0.1"), authorities, resolver).unwrap()
}

fn expired() -> CertificateParams {
    let mut params = CertificateParams::new(["crm.example.org".to_owned()]).unwrap();
    (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
    params
}

#[tokio::test]
async fn believes_an_authority_that_it_was_told_of() {
    let authority = Authority::new();
    let receiver = Receiver::encrypted(authority.vouching_for("crm.example.org")).await;
    let url = format!("https://crm.example.org:{}/", receiver.address.port());
    assert_eq!(post(&believing(&authority), &url).await, Ok(200));
    let [request] = &receiver.take()[..] else { panic!("one request") };
    assert_eq!(request.header("host"), format!("crm.example.org:{}", receiver.address.port()));
}

#[tokio::test]
async fn speaks_to_nobody_whom_it_does_not_trust() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    for (acceptor, why) in [
        (stranger.vouching_for("crm.example.org"), "nobody who is believed vouches for it"),
        (authority.vouching_for("shop.example.org"), "it is somebody else"),
        (authority.vouching_for("127.0.0.1"), "the address is not what was called"),
        (authority.vouching(expired()), "it is too old"),
    ] {
        let receiver = Receiver::encrypted(acceptor).await;
        let url = format!("https://crm.example.org:{}/", receiver.address.port());
        assert_eq!(post(&believing(&authority), &url).await, Err(Failure::Untrusted), "{why}");
        assert_eq!(receiver.take().len(), 0);
    }
    let plain = Receiver::new().await;
    let url = format!("https://crm.example.org:{}/", plain.address.port());
    assert_eq!(post(&believing(&authority), &url).await, Err(Failure::Untrusted));
    assert_eq!(plain.take().len(), 0);
}
