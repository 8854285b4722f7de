//! A call's result as others are told it: [`Response`].

use std::borrow::Cow;

use callboard_actor::{ErrorCode, MessageId};
use serde::{Serialize, Serializer};

use crate::call::{CallError, Reply};
use crate::retry::FailureClass;
use crate::schema::SchemaFault;
use crate::time;
use crate::value::Value;

/// What came of a call, in the one shape that goes out of the process as JSON:
///
/// ```text
/// {"status":"success","result":..}
/// {"status":"error","error":{"code":"..","message":"..","help":"..","retryable":..}}
/// ```
///
/// Of a [`Reply`] it has `correlation_id` as well. An error has `retry_after` where it knows, `attempts` where there was more than one, and `details` where a payload does not
/// fit: what is wrong, and where.
///
/// ```
/// # use callboard_actor::ErrorCode;
/// use callboard_bus::{CallError, Response, Value};
///
/// let response = Response::new(Ok(Value::from(7)));
/// assert_eq!(serde_json::to_string(&response)?, r#"{"status":"success","result":7}"#);
/// let refused = Response::new(Err(CallError::refused(ErrorCode::Unauthenticated, "who are you?")));
/// assert_eq!(serde_json::to_value(&refused)?["error"]["code"], "unauthenticated");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug)]
pub struct Response {
    correlation_id: Option<MessageId>,
    result: Result<Value, CallError>,
}

/// What is written.
#[derive(Serialize)]
struct Shape<'r> {
    #[serde(flatten)]
    outcome: Outcome<'r>,
    #[serde(skip_serializing_if = "Option::is_none")]
    correlation_id: Option<MessageId>,
}

#[derive(Serialize)]
#[serde(tag = "status", rename_all = "lowercase")]
enum Outcome<'r> {
    Success { result: &'r Value },
    Error { error: Told<'r> },
}

/// An error, for whoever is no Rust program.
#[derive(Serialize)]
struct Told<'r> {
    code: ErrorCode,
    message: String,
    help: &'static str,
    retryable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempts: Option<u32>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    details: Cow<'r, [SchemaFault]>,
}

impl Response {
    /// Of what a call brought.
    #[must_use]
    pub const fn new(result: Result<Value, CallError>) -> Self {
        Self { correlation_id: None, result }
    }

    /// The id of the request, if that is known.
    #[must_use]
    pub const fn correlation_id(&self) -> Option<MessageId> {
        self.correlation_id
    }

    /// The same as before.
    ///
    /// # Errors
    ///
    /// That of the call.
    pub fn into_result(self) -> Result<Value, CallError> {
        self.result
    }
}

/// With the id of the request.
impl From<Reply<Value>> for Response {
    fn from(Reply { correlation_id, result }: Reply<Value>) -> Self {
        Self { correlation_id: Some(correlation_id), result }
    }
}

impl Serialize for Response {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let outcome = match &self.result {
            Ok(result) => Outcome::Success { result },
            Err(error) => Outcome::Error { error: Told::of(error) },
        };
        Shape { correlation_id: self.correlation_id, outcome }.serialize(serializer)
    }
}

impl<'r> Told<'r> {
    fn of(error: &'r CallError) -> Self {
        Self {
            code: error.code(),
            message: error.to_string(),
            help: error.code().help(),
            retryable: error.class() != FailureClass::Permanent,
            retry_after: error.retry_after().map(time::show_wait),
            attempts: Some(error.attempts()).filter(|attempts| *attempts > 1),
            details: details(error),
        }
    }
}

fn details(error: &CallError) -> Cow<'_, [SchemaFault]> {
    match error {
        CallError::Invalid { faults, .. } => Cow::Borrowed(faults),
        CallError::GaveUp { last, .. } => details(last),
        _ => Cow::Borrowed(&[]),
    }
}
