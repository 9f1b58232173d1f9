//! Times: parsing, formatting, and their functions.

pub mod iso;
pub mod parse;
pub mod pattern;
pub mod times;
