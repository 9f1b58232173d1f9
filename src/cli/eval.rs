//! `oktapieces eval`
