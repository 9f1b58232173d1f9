#[cfg(feature = "sandbox")]
mod sandbox_activepieces;
