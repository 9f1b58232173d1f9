//! activepieces
