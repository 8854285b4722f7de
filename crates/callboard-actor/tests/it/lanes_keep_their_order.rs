//! Promise 2: FIFO for one sender, one receiver and one effective priority. Promise 3: priority is stable inside a lane,
//! never pre-empts a running turn, is noticed in the middle of a batch, and starves no lane: each non-empty one is served
//! at least once in 32 turns of more urgent ones.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use callboard_actor::testing::TestSystem;
use callboard_actor::{
    Actor, ActorRef, Child, Context, Drain, Fault, Handler, Message, Priority, SyncHandler, System, block_on, child,
};
use proptest::prelude::*;
use tokio::sync::Notify;

use crate::common::{Hold, Log, draw, hold};

/// A lane that has something is served at least once in so many turns of more urgent lanes.
const GUARD: usize = 32;
/// And not before it was passed over for a good part of that: urgency is the rule.
const PATIENCE: usize = GUARD / 2;

/// One message: who sent it, the how many-th of that sender, and what it was sent with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    sender: usize,
    number: u64,
}

impl Message for Mark {
    type Reply = Priority;
}

/// Writes down what it is sent and with which priority.
struct Reader(Log<(Mark, Priority)>);

impl Actor for Reader {}

impl SyncHandler<Mark> for Reader {
    fn handle(&mut self, mark: Mark, cx: &mut Context<Self>) -> Result<Priority, Fault> {
        self.0.write((mark, cx.priority()));
        Ok(cx.priority())
    }
}

impl Handler<Hold> for Reader {
    async fn handle(&mut self, hold: Hold, _: &mut Context<Self>) -> Result<(), Fault> {
        hold.run().await;
        Ok(())
    }
}

fn reader(log: &Log<(Mark, Priority)>) -> Child<Reader> {
    let log = log.clone();
    child("reader", move || Reader(log.clone()))
}

/// The priority of the `number`-th message of a sender: the same in every run.
fn priority_of(sender: usize, number: u64) -> Priority {
    Priority::ALL[(draw(sender as u64, number) % 5) as usize]
}

/// Sends marks from within an actor.
struct Writer {
    to: ActorRef<Reader>,
    sender: usize,
}

impl Actor for Writer {}

/// Sends so many marks.
#[derive(Message)]
struct Write(u64);

impl Handler<Write> for Writer {
    async fn handle(&mut self, write: Write, _: &mut Context<Self>) -> Result<(), Fault> {
        for number in 0..write.0 {
            let mark = Mark { sender: self.sender, number };
            self.to.tell(mark).priority(priority_of(self.sender, number)).await?;
        }
        Ok(())
    }
}

/// For each sender and effective priority, the numbers in the order in which they were handled.
fn by_sender_and_priority(handled: &[(Mark, Priority)]) -> BTreeMap<(usize, Priority), Vec<u64>> {
    let mut streams: BTreeMap<_, Vec<u64>> = BTreeMap::new();
    for (mark, priority) in handled {
        streams.entry((mark.sender, *priority)).or_default().push(mark.number);
    }
    streams
}

/// Threads, actors on other arbiters, and one on the very same, all at once, with every size of mailbox.
#[test]
fn each_sender_stays_in_order_within_each_effective_priority() {
    const SENDERS: usize = 8;
    const EACH: u64 = 1500;
    for (bound, ceiling) in [(4, Priority::Critical), (100, Priority::High), (100_000, Priority::Normal)] {
        block_on(async {
            let system = System::builder().workers(2).start().await.unwrap();
            let log = Log::default();
            let reader = system.spawn(reader(&log).pinned(0).bound(bound).ceiling(ceiling));
            // Started, it can be drained.
            reader.ask(Mark { sender: SENDERS, number: 0 }).await.unwrap();
            let writers: Vec<_> = (0..4)
                .map(|sender| {
                    let to = reader.clone();
                    system.spawn(child("writer", move || Writer { to: to.clone(), sender }).pinned(sender % 2))
                })
                .collect();
            std::thread::scope(|scope| {
                for sender in 4..SENDERS {
                    let reader = &reader;
                    scope.spawn(move || {
                        for number in 0..EACH {
                            let tell = reader.tell(Mark { sender, number }).priority(priority_of(sender, number));
                            block_on(tell.into_future()).unwrap();
                        }
                    });
                }
                for writer in &writers {
                    block_on(writer.ask(Write(EACH)).timeout(Duration::from_secs(600)).into_future()).unwrap();
                }
            });
            reader.drain();
            reader.ended().await;
            let streams = by_sender_and_priority(&log.read());
            for sender in 0..SENDERS {
                for priority in Priority::ALL {
                    let sent = (0..EACH).filter(|&number| priority_of(sender, number).max(ceiling) == priority);
                    let handled = streams.get(&(sender, priority)).cloned().unwrap_or_default();
                    assert_eq!(handled, sent.collect::<Vec<_>>(), "sender {sender}, {priority}, {bound} places");
                }
            }
            system.shutdown(Drain::default()).await;
        });
    }
}

/// The rule in its plainest form. Which of several neglected lanes is due first is left open.
#[derive(Default)]
struct Model {
    lanes: [VecDeque<Mark>; 5],
    passed: [usize; 5],
}

impl Model {
    fn send(&mut self, priority: Priority, mark: Mark) {
        self.lanes[index(priority)].push_back(mark);
    }

    /// Checks one turn against the rule.
    fn serve(&mut self, priority: Priority, mark: Mark) -> Result<(), String> {
        let served = index(priority);
        if self.lanes[served].pop_front() != Some(mark) {
            return Err(format!("{mark:?} was not the oldest of {priority}"));
        }
        let urgent = (0..served).any(|lane| !self.lanes[lane].is_empty());
        if urgent && self.passed[served] < PATIENCE {
            return Err(format!("{mark:?} of {priority} came before its time: passed {} times", self.passed[served]));
        }
        self.passed[served] = 0;
        for lane in served + 1..5 {
            self.passed[lane] = if self.lanes[lane].is_empty() { 0 } else { self.passed[lane] + 1 };
            if self.passed[lane] > GUARD {
                return Err(format!("{} starves: passed {} times", Priority::ALL[lane], self.passed[lane]));
            }
        }
        Ok(())
    }
}

fn index(priority: Priority) -> usize {
    Priority::ALL.iter().position(|&one| one == priority).expect("it is one of them")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    /// A backlog of any make, in a mailbox of any kind, comes out as the rule says. F-BUS-10.
    #[test]
    fn a_backlog_is_served_as_the_model_says(
        lanes in prop::collection::vec(0usize..5, 1..600),
        exact in any::<bool>(),
        far in any::<bool>(),
    ) {
        let handled = block_on(serve_backlog(&lanes, if exact { 63 } else { 1024 }, far));
        let (mut model, mut number) = (Model::default(), 0);
        for (mark, priority) in &handled {
            if number == 0 { for mark in marks(&lanes, &handled) { model.send(mark.1, mark.0); number += 1; } }
            prop_assert_eq!(model.serve(*priority, *mark), Ok(()));
        }
        prop_assert!(model.lanes.iter().all(VecDeque::is_empty));
    }
}

/// What was taken of a backlog: a lane without room left some out.
fn marks(lanes: &[usize], handled: &[(Mark, Priority)]) -> Vec<(Mark, Priority)> {
    let sent = lanes.iter().zip(0u64..).map(|(&lane, number)| (Mark { sender: 0, number }, Priority::ALL[lane]));
    let taken: std::collections::HashSet<u64> = handled.iter().map(|(mark, _)| mark.number).collect();
    sent.filter(|(mark, _)| taken.contains(&mark.number)).collect()
}

/// Sends a backlog to an actor in the middle of a turn, from its own thread or from another one.
async fn serve_backlog(lanes: &[usize], bound: u32, far: bool) -> Vec<(Mark, Priority)> {
    let system = System::builder().workers(1).start().await.expect("threads can be started");
    let (log, (hold, mut held)) = (Log::default(), hold());
    let reader = system.spawn(reader(&log).bound(bound));
    reader.tell(hold).await.expect("there is room");
    held.began().await;
    let (to, lanes) = (reader.clone(), lanes.to_vec());
    let send = move || {
        for (lane, number) in lanes.iter().zip(0..) {
            let tell = to.tell(Mark { sender: 0, number }).priority(Priority::ALL[*lane]);
            // One poll: a lane that is full does not take this one.
            let _ = futures::FutureExt::now_or_never(tell.into_future());
        }
    };
    if far {
        send()
    } else {
        system.run_on(0, move || async move { send() }).await
    }
    held.let_go();
    reader.drain();
    reader.ended().await;
    system.shutdown(Drain::default()).await;
    log.read()
}

/// Has a helper send an urgent mark while it is in its turn, at the given turns.
struct Batch {
    log: Log<(Mark, Priority)>,
    helper: Sender<Sender<()>>,
    from_itself: bool,
}

impl Actor for Batch {}

impl SyncHandler<Mark> for Batch {
    fn handle(&mut self, mark: Mark, cx: &mut Context<Self>) -> Result<Priority, Fault> {
        self.log.write((mark, cx.priority()));
        if mark.sender == 0 && mark.number.is_multiple_of(100) {
            if self.from_itself {
                let urgent = cx.me();
                let tell = urgent.tell(Mark { sender: 1, number: mark.number }).priority(Priority::Critical);
                futures::FutureExt::now_or_never(tell.into_future());
            } else {
                let (done, sent) = channel();
                self.helper.send(done).map_err(Fault::permanent)?;
                sent.recv()?;
            }
        }
        Ok(cx.priority())
    }
}

/// The next turn is the urgent one's, not one of the hundreds that wait.
#[test]
fn an_urgent_message_is_noticed_in_the_middle_of_a_batch() {
    for (bound, from_itself) in [(100_000, false), (100_000, true), (50, false), (50, true)] {
        block_on(async {
            let system = System::builder().workers(1).start().await.unwrap();
            let (log, (helper, orders)) = (Log::default(), channel::<Sender<()>>());
            let entries = log.clone();
            let make = move || Batch { log: entries.clone(), helper: helper.clone(), from_itself };
            let batch = system.spawn(child("batch", make).bound(bound));
            let urgent = batch.clone();
            let sender = std::thread::spawn(move || {
                for (done, number) in orders.into_iter().zip((0..).step_by(100)) {
                    let tell = urgent.tell(Mark { sender: 1, number }).priority(Priority::Critical);
                    block_on(tell.into_future()).unwrap();
                    done.send(()).unwrap();
                    if number == 900 {
                        return;
                    }
                }
            });
            for number in 0..999 {
                batch.tell(Mark { sender: 0, number }).await.unwrap();
            }
            batch.ask(Mark { sender: 0, number: 999 }).await.unwrap();
            if !from_itself {
                sender.join().unwrap();
            }
            let handled: Vec<_> = log.read().into_iter().map(|(mark, _)| (mark.sender, mark.number)).collect();
            let expected: Vec<_> = (0..1000u64)
                .flat_map(|number| {
                    let urgent = number.is_multiple_of(100).then_some((1, number));
                    std::iter::once((0, number)).chain(urgent)
                })
                .collect();
            assert_eq!(handled, expected, "{bound} places, from itself: {from_itself}");
            system.shutdown(Drain::default()).await;
        });
    }
}

#[test]
fn an_urgent_message_never_cuts_into_a_running_turn() {
    TestSystem::run(async |t| {
        let log = Log::default();
        let (reader, (hold, mut held)) = (t.spawn(reader(&log)), hold());
        reader.tell(hold).priority(Priority::Background).await.unwrap();
        held.began().await;
        reader.tell(Mark { sender: 0, number: 0 }).priority(Priority::Critical).await.unwrap();
        t.advance(Duration::from_secs(60)).await;
        assert_eq!(log.read(), []);
        held.let_go();
        t.settle().await;
        assert_eq!(log.read().len(), 1);
        t.shutdown().await;
    });
}

/// Sends itself the next message in each turn, and says when that is over. The first turn waits until it is let go.
struct Busy {
    log: Log<Priority>,
    go: Arc<Notify>,
    over: Arc<Notify>,
}

impl Actor for Busy {}

/// How many messages a flood has.
const FLOOD: u64 = 400;

/// Runs so many times, with one priority; 0 is a message that is not part of the flood.
#[derive(Message)]
struct Again(u64);

impl Handler<Again> for Busy {
    async fn handle(&mut self, again: Again, cx: &mut Context<Self>) -> Result<(), Fault> {
        self.log.write(cx.priority());
        if again.0 == FLOOD {
            self.go.notified().await;
        }
        match again.0 {
            0 => {}
            1 => self.over.notify_one(),
            _ => cx.me().tell(Again(again.0 - 1)).priority(cx.priority()).await?,
        }
        Ok(())
    }
}

#[test]
fn an_endless_stream_of_urgent_messages_starves_no_lane() {
    for (flood, far, bound) in [Priority::Critical, Priority::High]
        .into_iter()
        .flat_map(|flood| [(flood, false, 1000), (flood, true, 1000), (flood, false, 60), (flood, true, 60)])
    {
        block_on(async {
            let system = System::builder().workers(1).start().await.unwrap();
            let log = Log::default();
            let (entries, go, flood_ends) = (log.clone(), Arc::new(Notify::new()), Arc::new(Notify::new()));
            let told = (Arc::clone(&go), Arc::clone(&flood_ends));
            let new = move || Busy { log: entries.clone(), go: Arc::clone(&told.0), over: Arc::clone(&told.1) };
            let busy = system.spawn(child("busy", new).bound(bound));
            let quiet: Vec<_> = Priority::ALL.into_iter().filter(|&priority| priority > flood).collect();
            let (send, lanes) = (busy.clone(), quiet.clone());
            let all = move || async move {
                send.tell(Again(FLOOD)).priority(flood).await.expect("there is room");
                for lane in lanes {
                    for _ in 0..4 {
                        send.tell(Again(0)).priority(lane).await.expect("there is room");
                    }
                }
            };
            if far {
                all().await
            } else {
                system.run_on(0, all).await
            }
            // All is queued, however long this thread was kept from sending it.
            go.notify_one();
            flood_ends.notified().await;
            busy.drain();
            busy.ended().await;
            let served = log.read();
            assert_eq!(served.iter().filter(|&&priority| priority == flood).count() as u64, FLOOD);
            for lane in quiet {
                let turns: Vec<usize> =
                    served.iter().enumerate().filter(|(_, one)| **one == lane).map(|(at, _)| at).collect();
                assert_eq!(turns.len(), 4);
                let mut from = 0;
                for at in turns {
                    let urgent = served[from..at].iter().filter(|&&one| one < lane).count();
                    assert!(urgent <= GUARD, "{lane} waited for {urgent} turns: {served:?}");
                    from = at;
                }
            }
            system.shutdown(Drain::default()).await;
        });
    }
}

#[test]
fn a_call_can_claim_another_priority_and_the_receiver_has_the_last_word() {
    TestSystem::run(async |t| {
        for ceiling in Priority::ALL {
            let reader = t.spawn(reader(&Log::default()).ceiling(ceiling));
            for claimed in Priority::ALL {
                let seen = reader.ask(Mark { sender: 0, number: 0 }).priority(claimed).await.unwrap();
                assert_eq!(seen, claimed.max(ceiling), "claimed {claimed}, at most {ceiling}");
            }
            assert_eq!(reader.ask(Mark { sender: 0, number: 0 }).await.unwrap(), Priority::Normal.max(ceiling));
        }
        t.shutdown().await;
    });
}

#[test]
fn inspection_shows_the_lanes_that_were_used() {
    TestSystem::run(async |t| {
        let (reader, (hold, mut held)) = (t.spawn(reader(&Log::default()).ceiling(Priority::High)), hold());
        reader.tell(hold).priority(Priority::High).await.unwrap();
        held.began().await;
        for (priority, count) in [(Priority::Critical, 2), (Priority::Low, 3)] {
            for number in 0..count {
                reader.tell(Mark { sender: 0, number }).priority(priority).await.unwrap();
            }
        }
        let lanes = t.inspect().actor("reader").unwrap().lanes.clone();
        let lanes: Vec<_> = lanes.iter().map(|lane| (lane.priority, lane.sent, lane.queued)).collect();
        assert_eq!(lanes, [(Priority::High, 3, 2), (Priority::Low, 3, 3)]);
        held.let_go();
        t.shutdown().await;
    });
}
