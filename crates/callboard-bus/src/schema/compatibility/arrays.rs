//! Rules for the items of arrays.

use std::collections::HashSet;

use serde_json::Value as Json;

use super::literal::Literal;
use super::node::Node;
use super::shape::{Shape, placed_items};
use super::types::Types;
use super::{Misfit, Walk, limits, unknown};

impl Walk {
    pub(super) fn in_array(
        &mut self,
        output: &Shape<'_>,
        input: Node<'_>,
        keyword: &str,
        value: &Json,
        at: &str,
    ) -> Vec<Misfit> {
        if !output.types().meets(Types::ARRAY) {
            return Vec::new();
        }
        match keyword {
            "items" => self.items(output, input.at(value), placed_items(input), at),
            "prefixItems" => self.placed(output, input, value, at),
            "minItems" => limits::at_least("minItems", value, Some(output.least_items()), at),
            "maxItems" => limits::at_most("maxItems", value, output.most_items(), at),
            "uniqueItems" => unique(output, value, at),
            _ => Vec::new(),
        }
    }

    /// The rule for the items that the input has no other rule for.
    fn items(&mut self, output: &Shape<'_>, rule: Node<'_>, from: usize, at: &str) -> Vec<Misfit> {
        let placed = output.placed_items();
        let mut found =
            self.for_each(from..placed, |walk, index| walk.inside(&output.item(index), rule, at, &index.to_string()));
        found.extend(self.inside(&output.item(placed.max(from)), rule, at, "*"));
        found
    }

    fn placed(&mut self, output: &Shape<'_>, input: Node<'_>, value: &Json, at: &str) -> Vec<Misfit> {
        let Some(rules) = value.as_array() else { return unknown("prefixItems", at) };
        self.for_each(rules.iter().enumerate(), |walk, (index, rule)| {
            walk.inside(&output.item(index), input.at(rule), at, &index.to_string())
        })
    }
}

fn unique(output: &Shape<'_>, value: &Json, at: &str) -> Vec<Misfit> {
    let Some(is_asked) = value.as_bool() else { return unknown("uniqueItems", at) };
    let is_said = output.all("uniqueItems").any(|said| *said == Json::Bool(true));
    let is_short = output.most_items().is_some_and(|most| most <= 1);
    let is_seen = output.literal().and_then(Literal::items).is_some_and(are_different);
    let fits = !is_asked || is_said || is_short || is_seen;
    if fits { Vec::new() } else { limits::broken("uniqueItems", value, at) }
}

/// By their text, and so that numbers which look different are not taken for different.
fn are_different(items: &[Json]) -> bool {
    let texts: HashSet<String> = items.iter().map(Json::to_string).collect();
    texts.len() == items.len() && items.iter().all(Json::is_string)
}
