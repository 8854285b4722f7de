//! Who has to be woken when: the deadlines of asks and the time limits of turns, for all threads of a system.
//!
//! Asks come and go by the million, and nearly all of them are answered long before their deadline. So an entry is put
//! into a slab and taken out again without any order, at the price of one uncontended lock each, and the keeper task
//! looks through the slabs only when the earliest deadline that it knows of has come.

use std::sync::Weak;
use std::task::Waker;

use tokio::sync::Notify;

use crate::bound::thread_id;
use crate::cell::{ActorId, Node};
use crate::clock::{Clock, Nanos};
use crate::fault::guard;
use crate::sync::{AtomicU64, Mutex, Ordering};

const SHARDS: usize = 8;

/// The alarms of one system.
#[derive(Debug)]
pub(crate) struct Alarms {
    shards: [Mutex<Shard>; SHARDS],
    /// No alarm is due before this moment.
    earliest: AtomicU64,
    earlier: Notify,
}

/// What happens when an alarm goes off.
#[derive(Debug)]
pub(crate) enum Alarm {
    /// The asker of a message to `target` is polled again.
    Asker { target: ActorId, waker: Waker },
    /// Somebody who only waits is polled again.
    Sleeper(Waker),
    /// The turn with this number has not given its thread back.
    Turn { node: Weak<dyn Node>, turn: u64 },
}

/// Where an alarm stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AlarmKey {
    shard: u32,
    slot: u32,
    serial: u64,
}

#[derive(Debug)]
struct Shard {
    slots: Vec<Slot>,
    free: Vec<u32>,
    serial: u64,
}

#[derive(Debug)]
struct Slot {
    serial: u64,
    due: Nanos,
    alarm: Option<Alarm>,
}

impl Alarms {
    pub(crate) fn new() -> Self {
        let shard = |_| Mutex::new(Shard { slots: Vec::new(), free: Vec::new(), serial: 0 });
        Self { shards: std::array::from_fn(shard), earliest: AtomicU64::new(Nanos::MAX), earlier: Notify::new() }
    }

    /// Sets an alarm.
    pub(crate) fn set(&self, due: Nanos, alarm: Alarm) -> AlarmKey {
        let shard = (thread_id() as usize) % SHARDS;
        let (slot, serial) = self.shards[shard].lock().insert(due, alarm);
        if due < self.earliest.load(Ordering::Relaxed) {
            self.hurry(due);
        }
        AlarmKey { shard: shard as u32, slot, serial }
    }

    /// Takes an alarm back; nothing happens when it has gone off.
    pub(crate) fn clear(&self, key: AlarmKey) {
        let gone = self.shards[key.shard as usize].lock().remove(key);
        drop(gone);
    }

    /// Makes an asker's alarm wake another task. False when it has gone off.
    pub(crate) fn retarget(&self, key: AlarmKey, waker: &Waker) -> bool {
        let replaced = self.shards[key.shard as usize].lock().retarget(key, waker);
        // The old waker is the asker's own code too, and is dropped outside of the lock.
        replaced.is_some()
    }

    /// Wakes everyone who waits for an answer of `actor`: its generation was fenced.
    pub(crate) fn wake_askers_of(&self, actor: ActorId) {
        for shard in &self.shards {
            let wakers: Vec<Waker> = shard.lock().askers_of(actor).collect();
            wakers.into_iter().for_each(Waker::wake);
        }
    }

    /// Wakes everyone who only waits: the system is over, and nobody will keep time.
    pub(crate) fn wake_sleepers(&self) {
        for shard in &self.shards {
            let wakers: Vec<Waker> = shard.lock().sleepers().collect();
            wakers.into_iter().for_each(|waker| Alarm::Sleeper(waker).go_off_alone());
        }
    }

    /// Lets alarms go off as their time comes, for as long as it is polled.
    pub(crate) async fn keep(&self, clock: &Clock) {
        let sleep_until = async |moment| {
            clock.sleep_until(moment).await;
            clock.now()
        };
        self.keep_by(sleep_until).await;
    }

    /// The same by any sleep that ends at a moment, or a little later, and says what time it is then.
    pub(crate) async fn keep_by(&self, sleep_until: impl AsyncFn(Nanos) -> Nanos) {
        loop {
            let next = self.earliest.load(Ordering::SeqCst);
            if next == Nanos::MAX {
                self.earlier.notified().await;
                continue;
            }
            tokio::select! {
                biased;
                now = sleep_until(next) => self.fire(now),
                () = self.earlier.notified() => {}
            }
        }
    }

    /// Everything that is due at `now` goes off.
    fn fire(&self, now: Nanos) {
        // An alarm that is set while we look through the shards either is seen in its shard or sees the reset below
        // and sets the moment itself, because both happen around the shard's lock.
        self.earliest.store(Nanos::MAX, Ordering::SeqCst);
        for shard in &self.shards {
            let (due, next) = shard.lock().take_due(now);
            self.earliest.fetch_min(next, Ordering::SeqCst);
            due.into_iter().for_each(Alarm::go_off_alone);
        }
    }

    #[cold]
    fn hurry(&self, due: Nanos) {
        if due < self.earliest.fetch_min(due, Ordering::SeqCst) {
            self.earlier.notify_one();
        }
    }
}

impl Alarm {
    /// A waker is code of whoever waits: a panic in it must not end the keeper, which all others wait for.
    fn go_off_alone(self) {
        if let Err(fault) = guard(|| self.go_off()) {
            tracing::warn!(target: "callboard::alarm", %fault, "a waker panicked");
        }
    }

    fn go_off(self) {
        match self {
            Self::Asker { waker, .. } | Self::Sleeper(waker) => waker.wake(),
            Self::Turn { node, turn } => {
                if let Some(node) = node.upgrade() {
                    node.suspect(turn);
                }
            }
        }
    }
}

impl Shard {
    fn insert(&mut self, due: Nanos, alarm: Alarm) -> (u32, u64) {
        self.serial += 1;
        let slot = Slot { serial: self.serial, due, alarm: Some(alarm) };
        match self.free.pop() {
            Some(index) => {
                self.slots[index as usize] = slot;
                (index, self.serial)
            }
            None => {
                self.slots.push(slot);
                ((self.slots.len() - 1) as u32, self.serial)
            }
        }
    }

    fn remove(&mut self, key: AlarmKey) -> Option<Alarm> {
        let slot = self.slots.get_mut(key.slot as usize).filter(|slot| slot.serial == key.serial)?;
        let alarm = slot.alarm.take()?;
        self.free.push(key.slot);
        Some(alarm)
    }

    /// The waker that was there before, if it was another one.
    fn retarget(&mut self, key: AlarmKey, new: &Waker) -> Option<Option<Waker>> {
        let slot = self.slots.get_mut(key.slot as usize).filter(|slot| slot.serial == key.serial);
        match slot.and_then(|slot| slot.alarm.as_mut()) {
            Some(Alarm::Asker { waker, .. } | Alarm::Sleeper(waker)) => {
                Some((!waker.will_wake(new)).then(|| std::mem::replace(waker, new.clone())))
            }
            _ => None,
        }
    }

    fn askers_of(&self, actor: ActorId) -> impl Iterator<Item = Waker> {
        self.slots.iter().filter_map(move |slot| match &slot.alarm {
            Some(Alarm::Asker { target, waker }) if *target == actor => Some(waker.clone()),
            _ => None,
        })
    }

    fn sleepers(&self) -> impl Iterator<Item = Waker> {
        self.slots.iter().filter_map(|slot| match &slot.alarm {
            Some(Alarm::Sleeper(waker)) => Some(waker.clone()),
            _ => None,
        })
    }

    fn take_due(&mut self, now: Nanos) -> (Vec<Alarm>, Nanos) {
        let (mut due, mut next) = (Vec::new(), Nanos::MAX);
        for (index, slot) in self.slots.iter_mut().enumerate() {
            if slot.alarm.is_some() && slot.due <= now {
                due.extend(slot.alarm.take());
                self.free.push(index as u32);
            } else if slot.alarm.is_some() {
                next = next.min(slot.due);
            }
        }
        (due, next)
    }
}
