//! Reads the texts of a step: handler, paths, expressions, numbers.

use std::collections::{BTreeSet, HashSet};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use callboard_bus::near::nearest;
use callboard_bus::{Expression, Path, time};
use semver::Version;

use super::super::draft::{CompensationDraft, Draft, FailAfterDraft, JoinDraft, MapDraft, SourceDraft};
use super::super::{Compensation, FailAfter, Handler, Join, Limit, Map, STEPS, Source, Step};
use super::{Check, Reference};
use crate::fault::FaultKind;
use crate::file::{At, Position};
use crate::graph::StepIndex;

type Mapping = Vec<(Arc<str>, Source)>;

/// Whose texts are read: the step that a reference belongs to, and what a fault calls it.
#[derive(Clone, Copy)]
struct Owner<'o> {
    step: StepIndex,
    label: &'o str,
    own: bool,
}

impl Check<'_> {
    pub(super) fn version(&mut self, version: &At<String>) -> Option<Version> {
        let found = || version.value.clone();
        let bad = |error: semver::Error| FaultKind::BadVersion { found: found(), reason: error.to_string() };
        self.or_fault(Version::parse(&version.value).map_err(bad), version.at)
    }

    pub(super) fn timeout(&mut self, timeout: Option<&At<Duration>>, of: &str) -> Option<Duration> {
        let timeout = timeout?;
        if timeout.value < Duration::from_millis(1) {
            let (field, found) = (format!("`timeout` of {of}"), time::show(timeout.value));
            self.fault(FaultKind::TooSmall { field, found, least: "1ms" }, timeout.at);
        }
        Some(timeout.value)
    }

    fn limit(&mut self, operation: &At<String>, at_once: &At<u32>) -> Option<Limit> {
        let field = || format!("the limit of `{}`", operation.value);
        let at_once = self.positive(at_once.value, at_once.at, field)?;
        Some(Limit { operation: operation.value.as_str().into(), at_once })
    }

    pub(super) fn limits(&mut self, draft: &Draft) -> Vec<Limit> {
        self.keys_differ(draft.limits.iter().map(|(operation, _)| operation), "`limits`");
        let mut limits: Vec<_> = draft.limits.iter().filter_map(|(name, at_once)| self.limit(name, at_once)).collect();
        limits.sort_by(|one, other| one.operation.cmp(&other.operation));
        limits
    }

    /// A limit for something that nobody calls is most likely a slip.
    pub(super) fn limits_are_used(&mut self, draft: &Draft) {
        let handlers = draft.steps.iter().flat_map(|step| {
            let undo = step.compensate.as_ref().and_then(|undo| undo.handler.as_ref());
            step.handler.as_ref().into_iter().chain(undo)
        });
        let called: BTreeSet<&str> = handlers.filter_map(|handler| handler.value.split('@').next()).collect();
        for (limit, _) in &draft.limits {
            if !called.contains(limit.value.as_str()) {
                let guess = self.guesses.checked_sub(1);
                self.guesses = guess.unwrap_or(0);
                let near = guess.and_then(|_| nearest(&limit.value, called.iter().copied()));
                self.fault(FaultKind::UnusedLimit { operation: limit.value.clone(), near }, limit.at);
            }
        }
    }

    /// Reads one step. All its parts are read before the first one that is missing ends it.
    pub(super) fn step(&mut self, draft: &Draft, index: usize) -> Option<Step> {
        let step = &draft.steps[index];
        let label = step.label(index);
        let owner = Owner { step: StepIndex::new(index), label: &label, own: false };
        let handler = self.handler(step.handler.as_ref(), &label);
        let input_mapping = self.mapping(&step.input_mapping, owner);
        let output_mapping = step.output_mapping.as_ref().map(|outputs| self.outputs(outputs, &label));
        let timeout = self.timeout(step.timeout.as_ref(), &label);
        let when = step.when.as_ref().map(|when| self.expression(when, "when", owner));
        let map = step.map.as_ref().map(|map| self.map(map, owner));
        let join = step.join.map(|join| self.join(join, &label));
        let compensate = step.compensate.as_ref().map(|undo| self.compensation(undo, owner));
        let depends_on = step.depends_on.iter().filter_map(|id| self.ids.get(id.value.as_str()).copied()).collect();
        let step_id: Arc<str> = step.step_id.as_ref()?.value.as_str().into();
        Some(Step {
            name: step.name.clone().unwrap_or_else(|| step_id.to_string()),
            step_id,
            handler: handler?,
            depends_on,
            input_mapping: input_mapping?,
            output_mapping: unless_broken(output_mapping)?,
            timeout,
            retry: step.retry,
            when: unless_broken(when)?,
            join: unless_broken(join)?.unwrap_or_default(),
            map: unless_broken(map)?,
            compensate: unless_broken(compensate)?,
            priority: step.priority,
        })
    }

    fn handler(&mut self, handler: Option<&At<String>>, of: &str) -> Option<Handler> {
        let handler = handler?;
        let parsed = Handler::parse(&handler.value, &format!("the handler of {of}"));
        self.or_fault(parsed, handler.at)
    }

    fn mapping(&mut self, mapping: &[(At<String>, At<SourceDraft>)], owner: Owner<'_>) -> Option<Mapping> {
        self.keys_differ(mapping.iter().map(|(key, _)| key), &format!("`input_mapping` of {}", owner.label));
        let entries: Vec<_> = mapping.iter().map(|(key, source)| self.entry(key, source, owner)).collect();
        in_order(entries.into_iter().collect())
    }

    /// A file has been searched for repeated keys by its reader, and no longer holds any.
    fn keys_differ<'k>(&mut self, keys: impl Iterator<Item = &'k At<String>>, of: &str) {
        let mut seen = HashSet::new();
        for key in keys.filter(|key| !seen.insert(key.value.as_str())).collect::<Vec<_>>() {
            self.fault(FaultKind::DuplicateKey { key: key.value.clone(), of: of.to_owned() }, key.at);
        }
    }

    fn entry(&mut self, key: &At<String>, source: &At<SourceDraft>, owner: Owner<'_>) -> Option<(Arc<str>, Source)> {
        let field = format!("input `{}` of {}", key.value, owner.label);
        let read = match &source.value {
            SourceDraft::Value(value) => Source::Value(value.clone()),
            SourceDraft::Path(text) => {
                let path = self.path(&At { value: text.clone(), at: source.at, inside: source.inside }, &field)?;
                let (step, own) = (owner.step, owner.own);
                self.references.push(Reference { step, field, path: path.clone(), at: source.at, own });
                Source::Path(path)
            }
        };
        Some((key.value.as_str().into(), read))
    }

    fn outputs(&mut self, outputs: &[(At<String>, At<String>)], label: &str) -> Option<Vec<(Arc<str>, Path)>> {
        self.keys_differ(outputs.iter().map(|(key, _)| key), &format!("`output_mapping` of {label}"));
        let mut paths = Vec::new();
        for (key, path) in outputs {
            if key.value == STEPS {
                let field = format!("`output_mapping` of {label}");
                self.fault(FaultKind::ReservedKey { field, key: key.value.clone() }, key.at);
            }
            let read = self.path(path, &format!("output `{}` of {label}", key.value));
            paths.push(read.map(|path| (key.value.as_str().into(), path)));
        }
        in_order(paths.into_iter().collect())
    }

    fn path(&mut self, text: &At<String>, field: &str) -> Option<Path> {
        let bad = |error: &callboard_bus::PathError| {
            let kind = FaultKind::BadPath { field: field.to_owned(), reason: error.to_string() };
            (kind, text.character(characters(&text.value, error.at())))
        };
        let read = text.value.parse::<Path>().map_err(|error| bad(&error));
        read.map_err(|(kind, at)| self.fault(kind, at)).ok()
    }

    fn expression(&mut self, text: &At<String>, name: &str, owner: Owner<'_>) -> Option<Expression> {
        let field = format!("`{name}` of {}", owner.label);
        match text.value.parse::<Expression>() {
            Ok(expression) => {
                let (step, at, own) = (owner.step, text.at, owner.own);
                let reference = |path: &Path| Reference { step, field: field.clone(), path: path.clone(), at, own };
                self.references.extend(expression.paths().map(reference));
                Some(expression)
            }
            Err(error) => {
                let at = text.character(characters(&text.value, error.at()));
                self.fault(FaultKind::BadExpression { field, reason: error.to_string() }, at);
                None
            }
        }
    }

    fn map(&mut self, map: &MapDraft, owner: Owner<'_>) -> Option<Map> {
        let of = owner.label;
        let over = map.over.as_ref().map(|over| self.expression(over, "map.over", owner));
        let most = map.max_parallel.as_ref();
        let most = most.map(|most| self.positive(most.value, most.at, || format!("`max_parallel` of {of}")));
        let fail_after = map.fail_after.as_ref().map(|failed| self.fail_after(failed, of));
        if map.over.is_none() && self.faults.is_empty() {
            self.fault(FaultKind::MissingField { field: "over", of: format!("`map` of {of}") }, None);
        }
        Some(Map {
            over: over??,
            max_parallel: unless_broken(most)?,
            fail_after: unless_broken(fail_after)?.unwrap_or_default(),
        })
    }

    fn fail_after(&mut self, failed: &At<FailAfterDraft>, of: &str) -> Option<FailAfter> {
        let field = || format!("`fail_after` of {of}");
        match failed.value {
            FailAfterDraft::Items(items) => self.positive(items, failed.at, field).map(FailAfter::Items),
            FailAfterDraft::Percent(percent) if percent > 100 => {
                let (field, found) = (field(), format!("{percent}%"));
                self.fault(FaultKind::TooLarge { field, found, most: "100%".to_owned() }, failed.at);
                None
            }
            FailAfterDraft::Percent(percent) => self.positive(percent, failed.at, field).map(FailAfter::Percent),
        }
    }

    fn join(&mut self, join: At<JoinDraft>, of: &str) -> Option<Join> {
        match join.value {
            JoinDraft::Word(join) => Some(join),
            JoinDraft::Number(number) => {
                self.positive(number, join.at, || format!("`join` of {of}")).map(Join::AtLeast)
            }
        }
    }

    fn compensation(&mut self, undo: &CompensationDraft, owner: Owner<'_>) -> Option<Compensation> {
        let label = format!("the compensation of {}", owner.label);
        let owner = Owner { label: &label, own: true, ..owner };
        let handler = self.handler(undo.handler.as_ref(), &label);
        let input_mapping = undo.input_mapping.as_ref().map(|mapping| self.mapping(mapping, owner));
        let timeout = self.timeout(undo.timeout.as_ref(), &label);
        let (input_mapping, retry) = (unless_broken(input_mapping)?, undo.retry);
        Some(Compensation { handler: handler?, input_mapping, timeout, retry })
    }

    fn positive(&mut self, number: u32, at: Option<Position>, field: impl Fn() -> String) -> Option<NonZeroU32> {
        let positive = NonZeroU32::new(number);
        if positive.is_none() {
            self.fault(FaultKind::TooSmall { field: field(), found: "0".to_owned(), least: "1" }, at);
        }
        positive
    }
}

/// A part that nobody wrote is no hindrance; one that was written and could not be read is.
fn unless_broken<T>(part: Option<Option<T>>) -> Option<Option<T>> {
    part.map_or(Some(None), |read| read.map(Some))
}

/// Mappings have no order of their own, so they are kept in that of their keys and two are equal if they say the same.
fn in_order<T>(entries: Option<Vec<(Arc<str>, T)>>) -> Option<Vec<(Arc<str>, T)>> {
    entries.map(|mut entries| {
        entries.sort_by(|(one, _), (other, _)| one.cmp(other));
        entries
    })
}

/// How many characters the first `bytes` of a text are.
fn characters(text: &str, bytes: usize) -> usize {
    text.char_indices().take_while(|(at, _)| *at < bytes).count()
}
