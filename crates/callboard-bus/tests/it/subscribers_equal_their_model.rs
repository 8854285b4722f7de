//! Whoever comes, goes and publishes in whatever order: each subscriber gets what a list of patterns says.

use callboard_actor::testing::{Probe, TestSystem};
use callboard_bus::{Event, EventsExt, Pattern, Subscription, Topic, Value};
use proptest::prelude::*;

/// What happens next; positions count round.
#[derive(Clone, Debug)]
enum Step {
    Subscribe(String),
    Unsubscribe(usize),
    Drop(usize),
    Publish(String),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let pattern = prop::sample::select(vec!["a", "b", "a.b", "a.*", "*.b", ">", "a.>", "a*", "*b.a", "?", "b.?b"]);
    let name = prop::sample::select(vec!["a", "b", "ab", "a.b", "a.a", "b.b", "ab.a", "b.ab", "a.b.a"]);
    let step = prop_oneof![
        3 => pattern.prop_map(|text| Step::Subscribe(text.into())),
        1 => any::<usize>().prop_map(Step::Unsubscribe),
        1 => any::<usize>().prop_map(Step::Drop),
        4 => name.prop_map(|text| Step::Publish(text.into())),
    ];
    prop::collection::vec(step, 1..40)
}

struct Subscriber {
    probe: Probe<Event>,
    subscription: Option<Subscription>,
    /// What the probe has to have got.
    due: Vec<Value>,
}

async fn take(t: &TestSystem, subscribers: &mut Vec<Subscriber>, number: usize, step: Step) {
    match step {
        Step::Subscribe(pattern) => {
            let probe = t.probe();
            let subscription = Some(t.system().subscribe(&pattern, probe.recipient()).await.unwrap());
            subscribers.push(Subscriber { probe, subscription, due: Vec::new() });
        }
        Step::Unsubscribe(at) => {
            if let Some(subscription) = choose(subscribers, at).and_then(|one| one.subscription.take()) {
                subscription.unsubscribe().await;
            }
        }
        Step::Drop(at) => drop(choose(subscribers, at).and_then(|one| one.subscription.take())),
        Step::Publish(name) => publish(t, subscribers, number, &name).await,
    }
}

fn choose(subscribers: &mut [Subscriber], at: usize) -> Option<&mut Subscriber> {
    let count = subscribers.len().max(1);
    subscribers.get_mut(at % count)
}

async fn publish(t: &TestSystem, subscribers: &mut [Subscriber], number: usize, name: &str) {
    let (topic, data): (Topic, _) = (name.parse().unwrap(), Value::from(u64::try_from(number).unwrap()));
    let wants =
        |one: &&mut Subscriber| one.subscription.as_ref().is_some_and(|own| Pattern::matches(own.pattern(), &topic));
    let mut delivered = 0;
    for subscriber in subscribers.iter_mut().filter(wants) {
        subscriber.due.push(data.clone());
        delivered += 1;
    }
    assert_eq!(t.system().publish(name, data).await.unwrap().delivered, delivered, "{name}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// F-BUS-02, F-EVT-02, F-EVT-03.
    #[test]
    fn each_gets_what_its_pattern_stands_for(steps in steps()) {
        TestSystem::run(async |t| {
            let mut subscribers = Vec::new();
            for (number, step) in steps.into_iter().enumerate() {
                take(t, &mut subscribers, number, step).await;
            }
            t.settle().await;
            let left = subscribers.iter().filter(|one| one.subscription.is_some()).count();
            assert_eq!(t.system().events().subscriptions(), left);
            for subscriber in &subscribers {
                let got: Vec<_> = subscriber.probe.take().into_iter().map(|event| event.data.clone()).collect();
                assert_eq!(got, subscriber.due);
            }
            t.shutdown().await;
        });
    }
}
