//! Promise 17: nothing is silent. Whatever becomes of its actor, each message ends in exactly one of the counts, and runs
//! at most once unless it is kept. The senders, the handlers and the messages themselves keep books here which know
//! nothing of the system's own, and both have to agree. Promise 2 holds throughout.

use std::collections::{BTreeMap, BTreeSet};
use std::future::{Future, IntoFuture};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::task::Poll;
use std::time::Duration;

use callboard_actor::testing::TestSystem;
use callboard_actor::{
    Actor, ActorRef, ActorState, AskError, Backoff, BreakerRules, Child, Context, DeadReason, Defaults, Drain, Fault,
    Handler, Message, MessageCounts, Overflow, Priority, System, SystemBuilder, TellError, block_on, child,
    one_for_all,
};
use futures::poll;
use proptest::prelude::*;

use crate::common::{Log, draw};

const HOUR: Duration = Duration::from_secs(3600);

/// What identifies a message: whose how-many-th, and its lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    sender: u64,
    lane: Priority,
    number: u64,
}

/// What is known of the messages to one actor without asking the system.
#[derive(Debug, Default)]
struct Books {
    sent: AtomicU64,
    handed_back: AtomicU64,
    /// Their first turn began.
    began: AtomicU64,
    /// Dropped without a turn, and without having been handed back.
    unread: AtomicU64,
    /// Their senders may have gone before their turns.
    given_up: AtomicU64,
    /// Their turns came to the end.
    handled: Log<Entry>,
}

fn add(count: &AtomicU64) {
    count.fetch_add(1, Ordering::SeqCst);
}

fn read(count: &AtomicU64) -> u64 {
    count.load(Ordering::SeqCst)
}

impl Books {
    fn handled(&self) -> u64 {
        self.handled.read().len() as u64
    }

    /// Each message has come to an end, none ran to its end twice, and a sender's messages did so in order.
    fn are_in_order(&self) {
        assert_eq!(read(&self.sent), read(&self.handed_back) + read(&self.began) + read(&self.unread), "{self:?}");
        let handled = self.handled.read();
        assert_eq!(handled.iter().collect::<BTreeSet<_>>().len(), handled.len(), "a message was handled twice");
        let mut last = BTreeMap::new();
        for Entry { sender, lane, number } in handled {
            let before = last.insert((sender, lane), number);
            assert!(before < Some(number), "{number} of sender {sender} came after {before:?} in its {lane} lane");
        }
    }
}

/// Notices when the last copy of its message goes unread.
#[derive(Debug)]
struct Seal {
    books: Arc<Books>,
    is_broken: AtomicBool,
}

impl Drop for Seal {
    fn drop(&mut self) {
        if !*self.is_broken.get_mut() {
            add(&self.books.unread);
        }
    }
}

/// What the turn of a message does, after so many pauses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Well,
    Fails,
    Panics,
}

#[derive(Clone, Debug, Message)]
#[message(reply = u64)]
struct Slip {
    entry: Entry,
    pauses: u64,
    ending: Ending,
    /// The attempt from which on it ends well all the same.
    until: u32,
    seal: Arc<Seal>,
}

/// The same, tried again when its turn fails.
#[derive(Clone, Debug, Message)]
#[message(reply = u64, keep)]
struct KeptSlip(Slip);

impl From<KeptSlip> for Slip {
    fn from(kept: KeptSlip) -> Self {
        kept.0
    }
}

impl Slip {
    fn new(books: &Arc<Books>, entry: Entry, pauses: u64, ending: Ending) -> Self {
        add(&books.sent);
        let seal = Seal { books: Arc::clone(books), is_broken: AtomicBool::new(false) };
        Self { entry, pauses, ending, until: u32::MAX, seal: Arc::new(seal) }
    }

    /// Ends well at this attempt.
    fn until(self, attempt: u32) -> Self {
        Self { until: attempt, ..self }
    }

    /// True the first time.
    fn break_seal(&self) -> bool {
        !self.seal.is_broken.swap(true, Ordering::SeqCst)
    }

    fn take_back(&self) {
        assert!(self.break_seal(), "{:?} had begun, or was handed back twice", self.entry);
        add(&self.seal.books.handed_back);
    }
}

struct Worker;

impl Actor for Worker {}

impl Worker {
    async fn work(slip: Slip, attempt: u32) -> Result<u64, Fault> {
        if slip.break_seal() {
            add(&slip.seal.books.began);
        }
        for _ in 0..slip.pauses {
            tokio::task::yield_now().await;
        }
        match slip.ending {
            Ending::Fails if attempt < slip.until => return Err(Fault::retryable("told to fail")),
            Ending::Panics if attempt < slip.until => panic!("told to panic"),
            _ => slip.seal.books.handled.write(slip.entry),
        }
        Ok(slip.entry.number)
    }
}

impl Handler<Slip> for Worker {
    async fn handle(&mut self, slip: Slip, cx: &mut Context<Self>) -> Result<u64, Fault> {
        Self::work(slip, cx.attempt()).await
    }
}

impl Handler<KeptSlip> for Worker {
    async fn handle(&mut self, kept: KeptSlip, cx: &mut Context<Self>) -> Result<u64, Fault> {
        Self::work(kept.0, cx.attempt()).await
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    TryTell,
    Tell,
    /// With a time to live that is over at once.
    Mortal,
    Ask,
    /// An ask that is dropped as soon as its message is on its way.
    GiveUp,
}

/// Sends one message, and breaks its seal when it comes back.
async fn post<M>(actor: &ActorRef<Worker>, message: M, way: Way, lane: Priority)
where
    M: Message<Reply = u64> + Into<Slip>,
    Worker: Handler<M>,
{
    let sent = match way {
        Way::TryTell => actor.try_tell(message).map_err(|error| Some(error.into_message())),
        Way::Tell => actor.tell(message).priority(lane).await.map_err(|error| Some(error.into_message())),
        Way::Mortal => {
            let sent = actor.tell(message).priority(lane).ttl(Duration::from_nanos(1)).await;
            sent.map_err(TellError::into_message).map_err(Some)
        }
        Way::Ask => actor.ask(message).priority(lane).await.map(drop).map_err(|error| {
            assert!(!matches!(error, AskError::Timeout { .. } | AskError::AskCycle { .. }), "{error}");
            error.into_message()
        }),
        Way::GiveUp => match poll!(pin!(actor.ask(message).priority(lane).into_future())) {
            Poll::Ready(Err(error)) => Err(error.into_message()),
            Poll::Ready(Ok(_)) | Poll::Pending => Ok(()),
        },
    };
    if let Err(Some(message)) = sent {
        message.into().take_back();
    }
}

/// An actor with the test's own books of it.
#[derive(Clone)]
struct Desk {
    actor: ActorRef<Worker>,
    books: Arc<Books>,
    /// Senders may wait for room there, and whoever gives up while they do was never counted as a sender.
    waits: bool,
}

impl Desk {
    fn new(actor: ActorRef<Worker>) -> Self {
        Self { actor, books: Arc::default(), waits: true }
    }

    fn never_waits(self) -> Self {
        Self { waits: false, ..self }
    }

    /// What a number says is to be sent is sent, with everything about it drawn.
    async fn send(&self, sender: u64, number: u64, drawn: u64) {
        let pick = |shift: u32, of: u64| (drawn >> shift) % of;
        let way = match pick(0, 8) {
            0..=2 => Way::TryTell,
            3 | 4 => Way::Tell,
            5 if !self.waits => Way::Mortal,
            6 if !self.waits => Way::GiveUp,
            _ => Way::Ask,
        };
        let lane = if way == Way::TryTell { Priority::Normal } else { Priority::ALL[pick(8, 5) as usize] };
        let ending = match pick(16, 20) {
            0 => Ending::Fails,
            1 => Ending::Panics,
            _ => Ending::Well,
        };
        let slip = Slip::new(&self.books, Entry { sender, lane, number }, pick(24, 3), ending);
        self.post(slip.until(2 + pick(28, 3) as u32), way, pick(32, 3) == 0).await;
    }

    async fn post(&self, slip: Slip, way: Way, is_kept: bool) {
        let lane = slip.entry.lane;
        if way == Way::GiveUp {
            add(&self.books.given_up);
        }
        match is_kept {
            true => post(&self.actor, KeptSlip(slip), way, lane).await,
            false => post(&self.actor, slip, way, lane).await,
        }
    }

    fn counts(&self, system: &System) -> MessageCounts {
        system.inspect().actor(&self.actor.name()).expect("it is still there").messages
    }

    /// What the system says of its messages that reached nobody.
    fn dead(&self, system: &System) -> BTreeMap<DeadReason, u64> {
        let mut dead = BTreeMap::new();
        for letter in system.dead_letters().list() {
            if letter.actor_id == self.actor.id() {
                *dead.entry(letter.reason).or_default() += 1;
            }
        }
        dead
    }

    fn quarantined(&self, system: &System) -> u64 {
        let (name, list) = (self.actor.name(), system.quarantine().list());
        list.iter().filter(|record| record.incident.actor() == name).count() as u64
    }

    /// An actor that has ended is not inspected any more: its messages are in the lists that outlive it. Only those that
    /// were abandoned are in none, and there are no more of them than senders that gave up.
    fn adds_up_after_its_end(&self, system: &System) {
        self.books.are_in_order();
        let dead: u64 = self.dead(system).values().sum();
        let known = self.books.handled() + read(&self.books.handed_back) + dead + self.quarantined(system);
        let sent = read(&self.books.sent);
        assert!(
            known <= sent && sent - known <= read(&self.books.given_up),
            "{}: {known} of {sent} are known, {dead} of them dead: {:?}",
            self.actor.name(),
            self.books
        );
    }

    /// Each count of an actor at rest is the one that the test comes to by itself.
    fn agrees_at_rest(&self, system: &System) {
        self.books.are_in_order();
        let (counts, dead) = (self.counts(system), self.dead(system));
        let dead = |reason| dead.get(&reason).copied().unwrap_or(0);
        assert!(counts.adds_up(), "{counts:?}");
        assert_eq!((counts.queued, counts.running, counts.dead), (0, 0, 0), "{counts:?}");
        assert_eq!(counts.sent, read(&self.books.sent), "{counts:?}");
        assert_eq!(counts.handled, self.books.handled(), "{counts:?}");
        assert_eq!(counts.refused, read(&self.books.handed_back), "{counts:?}");
        assert_eq!(counts.quarantined, self.quarantined(system), "{counts:?}");
        assert_eq!((counts.expired, counts.shed), (dead(DeadReason::Expired), dead(DeadReason::Shed)), "{counts:?}");
        // A kept message that has failed may still expire, or be abandoned, before it is tried again.
        let unfinished = read(&self.books.unread) + read(&self.books.began) - self.books.handled();
        let ended = counts.expired + counts.abandoned + counts.shed + counts.quarantined;
        assert!(ended == unfinished && counts.quarantined <= unfinished - read(&self.books.unread), "{counts:?}");
        assert!(counts.abandoned <= read(&self.books.given_up), "{counts:?}");
    }
}

/// A worker that begins anew however often it fails.
fn worker(name: &str) -> Child<Worker> {
    child(name, || Worker).backoff(Backoff::none()).intensity(u32::MAX, HOUR)
}

/// A worker whose breaker opens and is soon closed again.
fn fragile(name: &str) -> Child<Worker> {
    let soon = Duration::from_millis(2);
    worker(name).intensity(2, HOUR).breaker(BreakerRules::default().reset_after(soon).growing(1.0, soon, 0.0))
}

/// A system that forgets nothing.
fn remembering() -> SystemBuilder {
    let mut defaults = Defaults::default();
    (defaults.dead_letters, defaults.quarantine) = (usize::MAX, usize::MAX);
    System::builder().workers(3).defaults(defaults)
}

const SENDERS: u64 = 8;
/// After so many messages a sender tells the one who makes trouble, and waits until that has heard.
const STRIDE: u64 = 100;

/// Senders on plain threads and on runtimes that the system does not know, until each has sent `strides` times.
fn senders<'scope>(
    scope: &'scope std::thread::Scope<'scope, '_>,
    desks: &'scope [Desk],
    seed: u64,
    strides: u64,
) -> Receiver<u64> {
    let (tell, told) = sync_channel(1);
    for sender in 0..SENDERS {
        let tell = tell.clone();
        scope.spawn(move || run_anywhere(sender, send_all(desks, seed, sender, strides, tell)));
    }
    told
}

async fn send_all(desks: &[Desk], seed: u64, sender: u64, strides: u64, tell: SyncSender<u64>) {
    for number in 0..strides * STRIDE {
        let drawn = draw(seed ^ (sender << 32), number);
        desks[(drawn >> 40) as usize % desks.len()].send(sender, number, drawn).await;
        if number % STRIDE == STRIDE - 1 {
            tell.send(drawn).expect("somebody listens");
        }
    }
}

fn run_anywhere(which: u64, work: impl Future<Output = ()>) {
    match which % 3 {
        0 => block_on(work),
        1 => futures::executor::block_on(work),
        _ => tokio::runtime::Builder::new_current_thread().build().expect("a runtime starts").block_on(work),
    }
}

/// Takes the breaker of some actor into its hands.
fn meddle(desks: &[Desk], drawn: u64) {
    let breaker = desks[(drawn >> 50) as usize % desks.len()].actor.breaker();
    match (drawn >> 20) % 6 {
        0 => breaker.force_open(),
        1 => breaker.disable(),
        2 => breaker.metrics_only(),
        3 => breaker.reset(),
        _ => breaker.automatic(),
    }
}

/// While eight threads send, actors fail, wait behind open breakers, restart together, are killed, stopped and drained, and
/// then the system ends in the middle of it.
#[test]
fn chaos_and_a_shutdown_in_the_middle_lose_nothing() {
    const STRIDES: u64 = 12;
    for seed in 0..2 {
        let (system, desks) = block_on(async {
            let system = remembering().seed(seed).start().await.unwrap();
            let twins = one_for_all().name("twins").intensity(u32::MAX, HOUR).backoff(Backoff::none());
            let twins = system.supervise(twins).await.unwrap();
            let actors = [
                system.spawn(worker("killed").bound(32)),
                system.spawn(worker("stopped").bound(100)),
                system.spawn(worker("drained").bound(32)),
                system.spawn(worker("open to the end")),
                system.spawn(fragile("fragile").bound(100)),
                system.spawn(worker("picky").bound(4).overflow(Overflow::Reject)),
                system.spawn(worker("forgetful").bound(4).overflow(Overflow::DropOldest)),
                system.spawn(worker("alone").dedicated().bound(32)),
                twins.spawn(worker("one twin").bound(32)),
                twins.spawn(worker("other twin").bound(100)),
            ];
            (system, actors.map(Desk::new))
        });
        std::thread::scope(|scope| {
            let told = senders(scope, &desks, seed, STRIDES);
            for (nth, drawn) in told.iter().enumerate() {
                match nth as u64 {
                    30 => desks[0].actor.kill(),
                    36 => desks[1].actor.stop(),
                    42 => desks[2].actor.drain(),
                    60 => {
                        scope.spawn(|| block_on(system.shutdown(Drain::default())));
                        // The senders are held up until the end has begun, so that it finds them at work.
                        while desks[3].actor.state() < ActorState::Stopping {
                            std::thread::yield_now();
                        }
                    }
                    _ => meddle(&desks, drawn),
                }
            }
        });
        let report = block_on(system.shutdown(Drain::default()));
        assert!(report.unfinished.is_empty(), "{report:?}");
        desks.iter().for_each(|desk| desk.adds_up_after_its_end(&system));
        let sent: u64 = desks.iter().map(|desk| read(&desk.books.sent)).sum();
        assert_eq!(sent, SENDERS * STRIDES * STRIDE);
        assert_eq!(system.quarantine().total(), system.quarantine().list().len() as u64);
    }
}

/// Nobody ends, so that every count can be read; but messages are shed, expire, and are abandoned by their askers.
#[test]
fn the_senders_come_to_the_same_counts_as_the_actors() {
    let (system, desks) = block_on(async {
        let system = remembering().start().await.unwrap();
        let desks = [
            Desk::new(system.spawn(worker("patient").bound(8))),
            Desk::new(system.spawn(fragile("fragile").bound(70))),
            Desk::new(system.spawn(worker("picky").bound(70).overflow(Overflow::Reject))).never_waits(),
            Desk::new(system.spawn(worker("forgetful").bound(4).overflow(Overflow::DropOldest))).never_waits(),
            Desk::new(system.spawn(worker("deaf").bound(4).overflow(Overflow::DropNewest))).never_waits(),
        ];
        (system, desks)
    });
    std::thread::scope(|scope| senders(scope, &desks, 7, 12).iter().for_each(|drawn| meddle(&desks, drawn)));
    for desk in &desks {
        block_on(rest(&system, desk));
        desk.agrees_at_rest(&system);
    }
    block_on(system.shutdown(Drain::default()));
}

/// Asks until the queue is empty and the last turn over: whoever is answered then is the last.
async fn rest(system: &System, desk: &Desk) {
    desk.actor.breaker().automatic();
    let mut was_empty = false;
    for number in 0.. {
        let entry = Entry { sender: SENDERS, lane: Priority::Background, number };
        let handled = desk.books.handled();
        desk.post(Slip::new(&desk.books, entry, 0, Ending::Well), Way::Ask, false).await;
        if was_empty && desk.books.handled() == handled + 1 {
            return;
        }
        let counts = desk.counts(system);
        was_empty = counts.queued == 0 && counts.running == 0;
        std::thread::yield_now();
    }
}

#[test]
fn ten_thousand_turns_fail_and_each_message_is_accounted_for() {
    TestSystem::run_with(remembering(), async |t| {
        let desk = Desk::new(t.spawn(worker("failing")));
        let mut failed = 0;
        for number in 0.. {
            let drawn = draw(10_000, number);
            let ending = [Ending::Panics, Ending::Panics, Ending::Fails, Ending::Well][(drawn % 4) as usize];
            let way = if drawn & 64 == 0 { Way::Ask } else { Way::Tell };
            let entry = Entry { sender: 0, lane: Priority::Normal, number };
            desk.post(Slip::new(&desk.books, entry, (drawn >> 8) % 2, ending), way, false).await;
            failed += u64::from(ending != Ending::Well);
            if failed == 10_000 {
                break;
            }
        }
        t.settle().await;
        desk.agrees_at_rest(t.system());
        let seen = t.inspect().actor("failing").unwrap().clone();
        assert_eq!((seen.faults, seen.restarts, seen.messages.quarantined), (failed, failed, failed));
        assert_eq!((seen.messages.refused, seen.state), (0, ActorState::Running));
        t.shutdown().await;
    });
}

#[derive(Clone, Debug)]
enum Step {
    /// Something drawn is sent to one of the actors.
    Send(usize, u64),
    Pass(u64),
    Meddle(u64),
    End(usize, u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        30 => (0..5usize, any::<u64>()).prop_map(|(to, drawn)| Step::Send(to, drawn)),
        4 => (0..20u64).prop_map(Step::Pass),
        3 => any::<u64>().prop_map(Step::Meddle),
        1 => (0..5usize, 0..3u8).prop_map(|(to, how)| Step::End(to, how)),
    ]
}

/// A script on virtual time; each message has a sender of its own, which may wait for room or for its answer.
async fn perform(t: &TestSystem, desks: &[Desk], script: Vec<Step>) {
    for (nth, step) in script.into_iter().enumerate() {
        match step {
            Step::Send(to, drawn) => {
                let desk = desks[to].clone();
                tokio::task::spawn_local(async move { desk.send(nth as u64, 0, drawn).await });
                // It is sent now, and what it does is done later.
                tokio::task::yield_now().await;
            }
            Step::Pass(milliseconds) => t.advance(Duration::from_millis(milliseconds)).await,
            Step::Meddle(drawn) => meddle(desks, drawn),
            Step::End(to, 0) => desks[to].actor.kill(),
            Step::End(to, 1) => desks[to].actor.stop(),
            Step::End(to, _) => desks[to].actor.drain(),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_script_adds_up(script in prop::collection::vec(step(), 0..60)) {
        TestSystem::run_with(remembering(), async |t| {
            let twins = one_for_all().intensity(u32::MAX, HOUR).backoff(Backoff::none());
            let twins = t.system().supervise(twins).await.unwrap();
            let desks = [
                Desk::new(t.spawn(fragile("fragile").bound(2))),
                Desk::new(t.spawn(worker("picky").bound(2).overflow(Overflow::Reject))).never_waits(),
                Desk::new(t.spawn(worker("forgetful").bound(2).overflow(Overflow::DropOldest))).never_waits(),
                Desk::new(twins.spawn(worker("one twin").bound(2))),
                Desk::new(twins.spawn(worker("other twin"))),
            ];
            perform(t, &desks, script).await;
            t.advance(Duration::from_secs(10)).await;
            for desk in &desks {
                if desk.actor.state() < ActorState::Stopping {
                    desk.agrees_at_rest(t.system());
                }
            }
            t.shutdown().await;
            desks.iter().for_each(|desk| desk.adds_up_after_its_end(t.system()));
        });
    }
}
