//! What wakes the pump when a moment comes.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Sleep, sleep};

/// Is ready when a moment has come.
pub(super) struct Alarm {
    pub(super) at: Duration,
    sleep: Pin<Box<Sleep>>,
}

impl Alarm {
    pub(super) fn new(at: Duration, now: Duration) -> Self {
        Self { at, sleep: Box::pin(sleep(at.saturating_sub(now))) }
    }
}

impl Future for Alarm {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<()> {
        self.sleep.as_mut().poll(task)
    }
}
