//! The history of events: the last so many, newest first; with a store also after a restart.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use callboard_actor::testing::TestSystem;
use callboard_actor::{Actor, Context, ErrorCode, Fault, Message, SyncHandler, System};
use callboard_bus::{
    BuilderEventsExt, Event, EventRecord, EventStore, EventsExt, HistoryQuery, StoreFault, TraceContext, TurnEventsExt,
    Value,
};

fn names(query: &HistoryQuery) -> Vec<String> {
    query.list().into_iter().map(|event| event.name.to_string()).collect()
}

/// F-EVT-10: by pattern, channel, time and number.
#[test]
fn the_newest_come_first_and_are_found_by_what_they_are() {
    TestSystem::run(async |t| {
        let (system, history) = (t.system(), t.system().events().history());
        system.channel("c").bound(1).create().await.unwrap();
        system.publish("order.made", 1).await.unwrap();
        t.advance(Duration::from_secs(10)).await;
        system.publish("order.paid", 2).await.unwrap();
        t.advance(Duration::from_secs(10)).await;
        system.publish("mail.sent", 3).channel("c").await.unwrap();
        system.broadcast("all", Value::Null).await.unwrap();
        assert_eq!(names(&history), ["all", "all", "mail.sent", "order.paid", "order.made"]);
        assert_eq!(names(&history.clone().matching("order.*".parse().unwrap())), ["order.paid", "order.made"]);
        assert_eq!(names(&history.clone().on_channel("c")), ["all", "mail.sent"]);
        assert_eq!(names(&history.clone().limit(1)), ["all"]);
        let moment = history.list()[3].time;
        assert_eq!(names(&history.clone().since(moment).limit(9)), ["all", "all", "mail.sent", "order.paid"]);
        assert_eq!(names(&history.until(moment)), ["order.made"]);
        t.shutdown().await;
    });
}

/// F-EVT-10: 1,000 unless told otherwise, and never one more.
#[test]
fn no_more_is_kept_than_may_be() {
    TestSystem::run(async |t| {
        let (system, events) = (t.system(), t.system().events());
        for number in 0..1_200 {
            system.publish("tick", number).await.unwrap();
        }
        let kept = events.history().list();
        assert!(kept.iter().map(|event| event.data.clone()).eq((200..1_200).rev().map(Value::from)));
        events.keep_history(2);
        assert_eq!(events.history().list(), kept[..2]);
        system.publish("tick", Value::Null).await.unwrap();
        assert_eq!(events.history().list().len(), 2);
        events.keep_history(0);
        system.publish("tick", Value::Null).await.unwrap();
        assert_eq!(events.history().list(), []);
        t.shutdown().await;
    });
}

/// Lines of JSON that outlive a system.
#[derive(Clone, Default)]
struct Lines {
    written: Arc<Mutex<Vec<String>>>,
    is_full: Arc<AtomicBool>,
}

impl EventStore for Lines {
    fn append(&self, event: &Event) -> Result<(), StoreFault> {
        if self.is_full.load(Ordering::SeqCst) {
            return Err("no space is left".into());
        }
        self.written.lock().unwrap().push(serde_json::to_string(event)?);
        Ok(())
    }

    fn last(&self, most: usize) -> Result<Vec<Event>, StoreFault> {
        let written = self.written.lock().unwrap();
        let from = written.len().saturating_sub(most);
        written[from..].iter().map(|line| Ok(Event::try_from(serde_json::from_str::<EventRecord>(line)?)?)).collect()
    }
}

/// A test in a system with this store.
fn stored_in(store: &Lines, test: impl AsyncFnOnce(&TestSystem)) {
    TestSystem::run_with(System::builder().event_store(store.clone()), async |t| {
        test(t).await;
        t.shutdown().await;
    });
}

/// F-EVT-10, F-EVT-01: after a restart the history is the same, from the store; the id that is answered is the one that subscribers see
/// and the one in the store; and no more is shown than may be.
#[test]
fn after_a_restart_it_is_the_same() {
    let (store, mut before) = (Lines::default(), Vec::new());
    stored_in(&store, async |t| {
        let probe = t.probe::<Event>();
        let _subscription = t.system().subscribe(">", probe.recipient()).await.unwrap();
        t.system().channel("c").create().await.unwrap();
        let id = t.system().publish("order.made", 1).message_type("Order").await.unwrap().id;
        assert_eq!(probe.next().await.id, id);
        assert!(store.written.lock().unwrap()[0].contains(&format!("\"Id\":\"{id}\"")));
        t.advance(Duration::from_nanos(1_500_000_001)).await;
        t.system().publish("order.paid", 2).channel("c").source("desk").await.unwrap();
        t.system().broadcast("all", Value::Null).ttl(Duration::from_secs(9)).await.unwrap();
        t.system().publish("order.made", 1).id(id).await.unwrap();
        before = t.system().events().history().list();
        assert_eq!((before.len(), before[0].id, before[4].id), (5, id, id));
    });
    stored_in(&store, async |t| {
        let history = t.system().events().history();
        assert_eq!(history.list(), before);
        assert_eq!(history.clone().on_channel("c").list(), [before[1].clone(), before[3].clone()]);
        t.system().publish("order.lost", 3).await.unwrap();
        assert_eq!(names(&history.matching("order.*".parse().unwrap()).limit(2)), ["order.lost", "order.made"]);
        for number in 0..1_200 {
            t.system().publish("tick", number).await.unwrap();
        }
        before = t.system().events().history().list();
    });
    stored_in(&store, async |t| {
        assert_eq!((t.system().events().history().list(), before.len()), (before, 1_000));
    });
    assert_eq!(store.written.lock().unwrap().len(), 1_206);
}

/// F-EVT-10: what was published before there was a store is in it too, after what was there; what it does not take is published
/// and counted, and one that cannot be read is not used.
#[test]
fn a_store_may_come_later_and_may_fail() {
    let store = Lines::default();
    stored_in(&store, async |t| {
        t.system().publish("first", 1).await.unwrap();
    });
    TestSystem::run(async |t| {
        let events = t.system().events();
        t.system().publish("second", 2).await.unwrap();
        events.store_in(store.clone()).unwrap();
        assert_eq!(names(&events.history()), ["second", "first"]);
        store.is_full.store(true, Ordering::SeqCst);
        t.system().publish("third", 3).await.unwrap();
        assert_eq!((events.counts().published, events.counts().unstored), (2, 1));
        assert_eq!(names(&events.history()), ["third", "second", "first"]);
        store.is_full.store(false, Ordering::SeqCst);
        t.system().publish("fourth", 4).await.unwrap();
        t.shutdown().await;
    });
    let names: Vec<_> = store.last(9).unwrap().into_iter().map(|event| event.name.to_string()).collect();
    assert_eq!(names, ["first", "second", "fourth"]);
    store.written.lock().unwrap().push("no JSON".to_owned());
    TestSystem::run(async |t| {
        t.system().publish("fifth", 5).await.unwrap();
        let error = t.system().events().store_in(store.clone()).unwrap_err();
        assert_eq!(error.code(), ErrorCode::Storage);
        assert!(error.to_string().starts_with("the store of events cannot be read: "), "{error}");
        assert_eq!(self::names(&t.system().events().history()), ["fifth"]);
        t.shutdown().await;
    });
}

/// Publishes in a turn that is a part of something larger.
struct Reporter;

impl Actor for Reporter {}

#[derive(Message)]
struct Report(Option<TraceContext>);

impl SyncHandler<Report> for Reporter {
    fn handle(&mut self, Report(trace): Report, cx: &mut Context<Self>) -> Result<(), Fault> {
        trace.into_iter().for_each(|trace| cx.add_baggage(trace));
        cx.publish("reported", Value::Null)?;
        Ok(())
    }
}

/// F-EVT-11: an event shows the trace of the turn that published it, to subscribers, on channels and in the history; one of no
/// trace shows none.
#[test]
fn an_event_is_part_of_what_its_publisher_is_part_of() {
    TestSystem::run(async |t| {
        let probe = t.probe::<Event>();
        let _subscription = t.system().subscribe("reported", probe.recipient()).await.unwrap();
        let reporter = t.spawn(|| Reporter);
        let trace: TraceContext = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".parse().unwrap();
        reporter.ask(Report(Some(trace))).await.unwrap();
        reporter.ask(Report(None)).await.unwrap();
        let heard = [probe.next().await, probe.next().await];
        assert_eq!(heard.each_ref().map(|event| event.trace()), [Some(trace), None]);
        assert_eq!(t.system().events().history().list()[1].trace(), Some(trace));
        let shown = serde_json::to_value(&heard[0]).unwrap();
        assert_eq!(shown["Trace"], "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
        t.shutdown().await;
    });
}
