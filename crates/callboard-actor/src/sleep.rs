//! Waiting for a moment of the system's clock, on any executor: [`Sleep`].

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Task, Poll};
use std::time::Duration;

use crate::alarm::{Alarm, AlarmKey};
use crate::clock::{Nanos, nanos};
use crate::system::{System, SystemCore};

/// Ends when its time is over, or when the system is: nobody keeps time then. Made by [`System::sleep`].
///
/// # Cancel safety
///
/// Can be dropped at any time.
#[must_use = "it waits when it is awaited"]
pub struct Sleep {
    system: Arc<SystemCore>,
    due: Nanos,
    alarm: Option<AlarmKey>,
}

impl System {
    /// Waits so long by the clock of the system, which is virtual in a test system. It needs no runtime around it, as a bare
    /// thread that waits for an ask has none.
    pub fn sleep(&self, time: Duration) -> Sleep {
        let system = Arc::clone(self.core());
        let due = system.clock.now().saturating_add(nanos(time));
        Sleep { system, due, alarm: None }
    }
}

impl Sleep {
    fn is_over(&self) -> bool {
        self.system.clock.now() >= self.due || self.system.root().is_none()
    }

    fn clear(&mut self) {
        if let Some(alarm) = self.alarm.take() {
            self.system.alarms.clear(alarm);
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<()> {
        let is_set = self.alarm.is_some_and(|alarm| self.system.alarms.retarget(alarm, task.waker()));
        if !is_set {
            self.alarm = Some(self.system.alarms.set(self.due, Alarm::Sleeper(task.waker().clone())));
        }
        // Looked at last: whoever ends the system, or lets the alarm go off, either sees the alarm or is seen here.
        if self.is_over() {
            self.clear();
            return Poll::Ready(());
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.clear();
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep").field("due", &Duration::from_nanos(self.due)).finish_non_exhaustive()
    }
}
