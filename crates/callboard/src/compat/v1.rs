//! The names of the first version.

use std::future::Future;

use crate::bus::{Event, Publish, Subscribe, Value};
use crate::{Fault, System};

/// As [`send_module_message`](super::send_module_message).
#[deprecated(since = "0.1.0", note = "use send_module_message")]
pub fn publish_module_message(
    system: &System,
    channel: &str,
    message_type: &str,
    data: impl Into<Value>,
) -> Publish<'static> {
    super::send_module_message(system, channel, message_type, data)
}

/// As [`register_module_message_handler`](super::register_module_message_handler).
#[deprecated(since = "0.1.0", note = "use register_module_message_handler")]
pub fn subscribe_module_message<F, Handling>(system: &System, channel: &str, handler: F) -> Subscribe
where
    F: Fn(Event) -> Handling + Send + Sync + 'static,
    Handling: Future<Output = Result<(), Fault>> + 'static,
{
    super::register_module_message_handler(system, channel, handler)
}
