//! The mailbox: lanes with bounds that any thread pushes into and one driver takes from. Safe code.
//!
//! It has two halves. The [*shared*](Shared) half is a lock around lanes, for senders on other threads, the first of whom
//! makes it; a bitmap of its non-empty lanes can be read without the lock. The *private* half belongs to the actor's home
//! thread: the driver takes from it, and a sender that runs on the same thread appends to it without lock or atomic
//! read-modify-write. Before it appends it looks at the bitmap, and if the same lane of the shared half has something,
//! that is spliced in first; so each lane has one total order, and a message that was sent later on one thread, in
//! the knowledge of one sent earlier on another, never overtakes it.
//!
//! Bounds count both halves. Among senders on other threads, and among senders on the home thread, a bound is exact; a
//! race between the two can exceed it by the few messages pushed in that very moment. A mailbox with a small bound
//! or one that sheds its oldest message has no private half: it takes every message under the lock and is exact always.
//!
//! What one core writes and another one reads costs both far more than a message does. So a sender on another thread
//! writes only under the lock, into memory of its own, and outside of it only when something changes that the driver has to
//! know; the driver counts what it takes over; and what senders read lies apart from what it writes, see [`Mailbox`]. How much room
//! there is a sender looks up once, and then counts down, until the driver takes over what has come: meanwhile nobody else adds
//! to the lane, as a sender on the home thread splices first, and what leaves it only makes more room.

mod lanes;
mod queue;
mod room;
mod shared;

use std::cell::{RefCell, RefMut};
use std::task::{Poll, Waker};

use once_cell::race::OnceBox;

pub(crate) use self::lanes::{CONTROL, LANES, Lanes};
// It is named by hidden methods of a public trait.
use self::lanes::NORMAL;
use self::room::Standing;
#[allow(unreachable_pub)]
pub use self::room::Ticket;
use self::shared::{Apart, Shared};
use crate::bound::{Bound, thread_id};
use crate::sync::{AtomicU32, AtomicU64, Mutex, Ordering};

/// Every non-empty lane is served at least once in so many turns of more urgent lanes.
#[cfg(test)]
const GUARD: u32 = 32;
/// Below this bound a mailbox is exact at the price of a lock per message.
const EXACT_BELOW: u32 = 64;
/// A less urgent message in the shared half waits at most so many turns before it is spliced in.
const SPLICE_EVERY: u8 = 8;

/// Places are handed out once so large a part of a lane is free, or so many, and at the end of each of the driver's polls.
const GRANT_SHARE: u32 = 16;
const MOST_GRANTED: u32 = 64;

const LANE_BITS: u32 = (1 << LANES) - 1;
/// Somebody waits for room.
const WAITING: u32 = 1 << 8;
/// The driver has parked: the next push into the shared half wakes it.
const REGISTERED: u32 = 1 << 9;
/// Nothing is taken any more.
const CLOSED: u32 = 1 << 10;
/// The driver should look at its directives.
const DIRECTED: u32 = 1 << 11;

/// What happens to a message that finds no room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Overflow {
    /// `tell` and `ask` wait for room, `try_tell` hands the message back.
    #[default]
    Wait,
    /// Nobody waits: the message is handed back.
    Reject,
    /// The oldest message of the lane makes room and becomes a dead letter.
    DropOldest,
    /// The new message becomes a dead letter.
    DropNewest,
}

/// How much a mailbox holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) per_lane: u32,
    /// Places on top for critical messages only.
    pub(crate) reserve: u32,
    pub(crate) overflow: Overflow,
    /// The most urgent lane that senders may claim.
    pub(crate) ceiling: u8,
}

impl Bounds {
    #[inline]
    fn of(self, lane: usize) -> u64 {
        match lane {
            CONTROL => u64::MAX,
            1 => u64::from(self.per_lane) + u64::from(self.reserve),
            _ => u64::from(self.per_lane),
        }
    }

    /// How many places are handed out at once: few enough that a lane is never near empty before its senders go on.
    fn batch(self) -> u32 {
        (self.per_lane / GRANT_SHARE).min(MOST_GRANTED)
    }

    fn is_exact(self) -> bool {
        self.per_lane < EXACT_BELOW || self.overflow == Overflow::DropOldest
    }
}

/// Why a value was not taken; it is handed back with this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotTaken {
    Full,
    Closed,
}

/// What a successful push did.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Pushed<T> {
    /// It is in the lane.
    Queued,
    /// There was no room: this one was shed for it, or it was shed itself.
    Shed(T),
}

/// How many values have come into the private half of a lane. Written by one side each, read by anyone.
#[derive(Debug, Default)]
struct Entered {
    /// Pushed by the home thread.
    local: AtomicU64,
    /// Come out of the shared half; written under the lock.
    spliced: AtomicU64,
}

impl Entered {
    fn total(&self) -> u64 {
        self.local.load(Ordering::Relaxed) + self.spliced.load(Ordering::Relaxed)
    }
}

/// Adds to a counter that only the caller writes at this moment: a plain load and store.
#[inline]
fn add(counter: &AtomicU64, by: u64) {
    counter.store(counter.load(Ordering::Relaxed) + by, Ordering::Relaxed);
}

/// The mailbox of one actor. See the head of this module.
///
/// The order of the fields is that in memory. What senders on other threads read comes first, what the driver writes
/// last, and what neither touches while all goes well between the two: 48 bytes, which have a border between two
/// cache lines in them wherever they begin, as memory is handed out at multiples of 16.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Mailbox<T> {
    /// The number of the home thread, beside what other threads read anyway; 0 before there is one.
    resident: AtomicU64,
    shared: OnceBox<Apart<T>>,
    bounds: Bounds,
    /// The driver's waker: for the next push from another thread once it has parked, and always for directives, which it has
    /// to notice even while a handler is waiting. The shared half is made, and the mailbox closed, under this lock.
    driver: Mutex<Option<Waker>>,
    /// The counts of the other lanes are allocated when first used.
    rare: OnceBox<RareCounts>,
    _apart: [u8; 8],
    private: Bound<RefCell<Private<T>>>,
    /// Taken out of the normal lane by the driver, or shed; written by the driver, or under the lock when the mailbox is exact.
    taken: AtomicU64,
    /// What has come into the normal lane.
    entered: Entered,
    /// What [`Shared::flags`] says, for those who do not hold the lock.
    bits: AtomicU32,
    /// What does not depend on the shared half: [`CLOSED`] and [`DIRECTED`].
    notes: AtomicU32,
}

/// The half that one thread works on without a lock.
#[derive(Debug)]
pub(crate) struct Private<T> {
    lanes: Lanes<T>,
    /// The next sender of this thread has to see to it that the driver is polled.
    parked: bool,
    passed: u8,
    /// Values taken since places were last handed out.
    ungranted: u8,
    /// Nothing is pushed here any more: the mailbox is closed, or its driver has moved to another thread.
    shut: bool,
}

impl<T> Default for Private<T> {
    fn default() -> Self {
        Self { lanes: Lanes::default(), parked: false, passed: 0, ungranted: 0, shut: false }
    }
}

/// The counts of the lanes that are not the normal one, and of what happens rarely.
#[derive(Debug, Default)]
struct RareCounts {
    entered: [Entered; LANES],
    /// As that of the normal lane.
    taken: [AtomicU64; LANES],
    /// Values left behind by a driver that was replaced, in any lane; written by its thread alone.
    fenced: [AtomicU64; LANES],
}

impl<T> Mailbox<T> {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self {
            resident: AtomicU64::new(0),
            shared: OnceBox::new(),
            bounds,
            driver: Mutex::new(None),
            rare: OnceBox::new(),
            _apart: [0; 8],
            // In an exact mailbox nobody but the driver uses the private half, which is shut to senders from the start.
            private: Bound::new(RefCell::new(Private { shut: bounds.is_exact(), ..Private::default() })),
            taken: AtomicU64::new(0),
            entered: Entered::default(),
            bits: AtomicU32::new(shared::FLAGS_AT_FIRST),
            notes: AtomicU32::new(0),
        }
    }

    /// Makes the calling thread the home, if there is none yet, and `driver` the task that directives wake.
    pub(crate) fn settle(&self, driver: &Waker) {
        if self.private.claim() {
            self.resident.store(thread_id(), Ordering::Relaxed);
        }
        let before = self.driver.lock().replace(driver.clone());
        drop(before);
    }

    /// The shared half; none where there is none and never will be, as the mailbox has closed.
    #[inline]
    fn shared(&self) -> Option<&Mutex<Shared<T>>> {
        match self.shared.get() {
            Some(shared) => Some(&shared.0),
            None => self.make_shared(),
        }
    }

    #[cold]
    fn make_shared(&self) -> Option<&Mutex<Shared<T>>> {
        let _no_end_meanwhile = self.driver.lock();
        let is_closed = self.notes.load(Ordering::Relaxed) & CLOSED != 0;
        (!is_closed).then(|| &self.shared.get_or_init(Box::default).0)
    }

    /// The private half, on the home thread. Other threads are told by `resident`, so that they do not look at what the driver
    /// writes; a relaxed load suffices, as in [`Bound::get`].
    #[inline]
    pub(crate) fn private(&self) -> Option<&RefCell<Private<T>>> {
        let is_here = self.resident.load(Ordering::Relaxed) == thread_id();
        if is_here { self.private.get() } else { None }
    }

    /// The lane for a sender who claims this one.
    #[inline(always)]
    pub(crate) fn cap(&self, lane: usize) -> usize {
        lane.max(usize::from(self.bounds.ceiling))
    }

    /// Values that were ever put into the lane.
    pub(crate) fn sent(&self, lane: usize) -> u64 {
        let shared = self.shared.get().map(|shared| shared.0.lock());
        self.entered(lane) + shared.map_or(0, |shared| shared.len(lane))
    }

    /// Values in the lane now.
    pub(crate) fn queued(&self, lane: usize) -> u64 {
        let shared = self.shared.get().map(|shared| shared.0.lock());
        self.queued_now(shared.as_deref(), lane)
    }

    fn queued_now(&self, shared: Option<&Shared<T>>, lane: usize) -> u64 {
        // What has left is read first: the other way round, a value that leaves in between would make the difference negative.
        let left = self.left(lane);
        (self.entered(lane) + shared.map_or(0, |shared| shared.len(lane))).saturating_sub(left)
    }

    /// Values that are or were in the private half.
    fn entered(&self, lane: usize) -> u64 {
        if lane == NORMAL { self.entered.total() } else { self.rare.get().map_or(0, |rare| rare.entered[lane].total()) }
    }

    /// Values that were taken out of the lane, or left behind in it.
    fn left(&self, lane: usize) -> u64 {
        let rare = self.rare.get();
        let taken = if lane == NORMAL { Some(&self.taken) } else { rare.map(|rare| &rare.taken[lane]) };
        let fenced = rare.map(|rare| &rare.fenced[lane]);
        [taken, fenced].into_iter().flatten().map(|count| count.load(Ordering::Relaxed)).sum()
    }

    #[inline(always)]
    fn count_entered(&self, lane: usize) -> &Entered {
        if lane == NORMAL { &self.entered } else { &self.rare().entered[lane] }
    }

    #[inline(always)]
    fn count_taken(&self, lane: usize) {
        add(if lane == NORMAL { &self.taken } else { &self.rare().taken[lane] }, 1);
    }

    #[inline(never)]
    fn rare(&self) -> &RareCounts {
        self.rare.get_or_init(Box::default)
    }

    /// A place at the end of a lane of the private half, for a sender on the home thread; none when something stands in
    /// the way of the short path. It is looked for before there is a value, so that the value is made where it is to lie.
    #[inline(always)]
    pub(crate) fn place_here(&self, lane: usize) -> Option<Place<'_, T>> {
        let mine = self.private()?.borrow_mut();
        // With a bit of the shared half set, what stands there comes first. An exact mailbox is shut from the start.
        let is_free = self.bits.load(Ordering::Relaxed) & (WAITING | (1 << lane)) == 0 && !mine.shut;
        if is_free && lane != CONTROL && mine.lanes.len(lane) < self.bounds.of(lane) {
            return Some(Place { mailbox: self, mine, lane });
        }
        None
    }

    /// Appends a value to a lane at once. A driver of this thread that has parked is polled thanks to `rouse`.
    ///
    /// # Errors
    ///
    /// The value, when the lane is full or the mailbox closed.
    pub(crate) fn push(&self, lane: usize, value: T, rouse: impl FnOnce()) -> Result<Pushed<T>, (NotTaken, T)> {
        match self.place_here(lane) {
            Some(place) => {
                place.fill(value, rouse);
                Ok(Pushed::Queued)
            }
            None => self.push_otherwise(lane, value, rouse),
        }
    }

    /// The same for a sender that has found no place: behind what the shared half has of this lane, or into the shared half.
    #[inline]
    pub(crate) fn push_otherwise(
        &self,
        lane: usize,
        value: T,
        rouse: impl FnOnce(),
    ) -> Result<Pushed<T>, (NotTaken, T)> {
        if let Some(private) = self.private() {
            self.splice_lane(private, lane);
            if let Some(place) = self.place_here(lane) {
                place.fill(value, rouse);
                return Ok(Pushed::Queued);
            }
        }
        self.push_shared(lane, value)
    }

    /// Appends a value to a lane, or joins the senders that wait for room in it. `value` is taken when it was appended.
    pub(crate) fn poll_push(
        &self,
        lane: usize,
        value: &mut Option<T>,
        ticket: &mut Option<Ticket>,
        waker: &Waker,
    ) -> Poll<Result<Pushed<T>, NotTaken>> {
        let Some(shared) = self.shared() else { return Poll::Ready(Err(NotTaken::Closed)) };
        let mut shared = shared.lock();
        if shared.is_closed() {
            return Poll::Ready(Err(NotTaken::Closed));
        }
        let (has_place, stale) = match *ticket {
            Some(mine) => {
                let (standing, stale) = shared.room().standing(mine, waker);
                (standing == Standing::Granted, stale)
            }
            None => (self.has_place(&mut shared, lane), None),
        };
        if !has_place {
            let room = shared.room();
            ticket.get_or_insert_with(|| room.join(lane, waker));
            self.raise(&mut shared, WAITING);
            drop(shared);
            drop(stale);
            // The driver may have made room without seeing the flag, and be about to park: it is woken to look.
            self.wake_driver();
            return Poll::Pending;
        }
        let used = ticket.take().map(|used| shared.room().leave(used));
        let is_awaited = value.take().is_some_and(|value| self.append_shared(&mut shared, lane, value));
        self.lower_waiting(&mut shared);
        drop(shared);
        drop(used);
        if is_awaited {
            self.wake_driver();
        }
        Poll::Ready(Ok(Pushed::Queued))
    }

    /// A sender gives up waiting; a place that was kept for it goes to the next one.
    pub(crate) fn give_up(&self, ticket: Ticket) {
        let Some(shared) = self.shared() else { return };
        let mut shared = shared.lock();
        let (freed, waker) = shared.room().leave(ticket);
        let next = freed.and_then(|lane| shared.room().grant(lane));
        self.lower_waiting(&mut shared);
        drop(shared);
        drop(waker);
        wake_all(next);
    }

    /// Takes over what stands in a lane of the shared half, so that the private half is all there is of it. Where senders
    /// wait for room, or nothing may be appended here anyway, the shared half goes on taking what comes.
    fn splice_lane(&self, private: &RefCell<Private<T>>, lane: usize) {
        let bits = self.bits.load(Ordering::Relaxed);
        if bits & (1 << lane) == 0 || bits & WAITING != 0 || lane == CONTROL || private.borrow().shut {
            return;
        }
        if let Some(shared) = self.shared.get() {
            self.take_over(&mut private.borrow_mut().lanes, &mut shared.0.lock(), 1 << lane);
        }
    }

    /// Moves these lanes of the shared half behind what is in `lanes`.
    fn take_over(&self, lanes: &mut Lanes<T>, shared: &mut Shared<T>, wanted: u8) {
        for lane in lanes::bits(shared.lanes.filled() & wanted) {
            add(&self.count_entered(lane).spliced, shared.len(lane));
            lanes.append_lane(lane, &mut shared.lanes);
        }
        // From now on senders on the home thread add to these lanes as well.
        shared.known_free = 0;
        self.publish_lanes(shared);
    }

    fn push_shared(&self, lane: usize, value: T) -> Result<Pushed<T>, (NotTaken, T)> {
        let Some(shared) = self.shared() else { return Err((NotTaken::Closed, value)) };
        let mut shared = shared.lock();
        if shared.is_closed() {
            return Err((NotTaken::Closed, value));
        }
        let mut shed = None;
        if !self.has_place(&mut shared, lane) {
            match self.bounds.overflow {
                Overflow::Wait | Overflow::Reject => return Err((NotTaken::Full, value)),
                Overflow::DropNewest => return Ok(Pushed::Shed(value)),
                Overflow::DropOldest => shed = self.shed_oldest(&mut shared, lane),
            }
        }
        let is_awaited = self.append_shared(&mut shared, lane, value);
        drop(shared);
        if is_awaited {
            self.wake_driver();
        }
        Ok(shed.map_or(Pushed::Queued, Pushed::Shed))
    }

    /// Whether there is a place for a newcomer.
    fn has_place(&self, shared: &mut Shared<T>, lane: usize) -> bool {
        let is_known = lane == NORMAL && shared.known_free > 0 && shared.flags & WAITING == 0;
        is_known || self.has_place_now(shared, lane)
    }

    /// The same by what has left the lane by now.
    #[inline(never)]
    fn has_place_now(&self, shared: &mut Shared<T>, lane: usize) -> bool {
        let free = self.free(shared, lane);
        if lane == NORMAL {
            shared.known_free = u32::try_from(free).unwrap_or(u32::MAX);
        }
        free > 0 && !shared.has_queue(lane)
    }

    /// Places of a lane that are neither taken nor kept for somebody who waits.
    fn free(&self, shared: &Shared<T>, lane: usize) -> u64 {
        let kept = shared.room.as_ref().map_or(0, |room| room.granted(lane));
        self.bounds.of(lane).saturating_sub(self.queued_now(Some(shared), lane) + kept as u64)
    }

    fn shed_oldest(&self, shared: &mut Shared<T>, lane: usize) -> Option<T> {
        let oldest = shared.lanes.pop_lane(lane)?;
        add(&self.count_entered(lane).spliced, 1);
        self.count_taken(lane);
        Some(oldest)
    }

    /// Appends a value, and says whether the driver has to be woken for it.
    fn append_shared(&self, shared: &mut Shared<T>, lane: usize, value: T) -> bool {
        shared.lanes.push(lane, value);
        if lane == NORMAL {
            shared.known_free = shared.known_free.saturating_sub(1);
        }
        let flags = shared.flags;
        self.show(shared, (flags | 1 << lane) & !REGISTERED);
        flags & REGISTERED != 0
    }

    /// Takes the next value in lane order, if there is one; `lane` says where it was. Called by the driver only, with
    /// its private half.
    #[inline(always)]
    pub(crate) fn pop(&self, private: &RefCell<Private<T>>, lane: &mut usize) -> Option<T> {
        let bits = self.bits.load(Ordering::Relaxed);
        let mut mine = private.borrow_mut();
        // What the shared half has of the lanes that have something here as well comes after that.
        if bits & LANE_BITS & !u32::from(mine.lanes.filled()) != 0 {
            drop(mine);
            return self.pop_with_shared(private, bits, lane);
        }
        *lane = mine.lanes.next()?;
        self.count_taken(*lane);
        let value = mine.lanes.pop_lane(*lane);
        if bits & WAITING != 0 {
            self.grant_if_due(mine);
        }
        value
    }

    #[inline(never)]
    fn pop_with_shared(&self, private: &RefCell<Private<T>>, bits: u32, lane: &mut usize) -> Option<T> {
        if self.bounds.is_exact() {
            return self.pop_exact(private, lane);
        }
        let mut mine = private.borrow_mut();
        self.splice_if_due(&mut mine, bits & LANE_BITS);
        let value = mine.lanes.pop(lane)?;
        self.count_taken(*lane);
        if bits & WAITING != 0 {
            self.grant_if_due(mine);
        }
        Some(value)
    }

    /// Hands free places out in batches. That delays a sender by at most the turns of one batch, of the many that stand
    /// before its message anyway, as a lane was full when it joined those who wait.
    #[inline(never)]
    fn grant_if_due(&self, mut mine: RefMut<'_, Private<T>>) {
        mine.ungranted += 1;
        if u32::from(mine.ungranted) >= self.bounds.batch() {
            mine.ungranted = 0;
            drop(mine);
            self.grant_places();
        }
    }

    /// The shared half has a lane that the private one has not. It is taken over when that is more urgent, or when the private
    /// half is empty, and often enough that the starvation guard sees what waits there.
    fn splice_if_due(&self, mine: &mut Private<T>, shared_lanes: u32) {
        let filled = u32::from(mine.lanes.filled());
        let more_urgent = shared_lanes.trailing_zeros() < filled.trailing_zeros();
        mine.passed += 1;
        if more_urgent || mine.passed >= SPLICE_EVERY {
            mine.passed = 0;
            let Some(shared) = self.shared.get() else { return };
            self.take_over(&mut mine.lanes, &mut shared.0.lock(), u8::MAX);
        }
    }

    fn pop_exact(&self, private: &RefCell<Private<T>>, lane: &mut usize) -> Option<T> {
        let left = private.borrow_mut().lanes.pop(lane);
        let mut shared = self.shared.get().map(|shared| shared.0.lock());
        let value = left.or_else(|| self.pop_shared(shared.as_mut()?, lane));
        if value.is_some() {
            self.count_taken(*lane);
        }
        drop(shared);
        self.grant_rest();
        value
    }

    fn pop_shared(&self, shared: &mut Shared<T>, lane: &mut usize) -> Option<T> {
        let value = shared.lanes.pop(lane)?;
        add(&self.count_entered(*lane).spliced, 1);
        self.publish_lanes(shared);
        Some(value)
    }

    /// Hands out what places there are, at the end of a poll.
    #[inline]
    pub(crate) fn grant_rest(&self) {
        if self.bits.load(Ordering::Relaxed) & WAITING != 0 {
            self.grant_places();
        }
    }

    /// Hands free places to senders that wait for them, one waker per place.
    #[inline(never)]
    fn grant_places(&self) {
        let Some(shared) = self.shared.get() else { return };
        let mut wake = Vec::new();
        let mut shared = shared.0.lock();
        for lane in shared.room().lanes() {
            while self.free(&shared, lane) > 0 {
                let Some(waker) = shared.room().grant(lane) else { break };
                wake.push(waker);
            }
        }
        self.lower_waiting(&mut shared);
        drop(shared);
        wake_all(wake);
    }

    /// Says that the next push has to wake the driver. False when there is something to do after all.
    ///
    /// Once said, it holds until a push of another thread has done so, so an actor that is only sent to from its own
    /// thread parks without the lock. No wake-up is lost: a push that the relaxed load does not show yet has found
    /// the flag under the lock and wakes the running task, which then is polled again.
    #[inline(always)]
    pub(crate) fn park(&self, private: &RefCell<Private<T>>) -> bool {
        let mut mine = private.borrow_mut();
        let bits = self.bits.load(Ordering::Relaxed);
        if mine.lanes.filled() != 0 || bits & LANE_BITS != 0 || self.is_directed() {
            return false;
        }
        mine.parked = true;
        if bits & (REGISTERED | WAITING) == REGISTERED {
            return true;
        }
        drop(mine);
        self.register(private)
    }

    /// Wakes the driver by its waker. It has to be called without any other lock, as wakers run code of others.
    #[cold]
    pub(crate) fn wake_driver(&self) {
        let driver = self.driver.lock().clone();
        wake_all(driver);
    }

    /// Whether a value may go past the lanes, straight to the driver on its own thread: nothing stands in the shared half, and
    /// what is counted is this thread's alone.
    #[inline]
    pub(crate) fn may_pass(&self) -> bool {
        self.bits.load(Ordering::Relaxed) & (LANE_BITS | WAITING) == 0 && !self.bounds.is_exact()
    }

    /// Counts such a value.
    #[inline]
    pub(crate) fn count_passed(&self, lane: usize) {
        add(&self.count_entered(lane).local, 1);
        self.count_taken(lane);
    }

    /// Takes back what [`park`](Self::park) has said, for a driver that is about to look again anyway: whether it was parked.
    #[inline]
    pub(crate) fn unpark(&self, private: &RefCell<Private<T>>) -> bool {
        std::mem::take(&mut private.borrow_mut().parked)
    }

    #[inline(never)]
    fn register(&self, private: &RefCell<Private<T>>) -> bool {
        self.grant_rest();
        // It is there, or its flags would be those of the start; if it is not to be seen yet, the driver looks again.
        let shared = self.shared.get().map(|shared| shared.0.lock());
        match shared {
            Some(mut shared) if shared.flags & LANE_BITS == 0 && !self.is_directed() => {
                self.raise(&mut shared, REGISTERED);
                true
            }
            shared => {
                drop(shared);
                private.borrow_mut().parked = false;
                false
            }
        }
    }

    /// Tells the driver that a directive waits for it.
    pub(crate) fn direct(&self) {
        self.notes.fetch_or(DIRECTED, Ordering::Release);
        self.wake_driver();
    }

    /// Whether a directive waits.
    #[inline]
    pub(crate) fn is_directed(&self) -> bool {
        self.notes.load(Ordering::Relaxed) & DIRECTED != 0
    }

    /// The driver looks at its directives now.
    pub(crate) fn clear_directed(&self) {
        self.notes.fetch_and(!DIRECTED, Ordering::AcqRel);
    }

    /// Whether anything is queued.
    pub(crate) fn is_empty(&self, private: &RefCell<Private<T>>) -> bool {
        self.bits.load(Ordering::Relaxed) & LANE_BITS == 0 && private.borrow().lanes.filled() == 0
    }

    /// Closes the mailbox: every later push and every waiting sender gets its value back. Returns what was queued.
    pub(crate) fn close(&self, private: &RefCell<Private<T>>) -> Lanes<T> {
        let mut left = self.shut(private);
        let settled = self.driver.lock();
        self.notes.fetch_or(CLOSED, Ordering::Relaxed);
        drop(settled);
        let Some(shared) = self.shared.get() else { return left };
        let mut shared = shared.0.lock();
        self.raise(&mut shared, CLOSED);
        self.take_over(&mut left, &mut shared, u8::MAX);
        let waiting = shared.room.as_mut().map(|room| room.close());
        drop(shared);
        wake_all(waiting.into_iter().flatten());
        left
    }

    /// Nobody drives this mailbox any more: what woke the driver, which may hold this very mailbox, goes.
    pub(crate) fn forget_driver(&self) {
        let driver = self.driver.lock().take();
        drop(driver);
    }

    /// Takes the private half out of service: this thread's driver has been replaced by one elsewhere.
    pub(crate) fn shut(&self, private: &RefCell<Private<T>>) -> Lanes<T> {
        let mut mine = private.borrow_mut();
        mine.shut = true;
        mine.parked = false;
        std::mem::take(&mut mine.lanes)
    }

    /// Counts a value taken out of the lanes that [`close`](Self::close) or [`shut`](Self::shut) returned.
    pub(crate) fn count_left(&self, lane: usize) {
        self.rare().fenced[lane].fetch_add(1, Ordering::Relaxed);
    }

    fn publish_lanes(&self, shared: &mut Shared<T>) {
        let flags = shared.flags & !LANE_BITS | u32::from(shared.lanes.filled());
        self.show(shared, flags);
    }

    fn raise(&self, shared: &mut Shared<T>, flag: u32) {
        let flags = shared.flags | flag;
        self.show(shared, flags);
    }

    fn lower_waiting(&self, shared: &mut Shared<T>) {
        if shared.room.as_ref().is_none_or(|room| room.is_empty()) {
            let flags = shared.flags & !WAITING;
            self.show(shared, flags);
        }
    }

    /// What is shown is written only when it changes, as the driver reads it before each turn.
    fn show(&self, shared: &mut Shared<T>, flags: u32) {
        if shared.flags != flags {
            shared.flags = flags;
            self.bits.store(flags, Ordering::Relaxed);
        }
    }
}

/// A place in the private half, see [`Mailbox::place_here`].
pub(crate) struct Place<'a, T> {
    mailbox: &'a Mailbox<T>,
    mine: RefMut<'a, Private<T>>,
    lane: usize,
}

impl<T> Place<'_, T> {
    /// Appends the value. When the driver has parked, `rouse` has to see to it that it is polled.
    #[inline(always)]
    pub(crate) fn fill(self, value: T, rouse: impl FnOnce()) {
        let Self { mailbox, mut mine, lane } = self;
        mine.lanes.push(lane, value);
        add(&mailbox.count_entered(lane).local, 1);
        if std::mem::take(&mut mine.parked) {
            drop(mine);
            rouse();
        }
    }
}

/// Wakes outside of every lock: a waker may run code that comes back here.
fn wake_all(wakers: impl IntoIterator<Item = Waker>) {
    for waker in wakers {
        waker.wake();
    }
}

#[cfg(test)]
mod tests;
