//! More is published than can be handled, for as long as `CALLBOARD_OVERLOAD_SECONDS` says (2 by default): what is queued
//! stays within its bounds, and nothing is lost without being counted.

use std::time::{Duration, Instant};

use callboard_actor::{Actor, Context, Drain, ErrorCode, Fault, Handler, System, block_on, child};
use callboard_bus::{ChannelOverflow, Event, EventsExt, Value};

/// Takes longer for each event than it takes to publish one.
struct Slow;

impl Actor for Slow {}

impl Handler<Event> for Slow {
    async fn handle(&mut self, _: Event, _: &mut Context<Self>) -> Result<(), Fault> {
        tokio::time::sleep(Duration::from_millis(1)).await;
        Ok(())
    }
}

const CHANNELS: usize = 4;
const BOUND: usize = 500;
/// Below what the channels could hold together, so that both bounds are met.
const LIMIT: usize = 1_500;

/// The part of the memory of this process that is in use, in KiB; nothing where the system does not say.
fn resident() -> Option<u64> {
    let pages: u64 = std::fs::read_to_string("/proc/self/statm").ok()?.split(' ').nth(1)?.parse().ok()?;
    Some(pages * 4)
}

/// What the memory may grow by, in KiB, however long it lasts. The bounds allow 1,500 queued events, 1,000 dead letters and 1,000
/// remembered events of less than 2 KiB each, which are 7 MiB, and 13 MiB were seen; the rest is room for allocators. Without
/// bounds two publishers would pile up some 35 MiB a second, unoptimised: a run of ten minutes would need two hundred times as
/// much.
const MOST_MORE: u64 = 96 * 1024;

/// From so many seconds on the memory is looked at. A shorter run shares its process with other tests, whose memory that is as
/// well, and would not fill so much without bounds either.
const LONG: u64 = 10;

fn seconds() -> u64 {
    std::env::var("CALLBOARD_OVERLOAD_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(2)
}

/// What a publisher has seen.
#[derive(Default)]
struct Seen {
    accepted: u64,
    busy: u64,
    most_queued: usize,
}

async fn publish(system: &System, thread: usize, end: Instant) -> Seen {
    let (mut seen, payload) = (Seen::default(), "x".repeat(256));
    for number in 0_usize.. {
        // The clock is not looked at for each event, and says nothing but when to stop.
        if number % 256 == 0 && Instant::now() >= end {
            break;
        }
        let channel = format!("c{}", (number + thread) % CHANNELS);
        match system.publish("load", Value::from(payload.as_str())).channel(&channel).await {
            Ok(_) => seen.accepted += 1,
            Err(fault) => {
                assert_eq!(fault.code(), ErrorCode::Busy, "{fault}");
                seen.busy += 1;
            }
        }
        seen.most_queued = seen.most_queued.max(system.channels().queued());
    }
    seen
}

/// F-BUS-26: what is queued never exceeds its bound, the next publish is told `busy`, and the books add up.
#[test]
fn what_is_queued_stays_within_its_bounds() {
    const THREADS: usize = 2;
    let system = block_on(System::builder().workers(2).start()).unwrap();
    block_on(async {
        system.channels().set_limit(LIMIT);
        for number in 0..CHANNELS {
            let overflow = [ChannelOverflow::Reject, ChannelOverflow::DropOldest][number % 2];
            system.channel(&format!("c{number}")).bound(BOUND).overflow(overflow).create().await.unwrap();
        }
    });
    let mut subscriptions = Vec::new();
    for number in 0..2 * CHANNELS {
        let slow = system.spawn(child("slow", || Slow));
        let subscribing = system.subscribe(">", slow.recipient()).on_channel(format!("c{}", number % CHANNELS));
        subscriptions.push(block_on(async { subscribing.await.unwrap() }));
    }
    let before = resident();
    let end = Instant::now() + Duration::from_secs(seconds());
    let seen: Vec<Seen> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                scope.spawn({
                    let system = &system;
                    move || block_on(publish(system, thread, end))
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let under_load = resident();
    let list = system.channels().list();
    assert!(list.iter().all(|channel| channel.depth <= BOUND), "{list:?}");
    let most = seen.iter().map(|seen| seen.most_queued).max().unwrap();
    assert!(most <= LIMIT, "{most} queued");
    drop(subscriptions);
    block_on(system.shutdown(Drain::default()));
    let (accepted, busy): (u64, u64) =
        (seen.iter().map(|seen| seen.accepted).sum(), seen.iter().map(|seen| seen.busy).sum());
    let counts = system.events().counts();
    println!(
        "{} s: {accepted} accepted, {busy} told busy, {} made room, {} handled; at most {most} queued; \
         resident {before:?} KiB before, {under_load:?} KiB under load",
        seconds(),
        counts.overflowed,
        counts.delivered,
    );
    let more = under_load.unwrap_or_default().saturating_sub(before.unwrap_or_default());
    assert!(seconds() < LONG || more <= MOST_MORE, "{more} KiB more are resident");
    assert!(busy > 0 && counts.overflowed > 0, "it was no overload");
    assert_eq!((counts.published, counts.rejected), (accepted, busy));
    assert_eq!((counts.in_flight, system.channels().queued()), (0, 0));
    assert!(counts.adds_up(), "{counts:?}");
}
