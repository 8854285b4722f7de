//! Children that are parts of a whole start after what they need and end before it, whatever the order in which they were
//! named; what cannot be is said before anything starts.

use callboard_actor::testing::TestSystem;
use callboard_actor::{
    Actor, ActorRef, Arrangement, Child, Context, Fault, Handler, Message, Part, StartError, Supervise, System,
    block_on, child_with, one_for_one,
};
use proptest::prelude::*;

use crate::puppet::{Act, Diary, Puppet, Script, s};

/// A part by its name, and those that it needs by theirs.
struct Needs(String, Vec<String>);

impl Part for Needs {
    fn arrange(parts: &[&Self]) -> Arrangement {
        let place = |name: &String| parts.iter().position(|part| part.0 == *name);
        let needs = parts.iter().map(|part| part.1.iter().filter_map(place).collect()).collect();
        let absent = parts.iter().flat_map(|part| part.1.iter()).filter(|name| place(name).is_none());
        Arrangement { needs, faults: absent.map(|name| format!("there is no {name}")).collect() }
    }
}

fn part(diary: &Diary, name: &str, needs: &[&str]) -> Child<Puppet> {
    let needs = needs.iter().map(|&name| name.to_owned()).collect();
    Script::new(name, diary).child().part(Needs(name.to_owned(), needs))
}

fn plain(diary: &Diary, name: &str) -> Child<Puppet> {
    Script::new(name, diary).child()
}

fn faults(supervise: impl IntoIterator<Item = Supervise>) -> Vec<String> {
    let builder = supervise.into_iter().fold(System::builder(), |builder, supervise| builder.supervise(supervise));
    match block_on(builder.start()) {
        Err(StartError::Invalid(faults)) => faults,
        other => panic!("{other:?}"),
    }
}

/// The names of those that have started, or have ended.
fn names(diary: &Diary, what: &str) -> Vec<String> {
    diary.take().iter().filter_map(|line| Some(line.split_once(what)?.0.to_owned())).collect()
}

#[test]
fn what_others_need_starts_first_and_ends_last() {
    let diary = Diary::default();
    let team = one_for_one()
        .child(plain(&diary, "pool"))
        .child(part(&diary, "web", &["shop"]))
        .child(part(&diary, "shop", &["store"]))
        .child(plain(&diary, "clock"))
        .child(part(&diary, "store", &[]));
    TestSystem::run_with(System::builder().supervise(team), async |t| {
        assert_eq!(names(&diary, " starts"), ["pool", "store", "shop", "clock", "web"]);
        assert!(t.shutdown().await.is_clean());
    });
    assert_eq!(names(&diary, " stops"), ["web", "clock", "shop", "store", "pool"]);
}

/// Those that need nothing of each other end together, however long one of them takes.
#[test]
fn an_end_waits_for_those_alone_that_need_it() {
    let diary = Diary::default();
    let slow = Script::new("slow", &diary);
    slow.stop(Act::Sleep(s(3)));
    let team = one_for_one()
        .child(part(&diary, "ground", &[]))
        .child(slow.child().part(Needs("slow".to_owned(), vec!["ground".to_owned()])))
        .child(part(&diary, "quick", &["ground"]));
    TestSystem::run_with(System::builder().supervise(team), async |t| {
        diary.take();
        let began = t.now();
        assert!(t.shutdown().await.is_clean());
        assert_eq!((t.now() - began).as_secs(), 3);
    });
    assert_eq!(names(&diary, " stops"), ["quick", "slow", "ground"]);
}

#[test]
fn supervisors_end_in_reverse_order_too() {
    let diary = Diary::default();
    let first = one_for_one().child(part(&diary, "store", &[]));
    let second = one_for_one().child(part(&diary, "web", &["store"]));
    TestSystem::run_with(System::builder().supervise(first).supervise(second), async |t| {
        let later = one_for_one().child(part(&diary, "b", &["a"])).child(part(&diary, "a", &["not there"]));
        // What it needs may be there by other means.
        t.system().supervise(later).await.unwrap();
        assert_eq!(names(&diary, " starts"), ["store", "web", "a", "b"]);
        assert!(t.shutdown().await.is_clean());
    });
    assert_eq!(names(&diary, " stops"), ["b", "a", "web", "store"]);
}

#[test]
fn what_cannot_be_is_said_before_anything_starts() {
    let diary = Diary::default();
    let web = || one_for_one().child(part(&diary, "web", &["store", "gold"]));
    let store = || one_for_one().child(part(&diary, "store", &["iron"]));
    let absent = ["there is no gold", "there is no iron"];
    let early = "`web` needs `store`, whose supervisor starts later: name that supervisor first";
    assert_eq!(faults([web(), store()]), [absent[0], absent[1], early]);
    assert_eq!(faults([store(), web()]), ["there is no iron", "there is no gold"]);
    assert!(System::builder().supervise(web()).check().is_err() && System::builder().check().is_ok());
    assert!(diary.take().is_empty());
}

/// Passes what it is told on to the actor behind it.
struct Link {
    next: Option<ActorRef<Self>>,
    diary: Diary,
}

impl Actor for Link {}

#[derive(Debug, Message)]
#[message(reply = u64)]
struct Carry(u64);

impl Handler<Carry> for Link {
    async fn handle(&mut self, Carry(n): Carry, _: &mut Context<Self>) -> Result<u64, Fault> {
        if let Some(next) = &self.next {
            return Ok(next.ask(Carry(n)).await?);
        }
        self.diary.note(n);
        Ok(n)
    }
}

/// A queue is worked off with what it needs still there, which takes no messages of its own by then without this order.
#[test]
fn a_queue_is_worked_off_while_what_it_needs_serves() {
    let diary = Diary::default();
    let link = |name: &'static str, next: Option<&'static str>| {
        let diary = diary.clone();
        let make = async move |cx: &mut Context<Link>| {
            let next = next.and_then(|next| cx.system().find::<Link>(next));
            Ok::<_, Fault>(Link { next, diary: diary.clone() })
        };
        let needs = next.into_iter().map(str::to_owned).collect();
        child_with(name, make).part(Needs(name.to_owned(), needs))
    };
    let team = one_for_one().child(link("front", Some("back"))).child(link("back", None));
    TestSystem::run_with(System::builder().supervise(team), async |t| {
        let front = t.system().find::<Link>("front").unwrap();
        for n in 0..100 {
            front.tell(Carry(n)).await.unwrap();
        }
        let report = t.shutdown().await;
        assert!(report.is_clean() && report.dead_letters == 0, "{report:?}");
    });
    assert_eq!(diary.take(), (0..100).map(|n: u64| n.to_string()).collect::<Vec<_>>());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Each needs some of those before it, and they are named in any order.
    #[test]
    fn any_parts_without_a_circle_start_and_end_in_order(
        needs in prop::collection::vec(prop::collection::vec(any::<prop::sample::Index>(), 0..3), 1..12),
        shuffle in any::<u64>(),
    ) {
        let needs: Vec<Vec<String>> = needs.iter().enumerate().map(|(part, needs)| {
            let below = needs.iter().filter(|_| part > 0);
            below.map(|need| need.index(part).to_string()).collect()
        }).collect();
        let mut places: Vec<usize> = (0..needs.len()).collect();
        places.sort_by_key(|&place| (place as u64 + 1).wrapping_mul(shuffle | 1));
        let diary = Diary::default();
        let team = places.iter().fold(one_for_one(), |team, &place| {
            let needs: Vec<&str> = needs[place].iter().map(String::as_str).collect();
            team.child(part(&diary, &place.to_string(), &needs))
        });
        let (mut started, mut ended) = (Vec::new(), Vec::new());
        TestSystem::run_with(System::builder().supervise(team), async |t| {
            started = names(&diary, " starts");
            t.shutdown().await;
            ended = names(&diary, " stops");
        });
        let at = |names: &[String], name: &str| names.iter().position(|other| other == name).unwrap();
        for (place, needs) in needs.iter().enumerate() {
            for need in needs {
                let place = place.to_string();
                prop_assert!(at(&started, need) < at(&started, &place), "{started:?}");
                prop_assert!(at(&ended, need) > at(&ended, &place), "{ended:?}");
            }
        }
    }
}
