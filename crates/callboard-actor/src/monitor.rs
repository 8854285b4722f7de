//! Watching other actors: [`Down`] when one has ended, [`Restarted`] when one has a new value, and links.

use std::fmt;
use std::sync::{Arc, Weak};

use crate::actor::StopReason;
use crate::cell::{ActorId, Directive, Node};
use crate::message::Message;

/// The notice that a monitored actor has ended. Delivered once, past the bounds of the mailbox.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Down {
    /// Which actor.
    pub id: ActorId,
    /// Its name.
    pub name: String,
    /// Why it ended.
    pub reason: StopReason,
}

impl Message for Down {
    type Reply = ();
}

/// The notice that a monitored actor has a new value.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Restarted {
    /// Which actor.
    pub id: ActorId,
    /// Its name.
    pub name: String,
    /// The number of the new value; the first one was 1.
    pub generation: u64,
}

impl Message for Restarted {
    type Reply = ();
}

/// Somebody who wants to know about an actor.
pub(crate) enum Watcher {
    Down(Box<dyn FnOnce(Down) + Send>),
    Restarts(Arc<dyn Fn(Restarted) + Send + Sync>),
    Link(Weak<dyn Node>),
    Ended(oneshot::Sender<StopReason>),
    /// Told when the value is out of service, be it for good or not.
    Out(oneshot::Sender<()>),
}

impl fmt::Debug for Watcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Down(_) => "Down",
            Self::Restarts(_) => "Restarts",
            Self::Link(_) => "Link",
            Self::Ended(_) => "Ended",
            Self::Out(_) => "Out",
        })
    }
}

/// Adds a watcher, or serves it at once when the actor has ended.
pub(crate) fn watch(node: &dyn Node, watcher: Watcher) {
    let late = node.core().with_rare(|rare| match &rare.ended {
        Some(reason) => Some((watcher, reason.clone())),
        None => {
            make_room(&mut rare.watchers);
            rare.watchers.push(watcher);
            None
        }
    });
    if let Some((watcher, reason)) = late {
        tell_end(node, watcher, &reason);
    }
}

/// Sweeps out those who have stopped waiting, whenever the list would have to grow: it is never longer than twice the
/// watchers that there are, and adding one costs no more than pushing it, taken over many.
fn make_room(watchers: &mut Vec<Watcher>) {
    const FEW: usize = 8;
    if watchers.len() < watchers.capacity().max(FEW) {
        return;
    }
    watchers.retain(|watcher| !watcher.is_gone());
    watchers.reserve(watchers.len().max(FEW));
}

/// Ties two actors together.
pub(crate) fn link(one: &Arc<dyn Node>, other: &Arc<dyn Node>) {
    watch(&**one, Watcher::Link(Arc::downgrade(other)));
    watch(&**other, Watcher::Link(Arc::downgrade(one)));
}

/// The actor has ended: everybody who watches is told, once.
pub(crate) fn announce_end(node: &dyn Node, reason: &StopReason) {
    let (watchers, late) = node.core().with_rare(|rare| {
        rare.ended = Some(reason.clone());
        (std::mem::take(&mut rare.watchers), std::mem::take(&mut rare.directives))
    });
    // Nobody obeys them any more, and what is in them is dropped outside of the lock.
    crate::fault::drop_quietly(late);
    for watcher in watchers {
        tell_end(node, watcher, reason);
    }
}

/// The value of the actor is out of service, and the actor waits.
pub(crate) fn announce_halt(node: &dyn Node) {
    let is_waiting = |watcher: &mut Watcher| matches!(watcher, Watcher::Out(_));
    let told: Vec<_> = node.core().with_rare(|rare| rare.watchers.extract_if(.., is_waiting).collect());
    // Dropping what they wait for tells them.
    drop(told);
}

/// The actor has a new value.
pub(crate) fn announce_restart(node: &dyn Node, generation: u64) {
    let core = node.core();
    // The watchers are told outside of the lock, as an actor may watch itself.
    let tellers: Option<Vec<_>> = core.read_rare(|rare| rare.watchers.iter().filter_map(Watcher::teller).collect());
    for tell in tellers.into_iter().flatten() {
        tell(Restarted { id: core.id, name: core.name(), generation });
    }
}

impl Watcher {
    /// Whether nobody waits behind it any more. Dropping such a watcher runs no code of users.
    fn is_gone(&self) -> bool {
        match self {
            Self::Ended(tell) => tell.is_closed(),
            Self::Out(tell) => tell.is_closed(),
            Self::Link(linked) => linked.strong_count() == 0,
            Self::Down(_) | Self::Restarts(_) => false,
        }
    }

    fn teller(&self) -> Option<Arc<dyn Fn(Restarted) + Send + Sync>> {
        if let Self::Restarts(tell) = self { Some(Arc::clone(tell)) } else { None }
    }
}

fn tell_end(node: &dyn Node, watcher: Watcher, reason: &StopReason) {
    let core = node.core();
    match watcher {
        Watcher::Down(tell) => tell(Down { id: core.id, name: core.name(), reason: reason.clone() }),
        Watcher::Link(linked) if reason.is_abnormal() => {
            if let Some(linked) = linked.upgrade() {
                linked.direct(Directive::Stop(StopReason::Linked(core.name())));
            }
        }
        Watcher::Ended(tell) => drop(tell.send(reason.clone())),
        Watcher::Out(tell) => drop(tell.send(())),
        Watcher::Link(_) | Watcher::Restarts(_) => {}
    }
}

#[cfg(all(test, feature = "test-util"))]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context as Task, Waker};

    use crate::actor_ref::ActorRef;
    use crate::testing::TestSystem;

    struct Idle;
    impl crate::Actor for Idle {}

    fn watchers(actor: &ActorRef<Idle>) -> usize {
        actor.cell().core.read_rare(|rare| rare.watchers.len()).unwrap_or_default()
    }

    #[test]
    fn whoever_stops_waiting_for_an_end_leaves_nothing_behind() {
        TestSystem::run(async |t| {
            let actor = t.spawn(|| Idle);
            let mut task = Task::from_waker(Waker::noop());
            let mut patient = pin!(actor.ended());
            assert!(patient.as_mut().poll(&mut task).is_pending());
            for _ in 0..10_000 {
                assert!(pin!(actor.ended()).poll(&mut task).is_pending());
            }
            assert!(watchers(&actor) < 50, "{} watchers", watchers(&actor));
            actor.stop();
            patient.await;
            t.shutdown().await;
        });
    }
}
