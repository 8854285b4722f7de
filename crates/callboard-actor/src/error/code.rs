//! The stable vocabulary of failures: every code with its class and what to do about it, in one table.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a failure asks of whoever sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorClass {
    /// The cause may pass: trying again can help.
    Retryable,
    /// The same would fail again.
    NonRetryable,
    /// A breaker stands in between, which says when it is worth trying again. The receiver was not asked.
    CircuitBreaking,
}

/// One row per code: documentation, variant, class, the word, what to do.
macro_rules! vocabulary {
    ($($(#[$doc:meta])+ $variant:ident: $class:ident, $code:literal, $help:literal;)+) => {
        /// The stable vocabulary of failures, the same in logs, dead letters and at every boundary.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum ErrorCode {
            $($(#[$doc])+ #[serde(rename = $code)] $variant,)+
        }

        impl ErrorCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word, as serialised.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            /// What it asks of whoever sees it. A handler's own failure may say otherwise of itself.
            #[must_use]
            pub const fn class(self) -> ErrorClass {
                match self { $(Self::$variant => ErrorClass::$class,)+ }
            }

            /// What to do about it, in one sentence.
            #[must_use]
            pub const fn help(self) -> &'static str {
                match self { $(Self::$variant => $help,)+ }
            }
        }
    };
}

vocabulary! {
    /// A deadline passed.
    Timeout: Retryable, "timeout",
        "give it more time, or look in `inspect` at what the actor is busy with";
    /// The other side could not be reached, or the connection to it broke.
    Connection: Retryable, "connection",
        "see that the other side runs and takes connections at the address that the message names";
    /// The network between the two sides failed.
    Network: Retryable, "network",
        "see that the other side can be reached from here: name resolution, routes, firewalls";
    /// The actor is stopping or gone.
    Unavailable: Retryable, "unavailable",
        "look the actor up again: it has ended or is about to";
    /// No room in a mailbox.
    Busy: Retryable, "busy",
        "send less, wait for room with `tell`, or raise the bound of the mailbox";
    /// More was asked for in a time than may be.
    RateLimited: Retryable, "rate_limited",
        "wait for `retry_after`, ask less often, or raise the limit";

    /// A breaker is open.
    CircuitOpen: CircuitBreaking, "circuit_open",
        "wait for `retry_after`; the last fault is shown by `inspect`";

    /// A payload does not have the shape that the operation takes.
    ValidationFailed: NonRetryable, "validation_failed",
        "correct the field that the message names";
    /// Who asks has not shown who it is.
    Unauthenticated: NonRetryable, "unauthenticated",
        "send a token that is valid now; the message says what is wrong with this one";
    /// Who asks may not, or the admission hook said no.
    PermissionDenied: NonRetryable, "permission_denied",
        "ask for the permission that the message names; an actor may refuse by its admission hook too";
    /// No module has this name.
    UnknownModule: NonRetryable, "unknown_module",
        "register the module, or correct its name";
    /// The module does not offer this operation.
    UnknownOperation: NonRetryable, "unknown_operation",
        "correct the name of the operation; `inspect` lists what is offered";
    /// No channel has this name.
    UnknownChannel: NonRetryable, "unknown_channel",
        "create the channel, or correct its name";
    /// There is no such subscription.
    UnknownSubscription: NonRetryable, "unknown_subscription",
        "it has ended already; nothing is left to do";
    /// No workflow has this name, or none in this version.
    UnknownWorkflow: NonRetryable, "unknown_workflow",
        "register the definition, or correct its name";
    /// There is no such run of a workflow.
    UnknownExecution: NonRetryable, "unknown_execution",
        "correct its name; runs that ended long ago are forgotten";
    /// There is no such token.
    UnknownToken: NonRetryable, "unknown_token",
        "it has been revoked or is forgotten; issue another one";
    /// There is no such message among those that are kept.
    UnknownMessage: NonRetryable, "unknown_message",
        "correct its id; dead letters are bounded, and the oldest go first";
    /// Something with this name is there already.
    AlreadyExists: NonRetryable, "already_exists",
        "choose another name, or take the other one away first";
    /// A name that cannot be one.
    InvalidName: NonRetryable, "invalid_name",
        "correct the name as the message says";
    /// A setting that cannot work.
    InvalidConfig: NonRetryable, "invalid_config",
        "correct the setting that the message names";
    /// A call that would wait for itself, or a step that its state does not allow.
    InvalidState: NonRetryable, "invalid_state",
        "its state does not allow this now; a cycle of asks is broken by `tell`, or by asking from a spawned future";
    /// The name is known, in versions that do not match.
    VersionIncompatible: NonRetryable, "version_incompatible",
        "ask for a version that is there; the message lists them";
    /// Two sides do not agree on what goes between them.
    ContractViolation: NonRetryable, "contract_violation",
        "change one of the two sides in the place that the message names";
    /// The definition of a workflow cannot work.
    WorkflowInvalid: NonRetryable, "workflow_invalid",
        "correct the definition at the place that the message names";
    /// A time to live was over.
    Expired: NonRetryable, "expired",
        "raise the time to live, or find out why the message waited so long";
    /// A payload has more elements or bytes than may be.
    PayloadTooLarge: NonRetryable, "payload_too_large",
        "send less at once, or raise the limit";
    /// A payload is nested deeper than may be.
    NestingTooDeep: NonRetryable, "nesting_too_deep",
        "flatten the payload, or raise the limit";
    /// Bytes that are not what their format asks for.
    Malformed: NonRetryable, "malformed",
        "encode the payload anew; the message says where it breaks";
    /// A payload that was encrypted for somebody else, with another key, or has been changed.
    DecryptFailed: NonRetryable, "decrypt_failed",
        "see that both sides have the key that the message names, and that nobody changes what is sent";
    /// Nobody waits for it any more.
    Cancelled: NonRetryable, "cancelled",
        "the asker has gone; nothing is left to do";

    /// A handler answered with a fault. The fault may be of another class.
    HandlerFailed: NonRetryable, "handler_failed",
        "the incident says where; the actor has been restarted";
    /// A handler panicked.
    HandlerPanicked: NonRetryable, "handler_panicked",
        "the incident says where; the actor has been restarted";

    /// What was to be kept could not be, or what is kept cannot be read. Whether it was kept is unknown.
    Storage: NonRetryable, "storage",
        "see that the store has room and can be written; the message names the place";
    /// A fault of the framework.
    Internal: NonRetryable, "internal",
        "please report it with its log lines";
}

impl ErrorCode {
    /// Whether trying again can help, if not at once: a breaker says when.
    #[must_use]
    pub const fn is_retryable(self) -> bool {
        matches!(self.class(), ErrorClass::Retryable | ErrorClass::CircuitBreaking)
    }

    /// Whether it says that there is nothing of this name.
    #[must_use]
    pub const fn is_not_found(self) -> bool {
        matches!(
            self,
            Self::UnknownModule
                | Self::UnknownOperation
                | Self::UnknownChannel
                | Self::UnknownSubscription
                | Self::UnknownWorkflow
                | Self::UnknownExecution
                | Self::UnknownToken
                | Self::UnknownMessage
        )
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Display for ErrorClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Retryable => "retryable",
            Self::NonRetryable => "non_retryable",
            Self::CircuitBreaking => "circuit_breaking",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const RETRYABLE: &str = "timeout connection network unavailable busy rate_limited";
    const CIRCUIT_BREAKING: &str = "circuit_open";
    const NOT_FOUND: &str = "unknown_module unknown_operation unknown_channel unknown_subscription unknown_workflow \
        unknown_execution unknown_token unknown_message";
    const NON_RETRYABLE: &str = "validation_failed unauthenticated permission_denied already_exists invalid_name \
        invalid_config invalid_state version_incompatible contract_violation workflow_invalid expired \
        payload_too_large nesting_too_deep malformed decrypt_failed cancelled handler_failed handler_panicked \
        storage internal";

    fn words(text: &'static str) -> impl Iterator<Item = &'static str> {
        text.split_whitespace()
    }

    fn codes(wanted: impl Fn(ErrorCode) -> bool) -> BTreeSet<&'static str> {
        ErrorCode::ALL.iter().copied().filter(|&code| wanted(code)).map(ErrorCode::code).collect()
    }

    /// F-ERR-01
    #[test]
    fn every_code_has_its_class() {
        let of = |class| codes(|code| code.class() == class);
        assert_eq!(of(ErrorClass::Retryable), words(RETRYABLE).collect());
        assert_eq!(of(ErrorClass::CircuitBreaking), words(CIRCUIT_BREAKING).collect());
        assert_eq!(of(ErrorClass::NonRetryable), words(NON_RETRYABLE).chain(words(NOT_FOUND)).collect());
        assert_eq!(codes(ErrorCode::is_not_found), words(NOT_FOUND).collect());
        assert_eq!(codes(ErrorCode::is_retryable), words(RETRYABLE).chain(words(CIRCUIT_BREAKING)).collect());
        assert_eq!(codes(|_| true).len(), ErrorCode::ALL.len(), "no word stands for two");
    }

    #[test]
    fn a_code_is_written_as_its_word_and_says_what_to_do() {
        for &code in ErrorCode::ALL {
            let text = serde_json::to_string(&code).unwrap();
            assert_eq!(text, format!("\"{code}\""));
            assert_eq!(serde_json::from_str::<ErrorCode>(&text).unwrap(), code);
            let help = code.help();
            assert!(!help.is_empty() && !help.ends_with('.') && !help.contains('\n'), "{code}: {help}");
        }
        for class in [ErrorClass::Retryable, ErrorClass::NonRetryable, ErrorClass::CircuitBreaking] {
            assert_eq!(serde_json::to_string(&class).unwrap(), format!("\"{class}\""));
        }
    }
}
