//! A wake-up from another thread against a task that falls asleep, and against the poll that is under way.

use std::pin::Pin;
use std::task::Poll;

use callboard_actor::model::{Queue, Worker, spawn};

use crate::{check, desk};

/// Runs the queue on the calling thread until the workers have done so much.
fn run_until(queue: &Queue, workers: &[Worker], expected: u32) {
    let mut runner = queue.runner();
    let workers = workers.to_vec();
    desk::run_one(std::future::poll_fn(move |task| {
        assert!(Pin::new(&mut runner).poll(task).is_pending());
        let done: u32 = workers.iter().map(Worker::done).sum();
        if done == expected { Poll::Ready(()) } else { Poll::Pending }
    }));
}

/// Protects the second look in `fall_asleep` and the flag that is set before the sender looks whether the task is awake.
#[test]
fn what_other_threads_wake_is_polled() {
    check(4_000, || {
        let (queue, workers) = (Queue::new(), [Worker::new("one"), Worker::new("two")]);
        let senders = workers.clone().map(|worker| {
            let queue = queue.clone();
            spawn(move || {
                for _ in 0..2 {
                    worker.give(&queue);
                }
            })
        });
        run_until(&queue, &workers, 4);
        senders.into_iter().for_each(|sender| sender.join());
    });
}

/// Protects the order in which `receive` clears the mark of an actor and `drive` looks for its work.
#[test]
fn two_threads_that_wake_the_same_actor_lose_nothing() {
    check(4_000, || {
        let (queue, worker) = (Queue::new(), Worker::new("one"));
        let senders = [0, 1].map(|_| {
            let (queue, worker) = (queue.clone(), worker.clone());
            spawn(move || {
                for _ in 0..2 {
                    worker.give(&queue);
                }
            })
        });
        run_until(&queue, &[worker], 4);
        senders.into_iter().for_each(|sender| sender.join());
    });
}
