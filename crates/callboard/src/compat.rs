//! The names that older versions had for messages on channels, for who moves a program over. New code publishes and
//! subscribes with [`EventsExt`], which these are made of.
//!
//! | name | the same as |
//! |---|---|
//! | [`send_module_message`] | [`EventsExt::send_message`] |
//! | [`register_module_message_handler`] | [`EventsExt::subscribe_fn`] on a channel |
//! | [`v1::publish_module_message`] | [`send_module_message`] |
//! | [`v1::subscribe_module_message`] | [`register_module_message_handler`] |

pub mod v1;

use std::future::Future;

use crate::bus::{Event, EventsExt, Publish, Subscribe, Value};
use crate::{Fault, System};

/// Publishes a message of a type on a channel, when awaited, with `Priority::Normal` unless it is said otherwise.
///
/// ```
/// use callboard::compat::{register_module_message_handler, send_module_message};
/// use callboard::prelude::*;
/// # use callboard::block_on;
///
/// # block_on(async {
/// # let system = System::builder().workers(1).start().await?;
/// system.channel("Config").create().await?;
/// let handler = register_module_message_handler(&system, "Config", async |message| {
///     println!("{}: {:?}", message.message_type(), message.data);
///     Ok(())
/// });
/// // Up to four messages at once, instead of one.
/// let _handler = handler.concurrency(4).await?;
///
/// let receipt = send_module_message(&system, "Config", "Changed", "Setting").priority(Priority::High).await?;
/// assert_eq!(receipt.delivered, 1);
/// # system.shutdown(Drain::default()).await;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
pub fn send_module_message(
    system: &System,
    channel: &str,
    message_type: &str,
    data: impl Into<Value>,
) -> Publish<'static> {
    system.send_message(channel, message_type, data)
}

/// Has a function called with every message of a channel, when awaited: one at a time, unless
/// [`concurrency`](Subscribe::concurrency) says otherwise. It lasts until the subscription is dropped.
pub fn register_module_message_handler<F, Handling>(system: &System, channel: &str, handler: F) -> Subscribe
where
    F: Fn(Event) -> Handling + Send + Sync + 'static,
    Handling: Future<Output = Result<(), Fault>> + 'static,
{
    system.subscribe_fn(">", handler).on_channel(channel)
}
