//! Whether what one side writes is what the other side reads, told from their JSON Schemas (draft 2020-12). Pure.
//!
//! ```
//! use callboard_bus::schema::compatibility::misfits;
//! use serde_json::json;
//!
//! let output = json!({ "type": "object", "properties": { "rows": { "type": "string" } } });
//! let input = json!({ "type": "object", "properties": { "rows": { "type": "integer" } }, "required": ["rows"] });
//! let found: Vec<String> = misfits(&output, &input).iter().map(ToString::to_string).collect();
//! assert_eq!(found, ["/rows: it is string, where integer is taken", "/rows: it is required and may be missing"]);
//! ```
//!
//! # What an answer means
//!
//! No misfit is a promise: every value of the output is one of the input. A misfit is where that cannot be promised,
//! because it is not so, or because the question goes beyond what is understood here; [`Misfit::undecided`] tells the
//! two apart. It never answers for a rule that it does not know.
//!
//! - An object of the output that names its properties has no others, unless it says so with `additionalProperties` or
//!   the like: it is a struct that serde has written. An input is read to the letter.
//! - A `format` of the input asks for the same format. Those of integers and of floats are ranges.
//! - References are followed inside a document; types may contain themselves.
//! - Beyond it are, in an input: `if`, `contains`, `unevaluatedProperties`, `dependentSchemas` and their like, names by
//!   pattern that the output does not have, anchors, and references to elsewhere. In an output they are passed over,
//!   which makes it wider and never narrower.

mod arrays;
mod disjoint;
mod limits;
mod literal;
mod node;
mod objects;
mod shape;
mod types;

use std::collections::HashMap;
use std::fmt;

use serde_json::Value as Json;
use thiserror::Error;

use self::node::Node;
use self::shape::{Key, Shape};
pub use self::types::Types;
use crate::redaction::OneLine;

/// Comparisons inside each other, at most: the stack of the caller is finite.
const MOST_LEVELS: usize = 64;
/// Comparisons in all, at most: what is shared may be met very often.
const MOST_STEPS: usize = 100_000;
/// Misfits in all, at most: nobody reads more.
const MOST_MISFITS: usize = 100;

/// Where an output does not fit, or may not.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Misfit {
    /// A JSON Pointer into the payload. `*` stands for any item of a list, and for any property that has no name of its
    /// own.
    pub path: String,
    /// What is the matter there.
    pub reason: Reason,
}

/// Why an output does not fit, or may not.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Reason {
    /// It may be of a type that is not taken.
    #[error("it is {output}, where {input} is taken")]
    Type {
        /// What it may be.
        output: Types,
        /// What is taken.
        input: Types,
    },
    /// A property that must be there.
    #[error("it is required and may be missing")]
    Missing,
    /// Nothing may be here.
    #[error("it is refused")]
    Refused,
    /// Only these values are taken.
    #[error("it may be something else than {taken}")]
    Values {
        /// The values, as JSON.
        taken: String,
    },
    /// A rule for numbers, texts, lengths or counts.
    #[error("it may break `{keyword}` {limit}")]
    Limit {
        /// The keyword of JSON Schema.
        keyword: &'static str,
        /// What stands beside it.
        limit: String,
    },
    /// It does not fit any of several ways in which it may be taken.
    #[error("it may fit none of the {count} alternatives")]
    NoAlternative {
        /// How many there are.
        count: usize,
    },
    /// It may well fit.
    #[error("it cannot be decided: {0}")]
    Undecided(Undecided),
}

/// Why it cannot be told whether an output fits.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Undecided {
    /// A keyword that is not understood here, or has a value that makes no sense.
    #[error("`{0}` is beyond this check")]
    Keyword(String),
    /// A reference that leads nowhere inside its document.
    #[error("the reference `{0}` does not lead to a schema of the same document")]
    Reference(String),
    /// Another draft of JSON Schema.
    #[error("the schema is written in `{0}` and not in the draft 2020-12")]
    Dialect(String),
    /// Neither an object nor a truth value.
    #[error("there is no schema")]
    NoSchema,
    /// It may fit two of the ways of which exactly one must be.
    #[error("two of the alternatives may fit at once")]
    Overlap,
    /// A schema that is made of itself and nothing else.
    #[error("the schema never says anything")]
    Endless,
    /// More comparisons than are made, or more of them inside each other.
    #[error("the schemas are too large or too deep")]
    TooLarge,
}

impl Misfit {
    /// Why it is not known whether there is anything wrong; nothing where there surely may be.
    #[must_use]
    pub const fn undecided(&self) -> Option<&Undecided> {
        if let Reason::Undecided(why) = &self.reason { Some(why) } else { None }
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "/" } else { &self.path };
        // Names of properties and keywords are those of whoever wrote the schemas.
        OneLine(&format!("{path}: {}", self.reason)).fmt(f)
    }
}

/// Where values of `output` may not be values of `input`. Nothing when all of them surely are. See the head of this
/// module.
#[must_use]
pub fn misfits(output: &Json, input: &Json) -> Vec<Misfit> {
    if output == input {
        return Vec::new();
    }
    if let Some(dialect) = [output, input].into_iter().find_map(foreign_dialect) {
        return undecided("", Undecided::Dialect(dialect));
    }
    let found = Walk::default().compare(&Shape::of_output(Node::root(output)), Node::root(input), "");
    once_each(found)
}

/// Whether both surely allow the same values, read to the letter.
#[must_use]
pub fn are_equal(one: &Json, other: &Json) -> bool {
    let is_within = |one, other| {
        let shape = Shape::of_input(Node::root(one));
        Walk::default().compare(&shape, Node::root(other), "").is_empty()
    };
    let is_known = [one, other].into_iter().all(|schema| foreign_dialect(schema).is_none());
    one == other || (is_known && is_within(one, other) && is_within(other, one))
}

fn once_each(found: Vec<Misfit>) -> Vec<Misfit> {
    let mut kept: Vec<Misfit> = Vec::new();
    for misfit in found {
        if kept.len() < MOST_MISFITS && !kept.contains(&misfit) {
            kept.push(misfit);
        }
    }
    kept
}

/// The dialect of a schema that names one, if it is not one whose keywords mean what they mean here.
fn foreign_dialect(schema: &Json) -> Option<String> {
    let dialect = schema.get("$schema")?;
    let name = dialect.as_str().unwrap_or_default().trim_end_matches('#');
    (name != super::DIALECT).then(|| dialect.to_string())
}

/// What has been found out on the way.
#[derive(Debug, Default)]
struct Walk {
    steps: usize,
    depth: usize,
    /// How deep in the payload.
    level: usize,
    /// Pairs that fit if all that has been left open does.
    assumed: HashMap<(Key, usize), Assumption>,
    /// Their keys in the order in which they came, so that what rests on a refuted one can be taken back.
    trail: Vec<(Key, usize)>,
}

#[derive(Clone, Copy, Debug)]
struct Assumption {
    level: usize,
    is_open: bool,
}

impl Walk {
    fn compare(&mut self, output: &Shape<'_>, input: Node<'_>, at: &str) -> Vec<Misfit> {
        if output.is_nothing() || input.takes_all() {
            return Vec::new();
        }
        if !self.takes_step() {
            return undecided(at, Undecided::TooLarge);
        }
        self.depth += 1;
        let found = match output.split() {
            Some(pieces) => self.for_each(&pieces, |walk, piece| walk.compare(piece, input, at)),
            None => self.remembered(output, input, at),
        };
        self.depth -= 1;
        found
    }

    /// A payload has an end: what is asked again deeper in it than before may be taken for granted, or else no type could
    /// contain itself. The same question in the same place would be its own reason.
    fn remembered(&mut self, output: &Shape<'_>, input: Node<'_>, at: &str) -> Vec<Misfit> {
        let key = (output.key(), input.key());
        match self.assumed.get(&key) {
            Some(known) if self.level > known.level => return Vec::new(),
            Some(known) if known.is_open => return undecided(at, Undecided::Endless),
            Some(known) if self.level == known.level => return Vec::new(),
            _ => {}
        }
        let (mark, level) = (self.trail.len(), self.level);
        self.trail.push(key.clone());
        self.assumed.insert(key.clone(), Assumption { level, is_open: true });
        let found = self.terms(output, input, at);
        if found.is_empty() {
            self.assumed.insert(key, Assumption { level, is_open: false });
        } else {
            self.forget(mark);
        }
        found
    }

    fn forget(&mut self, mark: usize) {
        for key in self.trail.drain(mark..) {
            self.assumed.remove(&key);
        }
    }

    fn terms(&mut self, output: &Shape<'_>, input: Node<'_>, at: &str) -> Vec<Misfit> {
        if output.has(input) {
            return Vec::new();
        }
        let Some(keywords) = input.schema.as_object() else {
            let is_false = *input.schema == Json::Bool(false);
            return if is_false { misfit(at, Reason::Refused) } else { undecided(at, Undecided::NoSchema) };
        };
        let (shared, mut found) = match keywords.get("type") {
            Some(types) => typed(output, types, at),
            None => (output.clone(), Vec::new()),
        };
        for (keyword, value) in keywords {
            if !shared.is_nothing() && found.len() <= MOST_MISFITS {
                found.extend(self.term(&shared, input, keyword, value, at));
            }
        }
        found
    }

    fn term(&mut self, output: &Shape<'_>, input: Node<'_>, keyword: &str, value: &Json, at: &str) -> Vec<Misfit> {
        match keyword {
            "$ref" => self.reference(output, input, value, at),
            "allOf" => self.all_of(output, input, value, at),
            "anyOf" | "oneOf" => self.one_of(output, input, keyword, at),
            "not" => self.not(output, input, value, at),
            "const" => values(output, std::slice::from_ref(value), at),
            "enum" => value.as_array().map_or_else(|| unknown(keyword, at), |taken| values(output, taken, at)),
            _ if is_beyond(keyword, input) => unknown(keyword, at),
            _ => {
                let mut found = limits::check(output, keyword, value, at);
                found.extend(self.in_object(output, input, keyword, value, at));
                found.extend(self.in_array(output, input, keyword, value, at));
                found
            }
        }
    }

    fn reference(&mut self, output: &Shape<'_>, input: Node<'_>, value: &Json, at: &str) -> Vec<Misfit> {
        match input.resolved(value) {
            Some(target) => self.compare(output, target, at),
            None => {
                undecided(at, Undecided::Reference(value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
            }
        }
    }

    fn all_of(&mut self, output: &Shape<'_>, input: Node<'_>, value: &Json, at: &str) -> Vec<Misfit> {
        let Some(parts) = value.as_array() else { return unknown("allOf", at) };
        self.for_each(parts, |walk, part| walk.compare(output, input.at(part), at))
    }

    fn not(&mut self, output: &Shape<'_>, input: Node<'_>, value: &Json, at: &str) -> Vec<Misfit> {
        let is_apart = self.disjoint(output, &Shape::of_input(input.at(value)));
        if is_apart { Vec::new() } else { unknown("not", at) }
    }

    /// The whole of an output may fit one alternative, or each of its types another. Those with which it has nothing in
    /// common are not meant.
    fn one_of(&mut self, output: &Shape<'_>, input: Node<'_>, keyword: &str, at: &str) -> Vec<Misfit> {
        let Some(options) = input.get(keyword).and_then(Json::as_array) else { return unknown(keyword, at) };
        let mut meant: Vec<_> = options.iter().map(|option| input.at(option)).collect();
        meant.retain(|option| !self.disjoint(output, &Shape::of_input(*option)));
        let faults: Vec<_> = meant.iter().map(|option| self.compare(output, *option, at)).collect();
        let fits_one = faults.iter().any(Vec::is_empty);
        if fits_one && (keyword == "anyOf" || meant.len() == 1) {
            return Vec::new();
        }
        match output.by_type() {
            Some(pieces) => self.for_each(&pieces, |walk, piece| walk.one_of(piece, input, keyword, at)),
            None if fits_one => undecided(at, Undecided::Overlap),
            None => nearest(faults, options.len(), at),
        }
    }

    /// One level deeper in the payload.
    fn inside(&mut self, output: &Shape<'_>, input: Node<'_>, at: &str, step: &str) -> Vec<Misfit> {
        if output.is_nothing() || input.takes_all() {
            return Vec::new();
        }
        let step = step.replace('~', "~0").replace('/', "~1");
        self.level += 1;
        let found = self.compare(output, input, &format!("{at}/{step}"));
        self.level -= 1;
        found
    }

    /// Goes on until there are more misfits than anybody reads.
    fn for_each<T>(
        &mut self,
        parts: impl IntoIterator<Item = T>,
        mut check: impl FnMut(&mut Self, T) -> Vec<Misfit>,
    ) -> Vec<Misfit> {
        let mut found = Vec::new();
        for part in parts {
            found.extend(check(self, part));
            if found.len() > MOST_MISFITS {
                break;
            }
        }
        found
    }

    fn takes_step(&mut self) -> bool {
        self.steps += 1;
        self.steps <= MOST_STEPS && self.depth < MOST_LEVELS
    }
}

/// What is wrong with the only alternative that was meant, or with the one of which it cannot be told.
fn nearest(faults: Vec<Vec<Misfit>>, count: usize, at: &str) -> Vec<Misfit> {
    let is_open = |faults: &Vec<Misfit>| faults.iter().all(|misfit| misfit.undecided().is_some());
    let is_single = faults.len() == 1;
    let told = faults.into_iter().find(|faults| is_single || is_open(faults));
    told.unwrap_or_else(|| misfit(at, Reason::NoAlternative { count }))
}

/// The part of an output that is of a type which is taken, and the fault of the rest.
fn typed<'a>(output: &Shape<'a>, types: &Json, at: &str) -> (Shape<'a>, Vec<Misfit>) {
    let Some(input) = Types::read(types) else { return (output.clone(), unknown("type", at)) };
    let found = output.types();
    let rest = found.without(input);
    let reason = Reason::Type { output: found, input };
    (output.narrowed(input), if rest.is_empty() { Vec::new() } else { misfit(at, reason) })
}

fn values(output: &Shape<'_>, taken: &[Json], at: &str) -> Vec<Misfit> {
    let fits = match output.literal() {
        Some(literal) => taken.iter().any(|taken| literal.is(taken)),
        None => output.types().are_listed_in(taken),
    };
    let taken = || Json::from(taken).to_string();
    if fits { Vec::new() } else { misfit(at, Reason::Values { taken: taken() }) }
}

/// Rules that are neither understood nor safe to be passed over in an input.
fn is_beyond(keyword: &str, input: Node<'_>) -> bool {
    match keyword {
        "if" => input.get("then").or(input.get("else")).is_some(),
        "items" => input.schema["items"].is_array(),
        "$id" => !input.is_root(),
        _ => BEYOND.contains(&keyword),
    }
}

const BEYOND: [&str; 9] = [
    "$dynamicRef",
    "$recursiveRef",
    "additionalItems",
    "contains",
    "dependencies",
    "dependentRequired",
    "dependentSchemas",
    "unevaluatedItems",
    "unevaluatedProperties",
];

fn misfit(at: &str, reason: Reason) -> Vec<Misfit> {
    vec![Misfit { path: at.to_owned(), reason }]
}

fn undecided(at: &str, why: Undecided) -> Vec<Misfit> {
    misfit(at, Reason::Undecided(why))
}

fn unknown(keyword: &str, at: &str) -> Vec<Misfit> {
    undecided(at, Undecided::Keyword(keyword.to_owned()))
}

#[cfg(test)]
mod tests;
