//! A stateful Okta org and Activepieces platform on loopback, for `demo`, `sandbox` and the tests.

pub mod activepieces;
pub mod okta;
