//! Modules are asked how they are, those that answer that.

use std::time::Duration;

use callboard_actor::{AskError, Context, Fault, Message, Recipient, SyncHandler};

use super::{Entry, Place, Registry, SetHealth};
use crate::descriptor::Health;
use crate::probe::Probe;

/// So often, and so long may the answer take.
const PERIOD: Duration = Duration::from_secs(5);

impl Registry {
    /// Begins with the first that answers; nobody is asked where nobody does.
    pub(super) fn probe_with(&mut self, entry: &Entry, cx: &mut Context<Self>) {
        if entry.probe().is_some() && self.probing.is_none() {
            self.probing = Some(cx.send_every(PERIOD, || ProbeAll));
        }
    }
}

/// Asks everybody who answers.
struct ProbeAll;

impl Message for ProbeAll {
    type Reply = ();
}

impl SyncHandler<ProbeAll> for Registry {
    fn handle(&mut self, _: ProbeAll, cx: &mut Context<Self>) -> Result<(), Fault> {
        let snapshot = self.board.snapshot();
        for entry in snapshot.entries() {
            let Some(probe) = entry.probe().cloned() else { continue };
            let place = Place { module: entry.descriptor().name.clone(), number: entry.number() };
            let registry = cx.me();
            cx.spawn(async move {
                if let Some(health) = health(&probe).await {
                    // A registry that has ended has no use for it.
                    let _ = registry.tell(SetHealth(place, health)).await;
                }
            });
        }
        Ok(())
    }
}

/// What the module says; one that says nothing for too long is at its wit's end. Of one that takes no messages the registry
/// knows already.
async fn health(probe: &Recipient<Probe>) -> Option<Health> {
    match probe.ask(Probe).timeout(PERIOD).no_inherit().await {
        Ok(health) => Some(health),
        Err(AskError::Timeout { .. }) => {
            Some(Health::Unhealthy(format!("it has not answered its probe for {PERIOD:?}")))
        }
        Err(_) => None,
    }
}
