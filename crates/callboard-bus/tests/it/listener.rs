//! Actors that listen to events: one whose turns can be held or made to fail, and one that keeps what it gets.

use std::sync::{Arc, Mutex, PoisonError};

use callboard_actor::{Actor, Context, Fault, Handler, Message, SyncHandler};
use callboard_bus::{Event, Value};
use tokio::sync::oneshot;

/// The names of the events that have been handled, shared by all values of a listener.
#[derive(Clone, Default)]
pub(crate) struct Heard(Arc<Mutex<Vec<String>>>);

impl Heard {
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn add(&self, name: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(name);
    }

    /// The factory of a listener that writes down here.
    pub(crate) fn listener(&self) -> impl Fn() -> Listener + Send + Sync + 'static {
        let heard = self.clone();
        move || Listener(heard.clone())
    }
}

/// Writes down the name of each event. One whose data is `true` makes its turn fail after that.
pub(crate) struct Listener(Heard);

impl Actor for Listener {}

impl SyncHandler<Event> for Listener {
    fn handle(&mut self, event: Event, _: &mut Context<Self>) -> Result<(), Fault> {
        self.0.add(event.name.to_string());
        if event.data == Value::from(true) { Err(Fault::retryable("it was to fail")) } else { Ok(()) }
    }
}

/// A turn that lasts until the sender is used or dropped.
#[derive(Message)]
pub(crate) struct Hold(pub(crate) oneshot::Receiver<()>);

impl Handler<Hold> for Listener {
    async fn handle(&mut self, hold: Hold, _: &mut Context<Self>) -> Result<(), Fault> {
        // Dropping the sender lets go as well.
        let _ = hold.0.await;
        Ok(())
    }
}

/// Keeps the data of what it gets.
#[derive(Default)]
pub(crate) struct Witness(Vec<Value>);

impl Actor for Witness {}

impl SyncHandler<Event> for Witness {
    fn handle(&mut self, event: Event, _: &mut Context<Self>) -> Result<(), Fault> {
        self.0.push(event.data.clone());
        Ok(())
    }
}

/// What a witness has got so far.
#[derive(Message)]
#[message(reply = Vec<Value>)]
pub(crate) struct Seen;

impl SyncHandler<Seen> for Witness {
    fn handle(&mut self, _: Seen, _: &mut Context<Self>) -> Result<Vec<Value>, Fault> {
        Ok(self.0.clone())
    }
}
