//! What has changed between two [`Export`]s, and whether those who use the modules can live with it. Pure.
//!
//! | change | step of the version |
//! |---|---|
//! | a module or an operation is gone | major |
//! | an operation takes less than before, or may answer what it did not | major |
//! | an operation is new, or takes more, or answers otherwise and as readably; the module needs something else | minor |
//! | other words for the same; descriptions, tags | patch |
//!
//! Before 1.0.0 the steps are one place further to the right, as `^` has it. A change of which it cannot be told whether
//! it breaks anything counts as one that does.
//!
//! ```
//! use callboard_bus::contract::{Export, ExportedModule, diff::diff};
//! use semver::Version;
//! use serde_json::json;
//!
//! let module = |minor, taken: &str| {
//!     let storage = ExportedModule::new("storage", Version::new(1, minor, 0));
//!     storage.operation("put", json!({ "type": taken }), json!(true))
//! };
//! let report = diff(&Export::new([module(0, "number")]), &Export::new([module(1, "integer")]));
//! assert!(!report.is_kept());
//! assert_eq!(report.to_string(), "storage 1.0.0 → 1.1.0: a major step is needed, and it took a minor one\n  \
//!     breaking: `put` takes less than before: /: it is number, where integer is taken\n");
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use semver::Version;

use super::{Export, ExportedModule, ExportedOperation};
use crate::redaction::OneLine;
use crate::schema::compatibility::{Misfit, are_equal, misfits};

/// How far a version goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Not at all.
    None,
    /// Nobody has to do anything.
    Patch,
    /// There is something new.
    Minor,
    /// Somebody may have to change.
    Major,
}

/// What a change is to those who use the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// They need not change.
    Compatible,
    /// They may have to.
    Breaking,
    /// It cannot be told, so somebody has to look.
    Undecided,
}

/// What has changed in one module.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Change {
    /// What.
    pub kind: ChangeKind,
    /// What it is to others.
    pub verdict: Verdict,
    /// How far the version has to go for it.
    pub step: Step,
}

/// What has changed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeKind {
    /// The module is new.
    #[error("the module is new")]
    ModuleAdded,
    /// The module is gone.
    #[error("the module is gone")]
    ModuleRemoved,
    /// An operation is new.
    #[error("`{0}` is new")]
    OperationAdded(String),
    /// An operation is gone.
    #[error("`{0}` is gone")]
    OperationRemoved(String),
    /// An operation takes all that it took, and more.
    #[error("`{0}` takes more than before")]
    InputWidened(String),
    /// An operation may refuse what it took.
    #[error("`{operation}` takes less than before: {}", Listed(misfits))]
    InputNarrowed {
        /// Its name.
        operation: String,
        /// Where.
        misfits: Vec<Misfit>,
    },
    /// An operation may answer what nobody expects.
    #[error("`{operation}` answers otherwise than before: {}", Listed(misfits))]
    OutputWidened {
        /// Its name.
        operation: String,
        /// Where.
        misfits: Vec<Misfit>,
    },
    /// An operation answers otherwise, and whoever could read its answers before still can.
    #[error("`{0}` answers otherwise, and as readably as before")]
    OutputRefined(String),
    /// The schemas of an operation say the same in other words.
    #[error("`{0}` is described in other words")]
    OperationReworded(String),
    /// The module needs something else than it did.
    #[error("it requires {}", Needs(added, removed))]
    Requires {
        /// What it did not need.
        added: Vec<String>,
        /// What it needs no more.
        removed: Vec<String>,
    },
    /// The module is described in other words, or has other tags.
    #[error("it is described in other words")]
    Reworded,
}

/// What has become of one module.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ModuleDiff {
    /// Its name.
    pub module: String,
    /// Its version before; nothing when it is new.
    pub old: Option<Version>,
    /// Its version now; nothing when it is gone.
    pub new: Option<Version>,
    /// The changes; none when only the version is another.
    pub changes: Vec<Change>,
    /// How far the version has to go.
    pub needed: Step,
    /// How far it went. It goes nowhere when it goes back.
    pub taken: Step,
}

/// What has become of all modules that are not as they were.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct DiffReport {
    /// By name.
    pub modules: Vec<ModuleDiff>,
}

/// What has changed. A version of a module is held against the same one, or against the highest if that is gone.
#[must_use]
pub fn diff(old: &Export, new: &Export) -> DiffReport {
    let names: BTreeSet<&str> = old.modules.iter().chain(&new.modules).map(|module| module.name.as_str()).collect();
    DiffReport { modules: names.into_iter().flat_map(|name| of_name(&named(old, name), &named(new, name))).collect() }
}

impl DiffReport {
    /// Whether every version went as far as its changes need.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.modules.iter().all(ModuleDiff::is_kept)
    }
}

impl ModuleDiff {
    /// Whether the version went as far as the changes need. A module that is gone has no version that could tell, and
    /// one that is new may have any.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        match (&self.old, &self.new) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(old), Some(new)) => old <= new && self.taken >= self.needed,
        }
    }

    fn new(old: Option<&ExportedModule>, new: Option<&ExportedModule>) -> Option<Self> {
        let module = old.or(new)?.name.clone();
        let changes = match (old, new) {
            (Some(old), Some(new)) => changes(old, new),
            (Some(_), None) => vec![Change::breaking(ChangeKind::ModuleRemoved)],
            (None, _) => vec![Change::compatible(ChangeKind::ModuleAdded, Step::None)],
        };
        let [old, new] = [old, new].map(|module| module.map(|module| module.version.clone()));
        let needed = changes.iter().map(|change| change.step).max().unwrap_or(Step::None);
        let taken = old.as_ref().zip(new.as_ref()).map_or(Step::None, |(old, new)| taken(old, new));
        let has_changed = !changes.is_empty() || old != new;
        has_changed.then_some(Self { module, old, new, changes, needed, taken })
    }
}

impl Change {
    const fn compatible(kind: ChangeKind, step: Step) -> Self {
        Self { kind, verdict: Verdict::Compatible, step }
    }

    const fn breaking(kind: ChangeKind) -> Self {
        Self { kind, verdict: Verdict::Breaking, step: Step::Major }
    }

    /// Breaking, if any of these is known.
    fn because_of(found: &[Misfit], kind: ChangeKind) -> Self {
        let is_open = found.iter().all(|misfit| misfit.undecided().is_some());
        Self { verdict: if is_open { Verdict::Undecided } else { Verdict::Breaking }, ..Self::breaking(kind) }
    }
}

fn named<'a>(export: &'a Export, name: &str) -> Vec<&'a ExportedModule> {
    export.modules.iter().filter(|module| module.name == name).collect()
}

fn of_name(old: &[&ExportedModule], new: &[&ExportedModule]) -> Vec<ModuleDiff> {
    let highest = |modules: &[&'_ ExportedModule]| modules.iter().map(|module| module.version.clone()).max();
    let at = |version: Option<&Version>| new.iter().copied().find(|module| Some(&module.version) == version);
    let top = highest(new);
    if old.is_empty() {
        return ModuleDiff::new(None, at(top.as_ref())).into_iter().collect();
    }
    let pairs = old.iter().map(|old| (*old, at(Some(&old.version)).or_else(|| at(top.as_ref()))));
    pairs.filter_map(|(old, new)| ModuleDiff::new(Some(old), new)).collect()
}

fn changes(old: &ExportedModule, new: &ExportedModule) -> Vec<Change> {
    let [before, after] = [old, new].map(|module| -> BTreeMap<&str, &ExportedOperation> {
        module.operations.iter().map(|operation| (operation.name.as_str(), operation)).collect()
    });
    let gone = before.keys().filter(|name| !after.contains_key(*name));
    let mut found: Vec<_> =
        gone.map(|name| Change::breaking(ChangeKind::OperationRemoved((*name).to_owned()))).collect();
    for (name, operation) in after {
        match before.get(name) {
            Some(known) => found.extend(operation_changes(known, operation)),
            None => found.push(Change::compatible(ChangeKind::OperationAdded(name.to_owned()), Step::Minor)),
        }
    }
    found.extend(requirement_change(old, new));
    if (&old.description, &old.tags) != (&new.description, &new.tags) {
        found.push(Change::compatible(ChangeKind::Reworded, Step::Patch));
    }
    found
}

fn operation_changes(old: &ExportedOperation, new: &ExportedOperation) -> Vec<Change> {
    let found: Vec<_> = [input_change(old, new), output_change(old, new)].into_iter().flatten().collect();
    if found.is_empty() && old != new {
        return vec![Change::compatible(ChangeKind::OperationReworded(new.name.clone()), Step::Patch)];
    }
    found
}

fn input_change(old: &ExportedOperation, new: &ExportedOperation) -> Option<Change> {
    let (operation, misfits) = (new.name.clone(), misfits(&old.input, &new.input));
    if misfits.is_empty() {
        let widened = Change::compatible(ChangeKind::InputWidened(operation), Step::Minor);
        return (!are_equal(&old.input, &new.input)).then_some(widened);
    }
    Some(Change::because_of(&misfits.clone(), ChangeKind::InputNarrowed { operation, misfits }))
}

fn output_change(old: &ExportedOperation, new: &ExportedOperation) -> Option<Change> {
    let (operation, misfits) = (new.name.clone(), misfits(&new.output, &old.output));
    if misfits.is_empty() {
        let refined = Change::compatible(ChangeKind::OutputRefined(operation), Step::Minor);
        return (!are_equal(&old.output, &new.output)).then_some(refined);
    }
    Some(Change::because_of(&misfits.clone(), ChangeKind::OutputWidened { operation, misfits }))
}

/// Those who use the module do not see what it needs. Those who run it do.
fn requirement_change(old: &ExportedModule, new: &ExportedModule) -> Option<Change> {
    let missing = |from: &ExportedModule, of: &ExportedModule| -> Vec<String> {
        of.requires.iter().filter(|required| !from.requires.contains(required)).cloned().collect()
    };
    let (added, removed) = (missing(old, new), missing(new, old));
    let step = if added.is_empty() { Step::Patch } else { Step::Minor };
    let is_same = added.is_empty() && removed.is_empty();
    (!is_same).then(|| Change::compatible(ChangeKind::Requires { added, removed }, step))
}

/// By the place of the first number that is not 0, as `^` has it.
fn taken(old: &Version, new: &Version) -> Step {
    let numbers = |version: &Version| [version.major, version.minor, version.patch];
    let (before, after) = (numbers(old), numbers(new));
    let leading = before.iter().position(|number| *number != 0).unwrap_or(2);
    match before.iter().zip(&after).position(|(before, after)| before != after) {
        _ if new <= old => Step::None,
        Some(place) if place <= leading => Step::Major,
        Some(place) if place == leading + 1 => Step::Minor,
        _ => Step::Patch,
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "no",
            Self::Patch => "patch",
            Self::Minor => "minor",
            Self::Major => "major",
        })
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = match self.verdict {
            Verdict::Compatible => "compatible",
            Verdict::Breaking => "breaking",
            Verdict::Undecided => "undecided",
        };
        // Names are those of whoever wrote the files.
        write!(f, "{verdict}: {}", OneLine(&self.kind.to_string()))
    }
}

/// What to do about the version, and below it a line for each change.
impl fmt::Display for ModuleDiff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { module, needed, taken, .. } = self;
        let module = OneLine(module);
        match (&self.old, &self.new) {
            (Some(old), Some(new)) => {
                writeln!(f, "{module} {old} → {new}: {} is needed, and it took {}", Goes(*needed), Taken(*taken))?;
            }
            (Some(version), None) | (None, Some(version)) => writeln!(f, "{module} {version}")?,
            (None, None) => writeln!(f, "{module}")?,
        }
        self.changes.iter().try_for_each(|change| writeln!(f, "  {change}"))
    }
}

impl fmt::Display for DiffReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.modules.iter().try_for_each(|module| module.fmt(f))
    }
}

/// `a minor step`.
struct Goes(Step);

impl fmt::Display for Goes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == Step::None { f.write_str("no step") } else { write!(f, "a {} step", self.0) }
    }
}

/// `a minor one`.
struct Taken(Step);

impl fmt::Display for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == Step::None { f.write_str("none") } else { write!(f, "a {} one", self.0) }
    }
}

struct Listed<'a>(&'a [Misfit]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.iter().map(Misfit::to_string).collect::<Vec<_>>().join("; "))
    }
}

struct Needs<'a>(&'a [String], &'a [String]);

impl fmt::Display for Needs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(added, removed) = self;
        let words = [("now also ", added), ("no more ", removed)];
        let words = words.iter().filter(|(_, names)| !names.is_empty());
        f.write_str(&words.map(|(word, names)| format!("{word}{}", names.join(", "))).collect::<Vec<_>>().join(", "))
    }
}

#[cfg(test)]
mod tests;
