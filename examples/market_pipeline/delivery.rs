//! Asking with patience: what a sender does while the receiver's breaker is open.

use std::any::type_name;
use std::time::Duration;

use callboard::AskError;
use callboard::prelude::{Message, Recipient};
use futures::{StreamExt, TryStreamExt, stream};

/// How long one receiver may hold one message, all attempts at it included.
const PATIENCE: Duration = Duration::from_secs(300);

/// So many messages to one receiver are under way at once.
const IN_FLIGHT: usize = 32;

/// The receiver will not answer, however long one waits.
#[derive(Debug, thiserror::Error)]
#[error("{message} was not answered: {reason}")]
pub(crate) struct DeliveryError {
    message: &'static str,
    reason: String,
}

/// Asks, and asks again whenever a breaker hands the message back, after the
/// time that it says.
///
/// The message may be worked on more than once, never less than once if this
/// ends well: its type is kept by the receiver across restarts.
pub(crate) async fn ask_patiently<M: Message>(
    receiver: &Recipient<M>,
    mut message: M,
) -> Result<M::Reply, DeliveryError> {
    loop {
        match receiver.ask(message).timeout(PATIENCE).await {
            Ok(reply) => return Ok(reply),
            Err(AskError::Refused { retry_after, message: handed_back }) => {
                tokio::time::sleep(retry_after).await;
                message = handed_back;
            }
            Err(error) => return Err(DeliveryError::of(&error)),
        }
    }
}

/// Asks for all of them, several at a time, and gives the answers in the order of the messages.
pub(crate) async fn ask_all<M: Message>(
    receiver: &Recipient<M>,
    messages: impl IntoIterator<Item = M>,
    answered: impl Fn(),
) -> Result<Vec<M::Reply>, DeliveryError> {
    stream::iter(messages)
        .map(|message| ask_patiently(receiver, message))
        .buffered(IN_FLIGHT)
        .inspect_ok(|_| answered())
        .try_collect()
        .await
}

impl DeliveryError {
    fn of<M: Message>(error: &AskError<M>) -> Self {
        let message = type_name::<M>();
        Self { message: message.rsplit("::").next().unwrap_or(message), reason: error.to_string() }
    }
}
