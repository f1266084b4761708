//! Webhook signatures (Standard Webhooks 1.0, symmetric scheme `v1`).

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretSlice};

/// The value of the `webhook-signature` header: HMAC-SHA256 of `<id>.<timestamp>.<body>`, once per secret.
pub fn signature_header(secrets: &[SecretSlice<u8>], id: &str, timestamp: i64, body: &str) -> String {
    let content = format!("{id}.{timestamp}.{body}");
    let signatures = secrets.iter().map(|secret| {
        let tag = sign(&Key::new(HMAC_SHA256, secret.expose_secret()), content.as_bytes());
        format!("v1,{}", STANDARD.encode(tag))
    });
    signatures.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The test vector of the Standard Webhooks libraries.
    #[test]
    fn signature_equals_the_standard_test_vector() {
        let secret = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
        let signed = signature_header(&[secret.into()], id, 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn header_has_a_signature_per_secret() {
        let [old, new] = [[1; 32], [2; 32]].map(|secret: [u8; 32]| SecretSlice::from(secret.to_vec()));
        let both = signature_header(&[new.clone(), old.clone()], "msg", 1, "{}");
        let one = |secret| signature_header(&[secret], "msg", 1, "{}");
        assert_eq!(both, format!("{} {}", one(new), one(old)));
    }
}
