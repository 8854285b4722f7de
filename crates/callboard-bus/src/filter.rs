//! Which events a subscription wants beyond their names: [`Filter`].

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::event::Event;
use crate::expression::Expression;
use crate::value::{Object, Path, Value};

/// A condition on events, as a closure or as an [`Expression`].
///
/// An expression sees the event as an object: `name`, `data`, `time` (seconds since the Unix epoch), `source`, `id`,
/// `channel` (null for none), `type` and `priority`. The names of the original shape, `Name`, `Data`, `Timestamp`,
/// `Source`, `Id`, `Channel`, `MessageType` and `Priority`, stand for the same.
pub(crate) enum Filter {
    Closure(Box<dyn Fn(&Event) -> bool + Send + Sync>),
    Expression(Expression),
}

/// A filter that panicked or whose expression does not fit the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FilterFailed;

impl Filter {
    /// Whether it accepts the event.
    pub(crate) fn accepts(&self, event: &Event) -> Result<bool, FilterFailed> {
        match self {
            Self::Closure(closure) => catch_unwind(AssertUnwindSafe(|| closure(event))).map_err(|_| FilterFailed),
            Self::Expression(expression) => expression.is_true(&context(expression, event)).map_err(|_| FilterFailed),
        }
    }

    /// Its text, if it has one.
    pub(crate) fn text(&self) -> Option<String> {
        match self {
            Self::Closure(_) => None,
            Self::Expression(expression) => Some(expression.to_string()),
        }
    }
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closure(_) => f.write_str("Filter(closure)"),
            Self::Expression(expression) => write!(f, "Filter({expression})"),
        }
    }
}

const FIELDS: [&str; 8] = ["name", "data", "time", "source", "id", "channel", "type", "priority"];

/// The event as its expression sees it: no more of it than that asks for.
fn context(expression: &Expression, event: &Event) -> Value {
    let mut entries: Vec<(&str, Value)> = Vec::new();
    for path in expression.paths() {
        for key in first_keys(path) {
            if let Some(value) = field(key, event)
                && entries.iter().all(|(known, _)| *known != key)
            {
                entries.push((key, value));
            }
        }
    }
    entries.into_iter().collect::<Object>().into()
}

/// The key that a path begins with, or all of them where it stands for the whole.
fn first_keys(path: &Path) -> Vec<&str> {
    match path.segments().first() {
        Some(first) => vec![first.key()],
        None => FIELDS.to_vec(),
    }
}

fn field(key: &str, event: &Event) -> Option<Value> {
    Some(match key {
        "name" | "Name" => event.name.as_str().into(),
        "data" | "Data" => event.data.clone(),
        "time" | "Timestamp" => seconds(event.time),
        "source" | "Source" => event.source.as_str().into(),
        "id" | "Id" => event.id.to_string().into(),
        "channel" | "Channel" => event.channel().map_or(Value::Null, |channel| channel.as_str().into()),
        "type" | "MessageType" => event.message_type().into(),
        "priority" | "Priority" => event.priority.as_str().into(),
        _ => return None,
    })
}

fn seconds(time: SystemTime) -> Value {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    Value::try_from(since.as_secs_f64()).unwrap_or_default()
}
