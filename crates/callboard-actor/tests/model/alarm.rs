//! The keeper of alarms: none that is not taken back is missed, however setting, taking back and going off race.

use std::rc::Rc;
use std::sync::Arc;
use std::task::{Wake, Waker};

use callboard_actor::model::{Alarms, Shared, Thread, spawn};

use crate::check;
use crate::desk::{Note, Task, pause, run};

/// Time that passes when somebody sleeps.
async fn sleep_until(time: &std::cell::Cell<u64>, moment: u64) -> u64 {
    pause().await;
    time.set(time.get().max(moment));
    time.get()
}

/// Keeps alarms on the calling thread until a note is found.
fn keep_until(alarms: &Alarms, over: Note) {
    let alarms = alarms.clone();
    let keeper: Task = Box::pin(async move {
        let time = Rc::new(std::cell::Cell::new(0));
        let keep = alarms.keep(async |moment| sleep_until(&time, moment).await);
        futures::future::select(std::pin::pin!(keep), std::pin::pin!(over.found())).await;
    });
    run(vec![keeper]);
}

struct Bell(Note);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.leave();
    }
}

fn bell() -> (Note, Waker) {
    let rung = Note::new();
    (rung.clone(), Arc::new(Bell(rung)).into())
}

/// Sets an alarm and waits for it.
fn wait_for_alarm(alarms: &Alarms, due: u64) -> Thread<()> {
    let alarms = alarms.clone();
    spawn(move || {
        let (rung, waker) = bell();
        alarms.set(due, &waker);
        run(vec![Box::pin(async move { rung.found().await })]);
    })
}

/// Leaves the note once all threads have ended.
fn after(threads: Vec<Thread<()>>, over: &Note) -> Thread<()> {
    let over = over.clone();
    spawn(move || {
        threads.into_iter().for_each(Thread::join);
        over.leave();
    })
}

/// Protects that the keeper resets the earliest moment *before* it looks through the shards, and that whoever sets an alarm
/// reads it *after* it has put that into its shard.
#[test]
fn no_alarm_is_missed() {
    check(1500, || {
        let (alarms, over) = (Alarms::new(), Note::new());
        let dues = [30, 10, 20];
        let waiting = dues.map(|due| wait_for_alarm(&alarms, due)).into();
        let end = after(waiting, &over);
        keep_until(&alarms, over);
        end.join();
    });
}

/// Alarms that are taken back leave their slots to others at once, and take nothing of theirs along. Protects the serial
/// number in a slot.
#[test]
fn one_that_is_taken_back_takes_no_other_along() {
    check(1500, || {
        let (alarms, over) = (Alarms::new(), Note::new());
        let setter = alarms.clone();
        let busy = spawn(move || {
            let first = setter.set(10, Waker::noop());
            setter.clear(first);
            let (rung, waker) = bell();
            setter.set(15, &waker);
            setter.clear(first);
            assert!(!setter.retarget(first, Waker::noop()), "it is gone");
            run(vec![Box::pin(async move { rung.found().await })]);
        });
        let end = after(vec![busy, wait_for_alarm(&alarms, 12)], &over);
        keep_until(&alarms, over);
        end.join();
    });
}

/// An asker that is polled by another task is woken there, unless the alarm has gone off: then it is told, and looks for
/// itself.
#[test]
fn an_alarm_that_is_moved_rings_here_or_has_rung_there() {
    check(1500, || {
        let (alarms, over, rung) = (Alarms::new(), Note::new(), Shared::new(0));
        let (mover, count) = (alarms.clone(), rung.clone());
        let moving = spawn(move || {
            let alarm = mover.set(10, Waker::noop());
            let (here, waker) = bell();
            if mover.retarget(alarm, &waker) {
                run(vec![Box::pin(async move { here.found().await })]);
                count.with(|count| *count += 1);
            }
        });
        let end = after(vec![moving, wait_for_alarm(&alarms, 5)], &over);
        keep_until(&alarms, over);
        end.join();
        assert!(rung.with(|rung| *rung) <= 1);
    });
}
