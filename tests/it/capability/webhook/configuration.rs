//! Webhook settings: secrets, addresses, and output without secrets.

use accountd::account::event::webhook::send_due;
use entity::webhook_delivery;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};

use super::{OTHER, SECRET, config};
use crate::support::TestApp;
use crate::support::receiver::Receiver;

/// Q12: this machine is not an allowed network.
#[tokio::test]
async fn webhook_to_non_public_address_is_refused() {
    let receiver = Receiver::new().await;
    let endpoint = format!("crm=https://{}/accounts", receiver.address);
    let secret = format!("crm={SECRET}");
    let app =
        TestApp::with(&[("ACCOUNTD_WEBHOOKS__ENDPOINTS", &endpoint), ("ACCOUNTD_WEBHOOKS__SECRETS", &secret)]).await;
    app.user("ann").await;
    assert_eq!(send_due(&app.app).await.unwrap(), 1);
    let left = webhook_delivery::Entity::find()
        .filter(webhook_delivery::Column::Failure.contains("not public"))
        .count(app.app.db.reader());
    assert_eq!((left.await.unwrap(), receiver.take().len()), (1, 0));
}

/// Q10
#[test]
fn webhook_output_contains_no_secret() {
    let endpoints = "crm=https://crm.example.org/hunter2";
    let good = config(&[("ENDPOINTS", endpoints), ("SECRETS", &format!("crm={SECRET}"))]).unwrap();
    let debug = format!("{good:?}");
    assert!(!debug.contains("hunter2") && !debug.contains("MDEyMzQ1") && debug.contains("crm"), "{debug}");
    for broken in [
        config(&[("ENDPOINTS", "crm=ftp://crm.example.org/hunter2")]),
        config(&[("ENDPOINTS", endpoints), ("SECRETS", "crm=whsec_hunter2")]),
        config(&[("ENDPOINTS", endpoints), ("SECRETS", "hunter2")]),
    ] {
        assert!(!broken.unwrap_err().contains("hunter2"));
    }
}

#[test]
fn webhook_endpoint_without_own_secret_is_refused() {
    let crm = "crm=https://crm.example.org/";
    let secret = format!("crm={SECRET}");
    let three = [secret.as_str(); 3].join(" ");
    let two = format!("{secret} crm={OTHER}");
    let loaded = |endpoints, secrets| config(&[("ENDPOINTS", endpoints), ("SECRETS", secrets)]);
    assert!(loaded(crm, &secret).is_ok() && loaded(crm, &two).is_ok());
    for (endpoints, secrets, why) in [
        (crm, "crm=whsec_c2hvcnQ=", "24 to 64 bytes"),
        (crm, "crm=MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", "24 to 64 bytes"),
        (crm, &three, "3 secrets"),
        (crm, &secret.replace("crm", "erp"), "an unknown endpoint"),
        ("crm=http://crm.example.org/", &secret, "without encryption"),
        ("crm=https://ann:pw@crm.example.org/", &secret, "user or a password"),
        ("crm=https://crm.example.org/#here", &secret, "never sent"),
        ("crm=mailto:ann@example.org", &secret, "neither"),
        ("crm=crm.example.org", &secret, "invalid URL"),
        ("https://crm.example.org/", &secret, "without a name"),
        ("crm=https://a.example/ crm=https://b.example/", &secret, "duplicate name"),
    ] {
        let error = loaded(endpoints, secrets).unwrap_err();
        assert!(error.contains(why), "{endpoints} {secrets}: {error}");
    }
    assert!(config(&[("ENDPOINTS", crm)]).unwrap_err().contains("0 secrets for crm"));
    assert!(config(&[("ALLOWED_NETWORKS", "everything")]).unwrap_err().contains("not a list of networks"));
}
