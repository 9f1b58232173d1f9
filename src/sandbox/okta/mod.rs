//! The Okta org.
