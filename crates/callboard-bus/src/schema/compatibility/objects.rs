//! Rules for the properties of objects.

use serde_json::Value as Json;

use super::literal::count;
use super::node::Node;
use super::shape::Shape;
use super::types::Types;
use super::{Misfit, Reason, Walk, limits, misfit, unknown};

impl Walk {
    pub(super) fn in_object(
        &mut self,
        output: &Shape<'_>,
        input: Node<'_>,
        keyword: &str,
        value: &Json,
        at: &str,
    ) -> Vec<Misfit> {
        if !output.types().meets(Types::OBJECT) {
            return Vec::new();
        }
        match keyword {
            "properties" => self.properties(output, input, value, at),
            "required" => self.required(output, value, at),
            "additionalProperties" => self.additional(output, input.at(value), input, at),
            "patternProperties" => self.patterns(output, input, value, at),
            "propertyNames" => self.names(output, input.at(value), at),
            "minProperties" => limits::at_least("minProperties", value, Some(least_properties(output)), at),
            "maxProperties" => limits::at_most("maxProperties", value, most_properties(output), at),
            _ => Vec::new(),
        }
    }

    fn properties(&mut self, output: &Shape<'_>, input: Node<'_>, value: &Json, at: &str) -> Vec<Misfit> {
        let Some(properties) = value.as_object() else { return unknown("properties", at) };
        self.for_each(properties, |walk, (name, schema)| {
            walk.inside(&output.property(name), input.at(schema), at, name)
        })
    }

    fn required(&mut self, output: &Shape<'_>, value: &Json, at: &str) -> Vec<Misfit> {
        let names: Option<Vec<&str>> = value.as_array().and_then(|names| names.iter().map(Json::as_str).collect());
        let Some(names) = names else { return unknown("required", at) };
        let always = output.required();
        let missing = names.into_iter().filter(|name| !always.contains(name));
        self.for_each(missing, |walk, name| walk.missing(at, name))
    }

    /// Reported where the property would be.
    fn missing(&mut self, at: &str, name: &str) -> Vec<Misfit> {
        let name = name.replace('~', "~0").replace('/', "~1");
        misfit(&format!("{at}/{name}"), Reason::Missing)
    }

    /// The rule for properties that the input does not name.
    fn additional(&mut self, output: &Shape<'_>, rule: Node<'_>, input: Node<'_>, at: &str) -> Vec<Misfit> {
        let is_named = |name: &str| input.get("properties").is_some_and(|properties| properties.get(name).is_some());
        let names = output.names().into_iter().filter(|name| !is_named(name));
        let mut found = self.for_each(names, |walk, name| walk.inside(&output.property(name), rule, at, name));
        if !has_only_patterns_of(output, input) {
            found.extend(self.inside(&output.others(), rule, at, "*"));
        }
        found
    }

    fn patterns(&mut self, output: &Shape<'_>, input: Node<'_>, value: &Json, at: &str) -> Vec<Misfit> {
        let Some(patterns) = value.as_object() else { return unknown("patternProperties", at) };
        let has_none = output.names().is_empty() && output.others().is_nothing();
        self.for_each(patterns, |walk, (pattern, schema)| match output.by_pattern(pattern) {
            Some(shape) => walk.inside(&shape, input.at(schema), at, "*"),
            None if has_none => Vec::new(),
            None => unknown("patternProperties", at),
        })
    }

    fn names(&mut self, output: &Shape<'_>, rule: Node<'_>, at: &str) -> Vec<Misfit> {
        if !output.others().is_nothing() {
            return self.inside(&output.keys(), rule, at, "*");
        }
        let names = output.names().into_iter().filter(|name| !output.property(name).is_nothing());
        self.for_each(names, |walk, name| walk.inside(&Shape::of_name(name), rule, at, name))
    }
}

/// Whether every name that neither side names matches a pattern of the input.
fn has_only_patterns_of(output: &Shape<'_>, input: Node<'_>) -> bool {
    let patterns = input.get("patternProperties");
    output.has_only_patterns(|pattern| patterns.is_some_and(|patterns| patterns.get(pattern).is_some()))
}

fn least_properties(output: &Shape<'_>) -> u64 {
    output.most("minProperties").unwrap_or(0).max(output.required().len() as u64)
}

fn most_properties(output: &Shape<'_>) -> Option<u64> {
    let named = output.others().is_nothing().then(|| output.names().len() as u64);
    [named, output.all("maxProperties").filter_map(count).min()].into_iter().flatten().min()
}
