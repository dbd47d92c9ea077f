//! Callbacks by which a consumer reports on its subscription.

use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures::{FutureExt, future::BoxFuture};
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use crate::trace_context::LinkSpan;

/// A subscription has begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscribed {
    /// The queue.
    pub queue: Arc<str>,
    /// The queue did not exist, or was deleted under the previous subscription: its messages are lost. False does not
    /// exclude that, since another service may have declared the queue a moment before.
    pub created: bool,
    /// Earlier subscriptions in this process. Above zero the broker may have been reset, so the outboxes should be
    /// searched for lost messages too.
    pub earlier: u64,
}

type Callback<T> = Arc<dyn Fn(T) -> BoxFuture<'static, ()> + Send + Sync>;

/// Optional callbacks. They run beside the handlers, one at a time and in order.
#[derive(Clone, Default)]
pub struct Hooks {
    subscribed: Option<Callback<Subscribed>>,
    idle: Option<Callback<()>>,
    pub(crate) link_span: Option<LinkSpan>,
}

impl Hooks {
    /// Called whenever the subscription starts or starts again.
    #[must_use]
    pub fn on_subscribed<F>(mut self, callback: impl Fn(Subscribed) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.subscribed = Some(Arc::new(move |event| Box::pin(callback(event))));
        self
    }

    /// Called while subscribed, each time `idle_after` has passed without a delivery and without a handler at work; while
    /// deliveries keep coming, each time six times as long has passed and no message stands in line. What was sent and
    /// was not delivered by then was lost, perhaps because the queue was purged, which the broker does not report. Never
    /// called while an earlier callback is still running.
    #[must_use]
    pub fn on_idle<F>(mut self, callback: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.idle = Some(Arc::new(move |()| Box::pin(callback())));
        self
    }

    /// Called with each new `process` span and the trace contexts of its messages.
    #[must_use]
    pub fn link_span(mut self, link: LinkSpan) -> Self {
        self.link_span = Some(link);
        self
    }
}

/// Runs the callbacks in a task of its own, so that a slow one does not delay deliveries.
pub(crate) struct HookRunner {
    hooks: Hooks,
    calls: mpsc::UnboundedSender<BoxFuture<'static, ()>>,
    pending: Arc<AtomicUsize>,
    task: AbortOnDropHandle<()>,
}

impl HookRunner {
    pub(crate) fn start(hooks: Hooks) -> Self {
        let (calls, mut queue) = mpsc::unbounded_channel::<BoxFuture<'static, ()>>();
        let pending = Arc::new(AtomicUsize::new(0));
        let done = pending.clone();
        let task = AbortOnDropHandle::new(tokio::spawn(async move {
            while let Some(call) = queue.recv().await {
                if AssertUnwindSafe(call).catch_unwind().await.is_err() {
                    tracing::error!("a consumer hook panicked");
                }
                done.fetch_sub(1, Ordering::AcqRel);
            }
        }));
        Self { hooks, calls, pending, task }
    }

    pub(crate) fn subscribed(&self, event: Subscribed) {
        self.call(self.hooks.subscribed.as_ref().map(|callback| callback(event)));
    }

    pub(crate) fn idle(&self) {
        if self.pending.load(Ordering::Acquire) == 0 {
            self.call(self.hooks.idle.as_ref().map(|callback| callback(())));
        }
    }

    fn call(&self, call: Option<BoxFuture<'static, ()>>) {
        if let Some(call) = call {
            self.pending.fetch_add(1, Ordering::AcqRel);
            // The task ends only with this sender.
            let _ = self.calls.send(call);
        }
    }

    /// Lets the callbacks already called finish within `grace`.
    pub(crate) async fn stop(self, grace: Duration) {
        drop(self.calls);
        let _ = tokio::time::timeout(grace, self.task).await;
    }
}
