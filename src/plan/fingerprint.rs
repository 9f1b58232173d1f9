//! Hashes of plans and changes: the same content has the same hash, on any machine and at any time.

use std::io::{self, BufWriter, Write};

use aws_lc_rs::digest::{Context, SHA256};
use serde::Serialize;

use crate::plan::op::Plan;

/// Six bytes: short enough to be typed, and two plans of one org never share it by chance.
const BYTES: usize = 6;

/// The name of what a plan would write: of its operations with before, after and reason, in their order. Two plans of the
/// same operations have the same, and of any other have another.
pub fn of_plan(plan: &Plan) -> String {
    if plan.invitations.is_empty() {
        return fingerprint(&(&plan.users, &plan.projects));
    }
    fingerprint(&(&plan.users, &plan.projects, &plan.invitations))
}

/// The name of a value: twelve hexadecimal digits of the SHA-256 of its JSON.
pub fn fingerprint(value: &impl Serialize) -> String {
    let mut digest = Digest(Context::new(&SHA256));
    // JSON comes in pieces of a few bytes.
    let mut buffered = BufWriter::new(&mut digest);
    // No value here fails to become JSON, and a digest takes all that is written to it.
    serde_json::to_writer(&mut buffered, value).unwrap_or_default();
    buffered.flush().unwrap_or_default();
    drop(buffered);
    digest.0.finish().as_ref().iter().take(BYTES).fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// A digest of what is written to it, so that the JSON of a large plan is never there as a whole.
struct Digest(Context);

impl Write for Digest {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
