//! The one test binary.

mod company;
mod config;
