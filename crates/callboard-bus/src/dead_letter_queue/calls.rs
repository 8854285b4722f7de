//! Calls that have failed, made again.

use callboard_actor::{
    Actor, Context, ErrorCode, Fault, Handler, Message, MessageId, Priority, Restart, System, child,
};

use super::book::{Book, Failed};
use super::content::{Content, size};
use super::letter::LetterKind;
use crate::address::Address;
use crate::balance::CallKey;
use crate::call::{Call, CallError};
use crate::callable::CallOptions;
use crate::value::Value;

/// A call that can be made once more, by its name and through everything that calls go through.
#[derive(Clone)]
pub(crate) struct CallAgain {
    pub(crate) address: Address,
    pub(crate) key: Option<CallKey>,
    pub(crate) input: Value,
    pub(crate) options: CallOptions,
    /// The type of its message, and the priority that it has.
    pub(crate) message: &'static str,
    pub(crate) priority: Priority,
}

impl CallAgain {
    /// Makes it, as part of the letter `id`, and waits for nothing.
    pub(super) fn make(self, id: MessageId, system: &System) {
        let call = self.call(system);
        let runner = system.spawn(child(format!("letter {id}"), || Runner).restart(Restart::Temporary));
        let pending = Pending { id, system: system.clone(), again: Some(self) };
        // A runner that cannot take it, as the system is ending, drops it, which puts the letter back.
        drop(runner.try_tell(Run(call, pending)));
    }

    /// How much of it is kept.
    fn bytes(&self) -> u64 {
        let metadata = self.options.more.iter().flat_map(|more| &more.metadata);
        let metadata: u64 = metadata.map(|(name, value)| name.len() as u64 + size(value)).sum();
        size(&self.input) + metadata
    }
}

impl Failed {
    /// A call whose operation keeps what has failed so. Where its message has no form as a value there is the record alone.
    pub(crate) fn call(again: CallAgain, is_shown: bool, error: &CallError) -> Self {
        let (module, operation) = (again.address.module().to_owned(), again.address.name().to_string());
        let (message, priority) = (again.message, again.priority);
        let source = again.options.more.as_ref().and_then(|more| more.auth.user.clone());
        Self {
            kind: LetterKind::Call,
            source,
            priority,
            attempts: error.handled(),
            bytes: if is_shown { again.bytes() } else { 0 },
            content: is_shown.then(|| Content::Call(Box::new(again))),
            ..Self::message(&module, &operation, message, error.cause())
        }
    }
}

/// A letter whose call is under way. However that ends, the letter is there again unless it went well.
struct Pending {
    id: MessageId,
    system: System,
    /// None when it is over.
    again: Option<CallAgain>,
}

impl Pending {
    fn failed(&mut self, error: &CallError) {
        let Some(again) = self.again.take() else { return };
        let failed = Failed { id: Some(self.id), ..Failed::call(again, true, error) };
        Book::of(&self.system).file(&self.system, failed);
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if self.again.is_some() {
            self.failed(&CallError::refused(ErrorCode::Cancelled, "the system ended before it was over"));
        }
    }
}

/// Makes one call, and ends.
struct Runner;

impl Actor for Runner {}

struct Run(Call<'static>, Pending);

impl Message for Run {
    type Reply = ();
}

impl Handler<Run> for Runner {
    async fn handle(&mut self, Run(call, mut pending): Run, cx: &mut Context<Self>) -> Result<(), Fault> {
        match call.await {
            Ok(_) => pending.again = None,
            Err(error) => pending.failed(&error),
        }
        cx.stop();
        Ok(())
    }
}
