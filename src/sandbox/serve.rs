//! What both servers have in common.

use std::sync::Arc;
use std::time::Duration;

/// How a server's requests are delayed and counted.
#[derive(Debug)]
pub struct Traffic {
    latency: Duration,
}

impl Traffic {
    /// Every answer takes at least this long.
    pub fn new(latency: Duration) -> Self {
        Self { latency }
    }
}

/// Puts the traffic in front of all routes.
pub fn layer(router: axum::Router, traffic: Arc<Traffic>) -> axum::Router {
    router.layer(axum::middleware::from_fn(move |request: axum::extract::Request, next: axum::middleware::Next| {
        let latency = traffic.latency;
        async move {
            tokio::time::sleep(latency).await;
            next.run(request).await
        }
    }))
}
