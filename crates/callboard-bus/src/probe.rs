//! How a module is, by its own account: [`Probe`].

use callboard_actor::{Message, Priority};

use crate::descriptor::Health;

/// Asks a module how it is, every 5 s. One that answers [`Health::Unhealthy`], or nothing for as long, is not handed out
/// until it says something else.
///
/// ```
/// # use callboard_actor::{Actor, Context, Fault, SyncHandler};
/// # struct Storage { free: u64 }
/// # impl Actor for Storage {}
/// use callboard_bus::{Health, Probe};
///
/// impl SyncHandler<Probe> for Storage {
///     fn handle(&mut self, _: Probe, _: &mut Context<Self>) -> Result<Health, Fault> {
///         Ok(if self.free > 0 { Health::Healthy } else { Health::Unhealthy("the disk is full".into()) })
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Probe;

impl Message for Probe {
    type Reply = Health;
    const PRIORITY: Priority = Priority::High;
}
