//! Plan, apply and plan again, by the real binary against the sandbox.
