//! Times: how they are read and written, and the functions that do it.

pub mod iso;
pub mod parse;
pub mod pattern;
pub mod times;
