//! Tokens and proofs against an org that answers from a script.

use super::*;

#[test]
fn what_is_no_usable_key_is_told_apart_and_not_shown() {
    let cases = [
        ("-----BEGIN ENCRYPTED PRIVATE KEY-----\nS3CRET", "passphrase"),
        ("-----BEGIN EC PRIVATE KEY-----\nS3CRET", "openssl pkcs8"),
        ("{\"kty\":\"RSA\",\"d\":\"S3CRET\"}", "JWK"),
        ("-----BEGIN PUBLIC KEY-----\nS3CRET", "no private key"),
        ("S3CRET", "no private key"),
        ("-----BEGIN PRIVATE KEY-----\nUzNDUkVU\n-----END PRIVATE KEY-----", "can't be used"),
    ];
    for (pem, expected) in cases {
        let error = SigningKey::from_pem(&pem.into()).unwrap_err();
        assert!(error.contains(expected) && !error.contains("S3CRET"), "{error}");
    }
}
