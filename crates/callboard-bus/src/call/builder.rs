//! What can be said of every kind of call before it is made.

/// The methods of a [`Call`](crate::Call) about to be made, for every type that has `options_mut`.
macro_rules! call_builder {
    () => {
        /// Makes it with this priority instead of the message type's own; inside a turn, never below the turn's.
        pub fn priority(mut self, priority: callboard_actor::Priority) -> Self {
            self.options_mut().priority = Some(priority);
            self
        }

        /// Waits so long for the answer, which must be longer than no time; inside a turn, never longer than the turn's own
        /// asker.
        pub fn timeout(mut self, timeout: std::time::Duration) -> Self {
            self.options_mut().timeout = Some(timeout);
            self
        }

        /// Names the request, so that a receiver that remembers names can tell a repetition from a new one.
        pub fn idempotency_key(mut self, key: impl Into<std::sync::Arc<str>>) -> Self {
            self.options_mut().idempotency_key = Some(key.into());
            self
        }

        /// Takes nothing of the running turn along: neither its deadline nor its priority nor its baggage.
        pub fn no_inherit(mut self) -> Self {
            self.options_mut().takes_nothing_along = true;
            self
        }

        /// Tries it again by this policy, whatever its operation, its module and the system say. What may have been carried
        /// out is tried again only if the operation is idempotent or the call has an
        /// [idempotency key](Self::idempotency_key). A [time-out](Self::timeout) is for all attempts together, and all have
        /// the same [id](Self::message_id).
        pub fn retry(mut self, policy: crate::retry::RetryPolicy) -> Self {
            self.options_mut().more().retry = Some(policy);
            self
        }

        /// Is let through and counted whatever the breaker of the operation says.
        pub fn ignore_breaker(mut self) -> Self {
            self.options_mut().more().ignores_breaker = true;
            self
        }

        /// Marks it as a test: it is in none of the figures of the operation and its breaker does not learn from it, though an
        /// open breaker refuses it. [Middleware](crate::middleware) sees `test = true` among its metadata.
        pub fn test(mut self) -> Self {
            self.options_mut().more().is_test = true;
            self.metadata("test", true)
        }

        /// What the caller shows the [gate](crate::gate) and [middleware](crate::middleware), all of it.
        pub fn auth(mut self, auth: impl Into<crate::gate::AuthContext>) -> Self {
            self.options_mut().more().auth = auth.into();
            self
        }

        /// A key for the [gate](crate::gate) or a [middleware](crate::middleware) that wants one.
        pub fn api_key(mut self, key: impl Into<String>) -> Self {
            self.options_mut().more().auth.api_key = Some(key.into());
            self
        }

        /// Who calls, for the [gate](crate::gate) or a [middleware](crate::middleware) that wants to know.
        pub fn user(mut self, user: impl Into<String>) -> Self {
            self.options_mut().more().auth.user = Some(user.into());
            self
        }

        /// Something for [middleware](crate::middleware); of one name, the last.
        pub fn metadata(mut self, name: impl Into<String>, value: impl Into<crate::value::Value>) -> Self {
            self.options_mut().more().metadata.insert(name.into(), value.into());
            self
        }

        /// Gives it this id instead of a fresh one. The handler sees it in every attempt, by
        /// [`Context::message_id`](callboard_actor::Context::message_id), as does middleware, and every line of the log about
        /// the call.
        pub fn message_id(mut self, id: callboard_actor::MessageId) -> Self {
            self.options_mut().more().message_id = Some(id);
            self
        }

        /// Says what it is a part of, where the running turn does not. It travels along with all that the handler asks.
        pub fn trace(mut self, trace: callboard_actor::TraceContext) -> Self {
            self.options_mut().more().trace = Some(trace);
            self
        }

        /// Answers with a [`Reply`](crate::Reply), which says what request it belongs to, also where it failed.
        pub fn with_reply(mut self) -> crate::call::WithReply<Self> {
            let id = *self.options_mut().more().message_id.get_or_insert_with(callboard_actor::MessageId::now);
            crate::call::WithReply::new(self, id)
        }
    };
}

pub(crate) use call_builder;
