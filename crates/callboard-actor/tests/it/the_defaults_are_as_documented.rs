//! The table of defaults in the documentation, the values behind it, and what an actor does that was given nothing else: all
//! three say the same.

use std::future::IntoFuture;
use std::pin::pin;
use std::time::Duration;

use callboard_actor::testing::TestSystem;
use callboard_actor::{
    Actor, ActorRef, ActorState, AskError, Backoff, Child, Context, DeadReason, Defaults, Drain, Fault, FaultKind,
    Handler, Message, Overflow, Priority, Restart, ShutdownPhase, Stage, Strategy, SyncHandler, TellError, Trip, child,
};
use futures::poll;

use crate::common::{Boom, Desk, Log, Note, busy, desk, hold};

const SECOND: Duration = Duration::from_secs(1);
const SEMANTICS: &str = include_str!("../../../../docs/semantics.md");

/// A lane that is not empty gets one turn in so many of more urgent ones.
const GUARD: usize = 32;
const TURNS_PER_POLL: usize = 64;

/// The first two cells of each row of the table.
fn documented() -> Vec<(String, String)> {
    let (_, section) = SEMANTICS.split_once("\n## Defaults\n").expect("there is a section on defaults");
    let (section, _) = section.split_once("\n## ").expect("there is a section after it");
    let rows = section.lines().filter(|line| line.starts_with('|')).skip(2);
    let cells = rows.map(|row| row.split('|').map(|cell| cell.trim().to_owned()).skip(1));
    cells.map(|mut cells| (cells.next().unwrap_or_default(), cells.next().unwrap_or_default())).collect()
}

/// `1,024` for 1024.
fn thousands(number: u64) -> String {
    if number < 1000 { number.to_string() } else { format!("{},{:03}", number / 1000, number % 1000) }
}

/// A duration in its largest unit.
fn span(duration: Duration) -> String {
    match duration.as_millis() {
        0 => "0".to_owned(),
        ms if ms % 60_000 == 0 && ms > 60_000 => format!("{} min", ms / 60_000),
        ms if ms % 1000 == 0 => format!("{} s", ms / 1000),
        ms => format!("{ms} ms"),
    }
}

/// The word in which a setting is serialised.
fn word(setting: impl serde::Serialize) -> String {
    let value = serde_json::to_value(setting).expect("settings can be serialised");
    value.as_str().expect("it is a word").replace('_', " ")
}

fn backoff_in_words(backoff: Backoff) -> String {
    let delay = |nth| backoff.delay(nth, 1.0);
    let jitter = if (2..9).all(|nth| backoff.delay(nth, 0.0).is_zero()) { "full jitter" } else { "less jitter" };
    let factor = delay(3).div_duration_f64(delay(2));
    let (first, second, cap) = (span(delay(1)), span(delay(2)), span(delay(u32::MAX)));
    format!("{first} for the first in the window, then {second} × {factor} up to {cap}, {jitter}")
}

fn breaker_in_words(defaults: &Defaults) -> String {
    let rules = &defaults.breaker;
    assert_eq!(rules.trips, [Trip::Intensity]);
    format!(
        "opens with the intensity; {} × {} up to {}, {} % jitter; {} permit; closes after {} success; a probe may take {}",
        span(rules.reset),
        rules.factor,
        span(rules.cap),
        rules.jitter * 100.0,
        rules.permits,
        rules.close_after,
        rules.probe_limit.map_or("for ever".to_owned(), span),
    )
}

#[test]
fn the_table_says_what_the_values_are() {
    let (defaults, drain) = (Defaults::default(), Drain::default());
    assert_eq!(defaults.dead_letters, defaults.quarantine, "they share a row");
    let rows = [
        ("lanes", {
            let lanes = Priority::ALL.map(|priority| format!("`{priority:?}`")).join(", ");
            format!("{lanes}, and one of the framework's own")
        }),
        ("bound per lane", {
            let (bound, reserve) = (thousands(defaults.bound.into()), defaults.critical_reserve);
            format!("{bound}; {reserve} more for `Critical` only")
        }),
        ("full lane", {
            let waits = defaults.overflow == Overflow::Wait && defaults.overflow == Overflow::default();
            if waits { "senders wait".to_owned() } else { format!("{:?}", defaults.overflow) }
        }),
        ("starvation guard", format!("a lane that is not empty gets 1 in {GUARD} turns of more urgent ones")),
        ("turns per poll", TURNS_PER_POLL.to_string()),
        ("ask time-out", span(defaults.ask_timeout)),
        ("turn limit; start limit", {
            let turn_limit = defaults.turn_limit.map_or("none".to_owned(), span);
            format!("{turn_limit}; {}", span(defaults.start_limit))
        }),
        ("restart type; strategy", {
            assert_eq!(defaults.restart, Restart::default());
            format!("{}; {}", word(defaults.restart), word(Strategy::default()))
        }),
        ("intensity", {
            let (restarts, within) = (defaults.intensity.restarts, span(defaults.intensity.within));
            format!("more than {restarts} faults in {within} are too many")
        }),
        ("back-off", backoff_in_words(defaults.backoff)),
        ("breaker", breaker_in_words(&defaults)),
        ("attempts of a kept message", defaults.attempts.to_string()),
        ("dead letters; quarantine", format!("the last {} each", thousands(defaults.dead_letters as u64))),
        ("shutdown", {
            let [drain, stop, phase] = [drain.drain, drain.stop, drain.phase].map(span);
            format!("{drain} to drain, {stop} to stop, then kill; {phase} for each other phase")
        }),
    ];
    assert_eq!(documented(), rows.map(|(what, default)| (what.to_owned(), default)));
}

#[derive(Message)]
#[message(priority = Critical)]
struct Urgent;

impl SyncHandler<Urgent> for Desk {
    fn handle(&mut self, _: Urgent, _: &mut Context<Self>) -> Result<(), Fault> {
        Ok(())
    }
}

#[test]
fn a_lane_holds_so_many_and_then_senders_wait() {
    TestSystem::run(async |t| {
        let (desk, held) = busy(t, &Log::default()).await;
        assert_eq!((0..2000).take_while(|&number| desk.try_tell(Note(number)).is_ok()).count(), 1024);
        assert_eq!((0..2000).take_while(|_| desk.try_tell(Urgent).is_ok()).count(), 1024 + 256);
        let mut waits = pin!(desk.tell(Note(0)).into_future());
        assert!(poll!(&mut waits).is_pending());
        for priority in [Priority::High, Priority::Low, Priority::Background] {
            desk.tell(Note(0)).priority(priority).await.expect("each lane has a bound of its own");
        }
        held.let_go();
        waits.await.expect("there is room again");
        t.shutdown().await;
    });
}

#[test]
fn an_ask_waits_for_half_a_minute() {
    TestSystem::run(async |t| {
        let (desk, held) = busy(t, &Log::default()).await;
        let (began, asked) = (t.now(), desk.ask(Note(1)).await);
        assert!(matches!(asked, Err(AskError::Timeout { stage: Stage::Queue })), "{asked:?}");
        assert!((29.99..30.01).contains(&(t.now() - began).as_secs_f64()), "{:?}", t.now() - began);
        held.let_go();
        t.shutdown().await;
    });
}

/// Never comes to the end of its start.
struct Sleeper;

impl Actor for Sleeper {
    async fn started(&mut self, _: &mut Context<Self>) -> Result<(), Fault> {
        std::future::pending().await
    }
}

#[test]
fn a_turn_has_no_limit_and_a_start_has_one() {
    TestSystem::run(async |t| {
        let log = Log::default();
        let (desk, held) = busy(t, &log).await;
        desk.tell(Note(1)).await.unwrap();
        t.advance(24 * 3600 * SECOND).await;
        held.let_go();
        desk.ask(Note(2)).await.unwrap();
        assert_eq!((log.read(), t.inspect().totals.faults), (vec![1, 2], 0));
        t.spawn(child("sleeper", || Sleeper));
        let fault = async || {
            t.settle().await;
            t.inspect().actor("sleeper").unwrap().last_fault.as_ref().map(|fault| fault.kind())
        };
        t.advance(10 * SECOND - Duration::from_millis(5)).await;
        assert_eq!(fault().await, None);
        t.advance(Duration::from_millis(5)).await;
        assert_eq!(fault().await, Some(FaultKind::StartTimeout));
        t.shutdown().await;
    });
}

/// Has a desk fail, and measures how long it takes until it works again.
async fn fail(t: &TestSystem, desk: &ActorRef<Desk>) -> Duration {
    let began = t.now();
    assert!(matches!(desk.ask(Boom).await, Err(AskError::Faulted(_))));
    loop {
        match desk.try_tell(Note(0)) {
            Ok(()) => return t.now() - began,
            Err(TellError::Refused { .. }) if desk.state() == ActorState::BackingOff => {
                t.advance(Duration::from_millis(1)).await;
            }
            Err(_) => return Duration::MAX,
        }
    }
}

async fn retry_after(desk: &ActorRef<Desk>) -> f64 {
    let refused = desk.ask(Note(0)).await.expect_err("its breaker is open");
    refused.retry_after().expect("it knows").as_secs_f64()
}

#[test]
fn the_sixth_fault_in_half_a_minute_opens_the_breaker() {
    TestSystem::run(async |t| {
        let (failing, other) = (t.spawn(desk(&Log::default())), t.spawn(child("other", desk(&Log::default()))));
        other.ask(Note(1)).await.unwrap();
        for (nth, limit) in [0, 100, 200, 400, 800].into_iter().enumerate() {
            let took = fail(t, &failing).await;
            assert!(took <= Duration::from_millis(limit + 2), "restart {} took {took:?}", nth + 1);
        }
        assert_eq!(fail(t, &failing).await, Duration::MAX);
        assert_eq!(failing.state(), ActorState::Failed);
        let first = retry_after(&failing).await;
        assert!((26.9..=30.0).contains(&first), "{first}");

        // One probe at a time, and one that does not end within half a minute has failed.
        t.advance(30 * SECOND).await;
        let (hold, _held) = hold();
        failing.tell(hold).await.expect("it is the probe");
        assert_eq!(failing.tell(Note(1)).await.unwrap_err().retry_after(), Some(Duration::from_millis(1)));
        t.advance(29 * SECOND).await;
        assert_eq!(failing.state(), ActorState::Probing);
        t.advance(2 * SECOND).await;
        assert_eq!(failing.state(), ActorState::Failed);
        let second = retry_after(&failing).await;
        assert!((52.0..=60.0).contains(&second), "{second}");

        // And one that ends well closes it.
        t.advance(60 * SECOND).await;
        failing.ask(Note(2)).await.expect("it is the probe");
        t.settle().await;
        assert_eq!(failing.state(), ActorState::Running);
        assert_eq!(t.inspect().actor("other").unwrap().generation, 1, "it fails alone");
        t.shutdown().await;
    });
}

#[test]
fn faults_that_are_further_apart_are_not_too_many() {
    TestSystem::run(async |t| {
        let failing = t.spawn(desk(&Log::default()));
        for _ in 0..20 {
            assert_ne!(fail(t, &failing).await, Duration::MAX);
            t.advance(Duration::from_millis(6_100)).await;
        }
        t.shutdown().await;
    });
}

#[derive(Clone, Message)]
#[message(keep)]
struct Kept;

impl SyncHandler<Kept> for Desk {
    fn handle(&mut self, _: Kept, _: &mut Context<Self>) -> Result<(), Fault> {
        panic!("always")
    }
}

#[test]
fn a_kept_message_has_three_attempts_and_the_lists_hold_a_thousand() {
    TestSystem::run(async |t| {
        assert!(t.spawn(desk(&Log::default())).ask(Kept).await.is_err());
        let desk = child("desk", desk(&Log::default())).backoff(Backoff::none()).intensity(u32::MAX, SECOND);
        let desk = t.spawn(desk);
        assert_eq!(t.system().quarantine().list()[0].attempts, 3);
        let bury = || {
            let actor = ("desk".to_owned(), desk.id());
            t.system().record_dead_letter(actor, "Note", Priority::Normal, DeadReason::Overflow, None);
        };
        for _ in 0..1000 {
            bury();
            assert!(desk.ask(Boom).await.is_err());
        }
        bury();
        let (dead, quarantine) = (t.system().dead_letters(), t.system().quarantine());
        assert_eq!((dead.list().len(), dead.total()), (1000, 1001));
        assert_eq!((quarantine.list().len(), quarantine.total()), (1000, 1001));
        assert!(quarantine.list().iter().all(|record| record.attempts == 1), "the oldest is gone");
        t.shutdown().await;
    });
}

#[test]
fn a_shutdown_drains_for_ten_seconds_stops_for_five_and_then_kills() {
    TestSystem::run(async |t| {
        let (_desk, _held) = busy(t, &Log::default()).await;
        t.system().on_shutdown(ShutdownPhase::Ingress, "endless", std::future::pending);
        let report = t.shutdown().await;
        assert_eq!((report.drained, report.stopped, report.killed), (0, 0, 1));
        for (phase, seconds) in [(ShutdownPhase::Ingress, 10.0), (ShutdownPhase::Actors, 15.0)] {
            let took = report.phases.iter().find(|report| report.phase == phase).unwrap().took.as_secs_f64();
            assert!((seconds..seconds + 0.1).contains(&took), "{phase:?} took {took} s");
        }
    });
}

#[test]
fn a_lane_that_is_passed_over_is_served_all_the_same() {
    TestSystem::run(async |t| {
        let log = Log::default();
        let (desk, held) = busy(t, &log).await;
        for (number, priority) in Priority::ALL.into_iter().enumerate() {
            for _ in 0..if number == 0 { 500 } else { 1 } {
                desk.tell(Note(number as u64)).priority(priority).await.unwrap();
            }
        }
        held.let_go();
        t.settle().await;
        for number in 1..Priority::ALL.len() {
            let turns = log.read().iter().position(|&served| served == number as u64).unwrap();
            assert!(turns < GUARD, "{} waited for {turns} turns", Priority::ALL[number]);
        }
        t.shutdown().await;
    });
}

/// Tells itself and its neighbour at once, and so gives both something to do at the same time.
struct Starter {
    numbers: u64,
    neighbours: [ActorRef<Desk>; 2],
}

impl Actor for Starter {}

#[derive(Message)]
struct Start;

impl Handler<Start> for Starter {
    async fn handle(&mut self, _: Start, _: &mut Context<Self>) -> Result<(), Fault> {
        for number in 1..=self.numbers {
            self.neighbours[0].try_tell(Note(number)).map_err(|error| Fault::permanent(error.to_string()))?;
        }
        self.neighbours[1].tell(Note(0)).await?;
        Ok(())
    }
}

fn starter(numbers: u64, neighbours: [ActorRef<Desk>; 2]) -> Child<Starter> {
    child("starter", move || Starter { numbers, neighbours: neighbours.clone() })
}

#[test]
fn after_so_many_turns_the_neighbours_have_theirs() {
    TestSystem::run(async |t| {
        let log = Log::default();
        let neighbours = [t.spawn(child("one", desk(&log))), t.spawn(child("other", desk(&log)))];
        let starter = t.spawn(starter(3 * TURNS_PER_POLL as u64, neighbours));
        t.settle().await;
        starter.ask(Start).await.unwrap();
        t.settle().await;
        assert_eq!(log.read().iter().position(|&number| number == 0), Some(TURNS_PER_POLL));
        assert_eq!(log.read().len(), 3 * TURNS_PER_POLL + 1);
        t.shutdown().await;
    });
}
