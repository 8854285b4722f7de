//! Where a value stands in a [`Config`], and the rule for it.

use super::Config;
use super::given::Given;
use super::rule::{Rule, Wrong};

/// Leads to one field.
pub(super) struct Place<T> {
    pub(super) read: fn(&Config) -> &T,
    pub(super) write: fn(&mut Config) -> &mut T,
}

/// A field and the rule for its values.
pub(super) struct Ruled<R: Rule> {
    pub(super) place: Place<R::Value>,
    pub(super) rule: R,
}

/// A field, whatever its type.
pub(super) trait Field: Sync {
    /// Puts the value there, unless it is wrong.
    fn put(&self, config: &mut Config, given: &Given) -> Result<(), Wrong>;
    fn show(&self, config: &Config) -> String;
    fn fits(&self, config: &Config) -> bool;
    fn allowed(&self) -> String;
}

impl<R: Rule> Field for Ruled<R> {
    fn put(&self, config: &mut Config, given: &Given) -> Result<(), Wrong> {
        let value = self.rule.read(given)?;
        if !self.rule.fits(&value) {
            return Err(OUT_OF_RANGE.into());
        }
        *(self.place.write)(config) = value;
        Ok(())
    }

    fn show(&self, config: &Config) -> String {
        self.rule.show((self.place.read)(config))
    }

    fn fits(&self, config: &Config) -> bool {
        self.rule.fits((self.place.read)(config))
    }

    fn allowed(&self) -> String {
        self.rule.allowed()
    }
}

/// What is wrong with a value that is of the right kind.
pub(super) const OUT_OF_RANGE: &str = "is out of range";
