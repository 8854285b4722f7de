//! Messages and payloads to whoever takes them, without an answer or by what is in them.

use std::any::type_name;
use std::sync::atomic::Ordering::Relaxed;

use callboard_actor::{ErrorCode, Message};

use super::Modules;
use crate::address::Address;
use crate::call::{Call, CallError};
use crate::router::{Router, Unrouted};
use crate::undelivered::{SendError, Undeliverable, Undelivered};
use crate::value::Value;

impl Modules {
    /// Sends a message to one instance and waits for nothing: neither for room nor for an answer. An instance that hands it
    /// back is passed over for the next, as in a call. A message that nobody takes is gone, with a record among those that
    /// were [not delivered](Self::undelivered), and where an instance was asked in vain one among the
    /// [dead letters](callboard_actor::System::dead_letters) too.
    ///
    /// Messages of one sender and one priority come to an instance in the order in which they were sent.
    ///
    /// ```no_run
    /// # use callboard_actor::{Message, System};
    /// # struct Put { key: String }
    /// # impl Message for Put { type Reply = (); }
    /// # fn send(system: &System) -> Result<(), Box<dyn std::error::Error>> {
    /// use callboard_bus::ModulesExt;
    ///
    /// system.modules().send(&"storage.put@^1".parse()?, Put { key: "a".into() })?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`SendError`]: why nobody has taken it. There is nothing left to do.
    pub fn send<M: Message>(&self, address: &Address, message: M) -> Result<(), SendError> {
        let snapshot = self.snapshot();
        let route = snapshot.route(address).map_err(SendError::from);
        let sent = route.and_then(|route| route.send(address.requirement(), message));
        sent.inspect(|()| _ = self.0.sent.fetch_add(1, Relaxed))
            .inspect_err(|error| self.bury(address.to_string(), type_name::<M>(), error.code(), error.to_string()))
    }

    /// A call to whom the router says, by what is in the payload.
    ///
    /// ```no_run
    /// # use callboard_actor::System;
    /// # async fn route(system: &System) -> Result<(), Box<dyn std::error::Error>> {
    /// use callboard_bus::{ModulesExt, Router};
    ///
    /// let router = Router::new("orders").rule("total >= 1000".parse()?, "review.check".parse()?);
    /// let answer = system.modules().route(&router, serde_json::json!({ "total": 2000 }))?.await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// No rule holds, and there is no default. There is a record of it among those that were
    /// [not delivered](Self::undelivered).
    pub fn route(&self, router: &Router, payload: impl Into<Value>) -> Result<Call, Unrouted> {
        let payload = payload.into();
        match router.choose(&payload) {
            Ok(address) => Ok(self.call(address, payload)),
            Err(unrouted) => {
                self.bury(router.name().to_owned(), type_name::<Value>(), unrouted.code(), unrouted.to_string());
                Err(unrouted)
            }
        }
    }

    /// What was sent by name, or by what was in it, and reached nobody.
    #[must_use]
    pub fn undelivered(&self) -> Undelivered {
        self.0.board.undelivered()
    }

    /// How many messages that were sent by name were taken.
    pub(crate) fn sent(&self) -> u64 {
        self.0.sent.load(Relaxed)
    }

    /// How many calls ended before an attempt could begin, as their name, their payload or their time-out was wrong.
    pub(crate) fn misdirected(&self) -> u64 {
        self.0.misdirected.load(Relaxed)
    }

    /// A call ends before an attempt could begin. Those that a breaker has not let through are counted by their operation.
    #[cold]
    pub(crate) fn misdirect(&self, error: CallError) -> CallError {
        if !matches!(error, CallError::CircuitOpen { .. }) {
            self.0.misdirected.fetch_add(1, Relaxed);
        }
        error
    }

    #[cold]
    fn bury(&self, name: String, message: &'static str, code: ErrorCode, reason: String) {
        self.0.board.bury(Undeliverable { at: self.now(), name, message, code, reason });
    }
}
