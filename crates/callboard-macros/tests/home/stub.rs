//! What the derives need of the framework, and no more: these tests are about the derives.
#![allow(dead_code)]

use std::time::Duration;

pub trait Message: Sized + Send + 'static {
    type Reply: Send + 'static;
    const PRIORITY: Priority = Priority::Normal;
    const TIMEOUT: Option<Duration> = None;
    const KEEP: Option<fn(&mut Self) -> Self> = None;
}

#[derive(Debug, PartialEq, Eq)]
pub enum Priority {
    Critical,
    High,
    Normal,
    Low,
    Background,
}

pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(future).poll(&mut cx) {
        std::task::Poll::Ready(output) => output,
        std::task::Poll::Pending => unreachable!("these tests never wait"),
    }
}
