//! A small executor for one thread of a model. It does what an arbiter does and no more: a task is polled once, and then
//! only after it was woken. So a wake-up that is lost leaves the thread waiting for ever, which the checker reports.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use callboard_actor::model::Shared;
use shuttle::thread::{self, Thread};

pub(crate) type Task = Pin<Box<dyn Future<Output = ()>>>;

/// Runs tasks on the calling thread until all have ended.
pub(crate) fn run(tasks: Vec<Task>) {
    let mut tasks: Vec<(Task, Arc<Woken>)> = tasks.into_iter().map(|task| (task, Woken::new())).collect();
    while !tasks.is_empty() {
        let mut idle = true;
        tasks.retain_mut(|(task, woken)| {
            if !woken.take() {
                return true;
            }
            idle = false;
            task.as_mut().poll(&mut Context::from_waker(&Waker::from(Arc::clone(woken)))).is_pending()
        });
        if idle {
            thread::park();
        }
    }
}

/// Runs one future on the calling thread, and gives its result.
pub(crate) fn run_one<T: 'static>(future: impl Future<Output = T> + 'static) -> T {
    let slot = Rc::new(RefCell::new(None));
    let result = Rc::clone(&slot);
    run(vec![Box::pin(async move { *slot.borrow_mut() = Some(future.await) })]);
    result.take().expect("the future has ended")
}

/// Lets the other tasks of the thread have their turns.
pub(crate) async fn pause() {
    let mut paused = false;
    std::future::poll_fn(|task| {
        if std::mem::replace(&mut paused, true) {
            return Poll::Ready(());
        }
        task.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Whether a task was woken. The lock orders what came before the wake-up before the next poll, as a runtime does.
struct Woken {
    flag: Shared<bool>,
    thread: Thread,
}

impl Woken {
    fn new() -> Arc<Self> {
        Arc::new(Self { flag: Shared::new(true), thread: thread::current() })
    }

    fn take(&self) -> bool {
        self.flag.with(std::mem::take)
    }
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.flag.with(|flag| *flag = true);
        self.thread.unpark();
    }
}

/// A note that one thread leaves for tasks of others.
#[derive(Clone)]
pub(crate) struct Note(Shared<(bool, Vec<Waker>)>);

impl Note {
    pub(crate) fn new() -> Self {
        Self(Shared::new((false, Vec::new())))
    }

    pub(crate) fn leave(&self) {
        let waiting = self.0.with(|(left, waiting)| {
            *left = true;
            std::mem::take(waiting)
        });
        waiting.into_iter().for_each(Waker::wake);
    }

    pub(crate) async fn found(&self) {
        std::future::poll_fn(|task| {
            self.0.with(|(left, waiting)| {
                if *left {
                    return Poll::Ready(());
                }
                waiting.push(task.waker().clone());
                Poll::Pending
            })
        })
        .await;
    }
}
