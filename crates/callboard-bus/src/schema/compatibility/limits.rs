//! Rules for numbers, texts, lengths and counts.

use std::cmp::Ordering;

use serde_json::Value as Json;

use super::literal::{Literal, count, number};
use super::shape::Shape;
use super::types::Types;
use super::{Misfit, Reason, misfit, unknown};
use crate::value::Number;

/// The end of a range, and whether it belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct End {
    number: Number,
    is_outside: bool,
}

/// The rules for scalars; nothing for any other keyword.
pub(super) fn check(output: &Shape<'_>, keyword: &str, value: &Json, at: &str) -> Vec<Misfit> {
    let types = output.types();
    if types.meets(Types::NUMBER)
        && let Some(found) = check_number(output, keyword, value, at)
    {
        return found;
    }
    if types.meets(Types::STRING)
        && let Some(found) = check_text(output, keyword, value, at)
    {
        return found;
    }
    Vec::new()
}

pub(super) fn at_least(keyword: &'static str, value: &Json, least: Option<u64>, at: &str) -> Vec<Misfit> {
    let Some(limit) = count(value) else { return unknown(keyword, at) };
    if least.unwrap_or(0) >= limit { Vec::new() } else { broken(keyword, value, at) }
}

pub(super) fn at_most(keyword: &'static str, value: &Json, most: Option<u64>, at: &str) -> Vec<Misfit> {
    let Some(limit) = count(value) else { return unknown(keyword, at) };
    if most.is_some_and(|most| most <= limit) { Vec::new() } else { broken(keyword, value, at) }
}

pub(super) fn broken(keyword: &'static str, value: &Json, at: &str) -> Vec<Misfit> {
    let limit = value.as_str().map_or_else(|| value.to_string(), |text| format!("`{text}`"));
    misfit(at, Reason::Limit { keyword, limit })
}

/// Whether the two have no number in common.
pub(super) fn are_apart(one: &Shape<'_>, other: &Shape<'_>) -> bool {
    let is_below = |high: Option<End>, low: Option<End>| match (high, low) {
        (Some(high), Some(low)) => match high.number.cmp(&low.number) {
            Ordering::Less => true,
            Ordering::Equal => high.is_outside || low.is_outside,
            Ordering::Greater => false,
        },
        _ => false,
    };
    is_below(high(one), low(other)) || is_below(high(other), low(one))
}

/// The fewest and the most letters.
pub(super) fn lengths(output: &Shape<'_>) -> (u64, Option<u64>) {
    match output.literal().and_then(Literal::text) {
        Some(text) => (text.chars().count() as u64, Some(text.chars().count() as u64)),
        None => (output.most("minLength").unwrap_or(0), output.least("maxLength")),
    }
}

fn check_number(output: &Shape<'_>, keyword: &str, value: &Json, at: &str) -> Option<Vec<Misfit>> {
    let (keyword, fits) = match keyword {
        "minimum" => ("minimum", is_from(output, value, false)),
        "exclusiveMinimum" => ("exclusiveMinimum", is_from(output, value, true)),
        "maximum" => ("maximum", is_to(output, value, false)),
        "exclusiveMaximum" => ("exclusiveMaximum", is_to(output, value, true)),
        "multipleOf" => ("multipleOf", number(value).map(|step| is_multiple(output, step))),
        "format" => ("format", Some(has_format(output, value.as_str()?)?)),
        _ => return None,
    };
    Some(match fits {
        None => unknown(keyword, at),
        Some(true) => Vec::new(),
        Some(false) => broken(keyword, value, at),
    })
}

fn check_text(output: &Shape<'_>, keyword: &str, value: &Json, at: &str) -> Option<Vec<Misfit>> {
    let (least, most) = lengths(output);
    let says_so = |keyword| output.all(keyword).any(|own| own == value);
    Some(match keyword {
        "minLength" => at_least("minLength", value, Some(least), at),
        "maxLength" => at_most("maxLength", value, most, at),
        // No pattern is run here, so it is not known of a literal either.
        "pattern" if output.literal().is_some() && !says_so("pattern") => unknown("pattern", at),
        "pattern" if !says_so("pattern") => broken("pattern", value, at),
        "format" if is_of_numbers(value) || says_so("format") => Vec::new(),
        "format" if output.literal().is_some() => unknown("format", at),
        "format" => broken("format", value, at),
        _ => return None,
    })
}

fn is_from(output: &Shape<'_>, value: &Json, is_outside: bool) -> Option<bool> {
    let limit = number(value)?;
    let fits = |low: End| (low.number, low.is_outside) >= (limit, is_outside);
    Some(low(output).is_some_and(fits))
}

fn is_to(output: &Shape<'_>, value: &Json, is_outside: bool) -> Option<bool> {
    let limit = number(value)?;
    let fits = |high: End| (high.number, !high.is_outside) <= (limit, !is_outside);
    Some(high(output).is_some_and(fits))
}

fn low(output: &Shape<'_>) -> Option<End> {
    ends(output, "minimum", "exclusiveMinimum").max_by_key(|end| (end.number, end.is_outside))
}

fn high(output: &Shape<'_>) -> Option<End> {
    ends(output, "maximum", "exclusiveMaximum").min_by_key(|end| (end.number, !end.is_outside))
}

fn ends(output: &Shape<'_>, inside: &'static str, outside: &'static str) -> impl Iterator<Item = End> {
    let literal = output.literal().and_then(Literal::number);
    let inside = output.all(inside).filter_map(number).chain(literal);
    let outside = output.all(outside).filter_map(number);
    let end = |is_outside| move |number| End { number, is_outside };
    inside.map(end(false)).chain(outside.map(end(true)))
}

/// Only of whole numbers, as floats would be divided with a rest that is not theirs.
fn is_multiple(output: &Shape<'_>, step: Number) -> bool {
    let whole = |number: Number| number.as_whole().or_else(|| whole_float(number.as_f64()));
    let Some(step) = whole(step).filter(|step| *step > 0) else { return false };
    let is_whole = !output.types().meets(Types::FRACTION);
    let is_multiple = |number: Number| whole(number).is_some_and(|number| number % step == 0);
    let literal = output.literal().and_then(Literal::number);
    let said = output.all("multipleOf").filter_map(number).chain(literal).any(is_multiple);
    said || (is_whole && step == 1)
}

fn whole_float(float: f64) -> Option<i128> {
    (float.fract() == 0.0 && float.abs() <= 1e15).then_some(float as i128)
}

/// Whether numbers are of the format; nothing when it is none of numbers.
fn has_format(output: &Shape<'_>, format: &str) -> Option<bool> {
    if is_of_floats(format) {
        return Some(true);
    }
    let (least, most) = range(format)?;
    let (own_least, own_most) = own_range(output);
    Some(own_least.is_some_and(|own| own >= least) && own_most.is_some_and(|own| own <= most))
}

/// What formats and bounds of an output say of its whole numbers.
fn own_range(output: &Shape<'_>) -> (Option<i128>, Option<i128>) {
    let formats: Vec<_> = output.all("format").filter_map(Json::as_str).filter_map(range).collect();
    let whole = |end: End| end.number.as_whole().or_else(|| whole_float(end.number.as_f64()));
    let least = formats.iter().map(|(least, _)| *least).chain(low(output).and_then(whole)).max();
    let most = formats.iter().map(|(_, most)| *most).chain(high(output).and_then(whole)).min();
    (least, most)
}

/// The range of `int32`, `uint8` and the like; of 128 bits without a sign, as much as there is room for.
fn range(format: &str) -> Option<(i128, i128)> {
    let (bits, is_signed) = match format.strip_prefix('u') {
        Some(rest) => (rest.strip_prefix("int")?, false),
        None => (format.strip_prefix("int")?, true),
    };
    let bits: u32 = if bits.is_empty() { 64 } else { bits.parse().ok()? };
    match (bits, is_signed) {
        (1..=128, true) => Some((i128::MIN >> (128 - bits), i128::MAX >> (128 - bits))),
        (1..=127, false) => Some((0, i128::MAX >> (127 - bits))),
        (128, false) => Some((0, i128::MAX)),
        _ => None,
    }
}

fn is_of_floats(format: &str) -> bool {
    matches!(format, "float" | "double")
}

fn is_of_numbers(format: &Json) -> bool {
    format.as_str().is_some_and(|format| is_of_floats(format) || range(format).is_some())
}
