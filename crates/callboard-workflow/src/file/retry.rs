//! The retry policies of a file.

use std::time::Duration;

use callboard_bus::RetryPolicy;
use callboard_bus::retry::{Jitter, RetryPolicyBuilder};

use super::Reader;
use super::fields::{Field, Fields, named};
use super::node::{Kind, Node};
use crate::fault::FaultKind;

/// The fields of `retry`. What is left out is as in [`RetryPolicy::default`].
pub(super) const RETRY_FIELDS: &[Field] = &[
    Field::optional("max_retries"),
    Field::optional("initial_delay"),
    Field::optional("factor"),
    Field::optional("max_delay"),
    Field::optional("jitter"),
];

const JITTERS: [(&str, Jitter); 2] = [("none", Jitter::None), ("full", Jitter::Full)];

pub(super) fn retry_field(reader: &mut Reader, fields: &Fields<'_>, of: &str) -> Option<RetryPolicy> {
    let node = fields.get("retry")?;
    let of = named("retry", of);
    let fields = reader.fields(node, &of, RETRY_FIELDS)?;
    let policy = builder(reader, &fields, &of).build();
    let bad = |error: callboard_bus::retry::RetryPolicyError| {
        let place = fields.get(error.field()).unwrap_or(node).at;
        reader.fault(FaultKind::BadRetry { field: of, reason: error.to_string() }, place);
    };
    policy.map_err(bad).ok()
}

fn builder(reader: &mut Reader, fields: &Fields<'_>, of: &str) -> RetryPolicyBuilder {
    let mut builder = RetryPolicy::builder();
    if let Some(retries) = reader.whole_field(fields, "max_retries", of) {
        builder = builder.max_retries(retries.value);
    }
    if let Some(delay) = duration(reader, fields, "initial_delay", of) {
        builder = builder.initial_delay(delay);
    }
    if let Some(factor) = fields.get("factor").and_then(|node| factor(reader, node, of)) {
        builder = builder.factor(factor);
    }
    if let Some(delay) = duration(reader, fields, "max_delay", of) {
        builder = builder.max_delay(delay);
    }
    let jitter = fields.get("jitter");
    match jitter.and_then(|node| reader.word(node, &named("jitter", of), &JITTERS, "none or full")) {
        Some(jitter) => builder.jitter(jitter),
        None => builder,
    }
}

fn duration(reader: &mut Reader, fields: &Fields<'_>, name: &str, of: &str) -> Option<Duration> {
    reader.duration_field(fields, name, of).map(|duration| duration.value)
}

fn factor(reader: &mut Reader, node: &Node, of: &str) -> Option<f64> {
    let factor = if let Kind::Number(number) = &node.kind { number.as_f64() } else { None };
    factor.or_else(|| reader.wrong(node, &named("factor", of), "a number"))
}
