//! Messages and payloads to whoever takes them, without an answer or by what is in them.

use std::sync::atomic::Ordering::Relaxed;

use callboard_actor::Message;

use super::Modules;
use crate::address::Address;
use crate::call::{Call, CallError};
use crate::dead_letter_queue::{Book, Cause, Failed};
use crate::gate::{Access, AuthContext};
use crate::lookup::LookupError;
use crate::router::{Router, Unrouted};
use crate::unsent::{SendError, Unsent};
use crate::value::Value;

impl Modules {
    /// Sends a message to one instance and waits for nothing: neither for room nor for an answer. An instance that hands it
    /// back is passed over for the next, as in a call. A message that nobody takes goes into the
    /// [dead letter queue](crate::DeadLetterQueue), from where it can be sent again; where an instance was asked in vain there is a
    /// record among the [dead letters](callboard_actor::System::dead_letters) of its actor too.
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
    /// [`SendError`]: why nobody has taken it.
    pub fn send<M: Message>(&self, address: &Address, message: M) -> Result<(), SendError> {
        self.send_as(self.shown_here(), address, message)
    }

    /// The same of somebody who shows this to the [gate](crate::gate), instead of what the running turn does.
    ///
    /// # Errors
    ///
    /// [`SendError`]: why nobody has taken it.
    pub fn send_as<M: Message>(
        &self,
        auth: impl Into<AuthContext>,
        address: &Address,
        message: M,
    ) -> Result<(), SendError> {
        let auth = auth.into();
        self.try_send(&auth, address, message).map_err(|Unsent { error, message }| {
            let cause = Cause::new(error.code(), &error.to_string());
            self.bury(Failed::sent(auth, address, message, cause));
            error
        })
    }

    /// The same, with the message handed back.
    pub(crate) fn try_send<M: Message>(
        &self,
        auth: &AuthContext,
        address: &Address,
        message: M,
    ) -> Result<(), Unsent<M>> {
        if let Err(error) = self.admit_message(address.name(), auth) {
            return Err(Unsent { error: error.into(), message });
        }
        let snapshot = self.snapshot();
        let route = match snapshot.route(address) {
            Ok(route) => route,
            Err(error) => return Err(Unsent { error: error.into(), message }),
        };
        route.send(address.requirement(), message)?;
        self.0.sent.fetch_add(1, Relaxed);
        Ok(())
    }

    /// Asks the gate, if there is one, whether a message may go to an operation.
    pub(crate) fn admit_message(&self, operation: &str, auth: &AuthContext) -> Result<(), LookupError> {
        self.admit(operation, || auth.clone(), |operation, level| Access::Send { operation, level })
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
    /// No rule holds, and there is no default. The payload goes into the
    /// [dead letter queue](crate::DeadLetterQueue).
    pub fn route<'a>(&'a self, router: &'a Router, payload: impl Into<Value>) -> Result<Call<'a>, Unrouted> {
        let payload = payload.into();
        match router.choose(&payload) {
            Ok(address) => Ok(self.call(address, payload)),
            Err(unrouted) => {
                let cause = Cause::new(unrouted.code(), &unrouted.to_string());
                self.bury(Failed::unrouted(router.name(), payload, cause));
                Err(unrouted)
            }
        }
    }

    /// How many messages that were sent by name were taken.
    pub(crate) fn sent(&self) -> u64 {
        self.0.sent.load(Relaxed)
    }

    /// How many calls ended before an attempt could begin, as their name, their payload or their time-out was wrong.
    pub(crate) fn misdirected(&self) -> u64 {
        self.0.misdirected.load(Relaxed)
    }

    /// A call ends before an attempt could begin. Those that a breaker or a rate has not let through are counted by their operation.
    #[cold]
    pub(crate) fn misdirect(&self, error: CallError) -> CallError {
        if !matches!(error, CallError::CircuitOpen { .. } | CallError::RateLimited { .. }) {
            self.0.misdirected.fetch_add(1, Relaxed);
        }
        error
    }

    #[cold]
    fn bury(&self, failed: Failed) {
        // When the system is over nobody looks for it any more.
        if let Some(system) = self.system() {
            Book::of(&system).file(&system, failed);
        }
    }
}
