//! How far in a walk is that follows the types of serde, and so takes stack.

use super::{Value, ValueError};

/// Containers and wrappers around a value. Options and newtypes leave no trace in a value, so a type that wraps nothing
/// but itself could be entered for ever.
#[derive(Clone, Copy, Default)]
pub(super) struct Depth {
    containers: usize,
    wrappers: usize,
}

/// Room for a few wrappers around every container.
const MAX_WRAPPERS: usize = 4 * Value::MAX_DEPTH;

impl Depth {
    /// One container further in.
    pub(super) fn enter(self) -> Result<Self, ValueError> {
        let is_room = self.containers < Value::MAX_DEPTH;
        let inner = Self { containers: self.containers + 1, ..self };
        if is_room { Ok(inner) } else { Err(too_deep("arrays and objects", Value::MAX_DEPTH)) }
    }

    /// One option or newtype further in.
    pub(super) fn wrap(self) -> Result<Self, ValueError> {
        let is_room = self.wrappers < MAX_WRAPPERS;
        let inner = Self { wrappers: self.wrappers + 1, ..self };
        if is_room { Ok(inner) } else { Err(too_deep("options and newtypes", MAX_WRAPPERS)) }
    }
}

fn too_deep(what: &str, limit: usize) -> ValueError {
    ValueError::new(format_args!("more than {limit} {what} inside each other"))
}
