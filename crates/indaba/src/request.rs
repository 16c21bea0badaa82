//! Which request the work at hand belongs to. It follows from a handler into its transactions, its jobs and every log line.
use std::{future::Future, sync::Arc};

tokio::task_local! {
    static REQUEST: Arc<str>;
}

/// Runs `work` on behalf of the request `id`: the HTTP layer for each request, the job runner for each job that has one.
pub async fn within<F: Future>(id: Arc<str>, work: F) -> F::Output {
    REQUEST.scope(id, work).await
}

/// The request that the current task works for.
pub fn current() -> Option<Arc<str>> {
    REQUEST.try_with(Arc::clone).ok()
}
