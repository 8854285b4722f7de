//! What holds of every value on one side of a comparison.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::literal::{Literal, count};
use super::node::Node;
use super::types::Types;

/// All rules that hold at once. What is not in it is not known, so it stands for too many values rather than too few.
#[derive(Clone, Debug)]
pub(super) struct Shape<'a> {
    nodes: Vec<Node<'a>>,
    literal: Option<Literal<'a>>,
    types: Types,
    is_refused: bool,
    /// Of each of these one more holds.
    choices: Vec<Choice<'a>>,
    is_exact: bool,
}

/// What tells a shape from others while the documents are there.
pub(super) type Key = (Vec<usize>, Types, Option<usize>);

#[derive(Clone, Copy, Debug)]
enum Choice<'a> {
    Schemas(Node<'a>, &'a [Json]),
    Values(&'a [Json]),
}

/// Rules beyond these are not looked at.
const MOST_NODES: usize = 256;

/// Beside these an object may have properties that `properties` does not name.
const OPEN: [&str; 8] = [
    "$dynamicRef",
    "$recursiveRef",
    "additionalProperties",
    "dependentSchemas",
    "if",
    "patternProperties",
    "propertyNames",
    "unevaluatedProperties",
];

impl<'a> Shape<'a> {
    /// Objects have no properties but those that they name, if they name any.
    pub(super) fn of_output(node: Node<'a>) -> Self {
        Self::everything(true).and(node)
    }

    /// As JSON Schema has it.
    pub(super) fn of_input(node: Node<'a>) -> Self {
        Self::everything(false).and(node)
    }

    pub(super) fn of_name(name: &'a str) -> Self {
        let mut shape = Self::everything(true);
        shape.is_value(Literal::Name(name));
        shape
    }

    const fn everything(is_exact: bool) -> Self {
        Self { nodes: Vec::new(), literal: None, types: Types::ALL, is_refused: false, choices: Vec::new(), is_exact }
    }

    fn nothing(&self) -> Self {
        Self { is_refused: true, ..Self::everything(self.is_exact) }
    }

    /// This and a schema. Without recursion, as a chain of references has any length.
    fn and(mut self, node: Node<'a>) -> Self {
        let mut pending = vec![node];
        while let Some(node) = pending.pop() {
            if *node.schema == Json::Bool(false) {
                self.is_refused = true;
            }
            let is_new = self.nodes.iter().all(|known| known.key() != node.key());
            let is_understood = node.is_root() || node.get("$id").is_none();
            if node.schema.is_object() && is_new {
                if is_understood && self.nodes.len() < MOST_NODES {
                    self.add(node, &mut pending);
                } else {
                    self.is_exact = false;
                }
            }
        }
        self
    }

    fn add(&mut self, node: Node<'a>, pending: &mut Vec<Node<'a>>) {
        self.nodes.push(node);
        self.types = self.types.and(node.get("type").and_then(Types::read).unwrap_or(Types::ALL));
        if let Some(reference) = node.get("$ref") {
            let target = node.resolved(reference);
            self.is_exact &= target.is_some();
            pending.extend(target);
        }
        pending.extend(list(node, "allOf").unwrap_or_default().iter().map(|part| node.at(part)));
        let options = ["anyOf", "oneOf"].into_iter().filter_map(|keyword| list(node, keyword));
        self.choices.extend(options.map(|options| Choice::Schemas(node, options)));
        self.choices.extend(list(node, "enum").map(Choice::Values));
        self.choices.extend(node.get("const").map(|value| Choice::Values(std::slice::from_ref(value))));
    }

    fn is_value(&mut self, literal: Literal<'a>) {
        self.is_refused |= self.literal.is_some_and(|known| !known.is_the_same_as(literal));
        self.types = self.types.and(literal.types());
        self.literal = Some(literal);
    }

    /// One shape for each way in which an open choice can be made; nothing when there is no open choice.
    pub(super) fn split(&self) -> Option<Vec<Self>> {
        let mut rest = self.clone();
        let pieces = match rest.choices.pop()? {
            Choice::Schemas(node, options) => options.iter().map(|option| rest.clone().and(node.at(option))).collect(),
            Choice::Values(values) => values.iter().map(|value| rest.clone().with(value)).collect(),
        };
        Some(pieces)
    }

    /// One shape for each type, where there are several.
    pub(super) fn by_type(&self) -> Option<Vec<Self>> {
        let pieces: Vec<_> = self.types().each().map(|one| self.narrowed(one)).collect();
        (pieces.len() > 1).then_some(pieces)
    }

    pub(super) fn narrowed(&self, types: Types) -> Self {
        Self { types: self.types.and(types), ..self.clone() }
    }

    fn with(mut self, value: &'a Json) -> Self {
        self.is_value(Literal::Value(value));
        self
    }

    pub(super) fn key(&self) -> Key {
        let mut nodes: Vec<_> = self.nodes.iter().map(|node| node.key()).collect();
        nodes.sort_unstable();
        (nodes, self.types, self.literal.map(Literal::key))
    }

    /// Whether there surely is no such value.
    pub(super) const fn is_nothing(&self) -> bool {
        self.is_refused || self.types.is_empty()
    }

    /// Whether the schema is one of the rules that hold.
    pub(super) fn has(&self, schema: Node<'_>) -> bool {
        self.nodes.iter().any(|node| node.says_the_same(schema))
    }

    pub(super) const fn types(&self) -> Types {
        self.types
    }

    pub(super) const fn literal(&self) -> Option<Literal<'a>> {
        self.literal
    }

    /// What stands beside a keyword in any of the rules.
    pub(super) fn all(&self, keyword: &str) -> impl Iterator<Item = &'a Json> {
        self.nodes.iter().filter_map(move |node| node.get(keyword))
    }

    /// The largest count beside a keyword.
    pub(super) fn most(&self, keyword: &str) -> Option<u64> {
        self.all(keyword).filter_map(count).max()
    }

    /// The smallest count beside a keyword.
    pub(super) fn least(&self, keyword: &str) -> Option<u64> {
        self.all(keyword).filter_map(count).min()
    }

    // Objects.

    /// The properties that have a name.
    pub(super) fn names(&self) -> BTreeSet<&'a str> {
        let mut names: BTreeSet<_> =
            self.nodes.iter().flat_map(|node| node.named("properties")).map(|(name, _)| name).collect();
        names.extend(self.required());
        names
    }

    /// The properties that are always there.
    pub(super) fn required(&self) -> BTreeSet<&'a str> {
        let lists = self.all("required").filter_map(Json::as_array).flatten();
        let mut names: BTreeSet<_> = lists.filter_map(Json::as_str).collect();
        names.extend(self.literal.and_then(Literal::entries).into_iter().flatten().map(|(name, _)| name.as_str()));
        names
    }

    pub(super) fn property(&self, name: &str) -> Self {
        if let Some(entries) = self.literal.and_then(Literal::entries) {
            let known = Self::everything(self.is_exact);
            return entries.get(name).map_or_else(|| self.nothing(), |value| known.with(value));
        }
        if self.is_closed() && !self.names().contains(name) {
            return self.nothing();
        }
        let rule = |node: &Node<'a>| {
            let named = node.get("properties").and_then(|properties| properties.get(name));
            // A pattern may stand for the name, and then the rule for all others does not hold.
            let other = || node.get("additionalProperties").filter(|_| node.get("patternProperties").is_none());
            Some(node.at(named.or_else(other)?))
        };
        self.inner(self.nodes.iter().filter_map(rule))
    }

    /// The properties without a name.
    pub(super) fn others(&self) -> Self {
        if self.is_closed() || self.literal.is_some() {
            return self.nothing();
        }
        let rule = |node: &Node<'a>| {
            let mut patterns = node.named("patternProperties");
            let additional = node.get("additionalProperties");
            let rule = match (patterns.next(), patterns.next()) {
                (None, _) => additional?,
                (Some((_, only)), None) if additional == Some(&Json::Bool(false)) => only,
                _ => return None,
            };
            Some(node.at(rule))
        };
        self.inner(self.nodes.iter().filter_map(rule))
    }

    /// The properties whose names match the pattern, if there is a rule for just this pattern.
    pub(super) fn by_pattern(&self, pattern: &str) -> Option<Self> {
        let rule = |node: &Node<'a>| Some(node.at(node.get("patternProperties")?.get(pattern)?));
        let rules: Vec<_> = self.nodes.iter().filter_map(rule).collect();
        (!rules.is_empty()).then(|| self.inner(rules))
    }

    /// Whether every property without a name matches one of the patterns.
    pub(super) fn has_only_patterns(&self, is_one: impl Fn(&str) -> bool) -> bool {
        self.nodes.iter().any(|node| {
            let mut patterns = node.named("patternProperties").map(|(pattern, _)| pattern).peekable();
            let is_closed = node.get("additionalProperties") == Some(&Json::Bool(false));
            is_closed && patterns.peek().is_some() && patterns.all(&is_one)
        })
    }

    /// The names of properties.
    pub(super) fn keys(&self) -> Self {
        let rules = self.nodes.iter().filter_map(|node| Some(node.at(node.get("propertyNames")?)));
        self.inner(rules).narrowed(Types::STRING)
    }

    fn is_closed(&self) -> bool {
        let names_some = self.nodes.iter().any(|node| node.named("properties").next().is_some());
        self.is_exact && names_some && OPEN.iter().all(|keyword| self.all(keyword).next().is_none())
    }

    // Arrays.

    pub(super) fn item(&self, index: usize) -> Self {
        if let Some(items) = self.literal.and_then(Literal::items) {
            let known = Self::everything(self.is_exact);
            return items.get(index).map_or_else(|| self.nothing(), |value| known.with(value));
        }
        if self.most_items().is_some_and(|most| index as u64 >= most) {
            return self.nothing();
        }
        let rule = |node: &Node<'a>| {
            let placed = list(*node, "prefixItems").and_then(|placed| placed.get(index));
            Some(node.at(placed.or_else(|| node.get("items"))?))
        };
        self.inner(self.nodes.iter().filter_map(rule))
    }

    /// How many items have rules of their own.
    pub(super) fn placed_items(&self) -> usize {
        let literal = self.literal.and_then(Literal::items).map_or(0, <[Json]>::len);
        self.nodes.iter().map(|node| placed_items(*node)).max().unwrap_or(0).max(literal)
    }

    pub(super) fn least_items(&self) -> u64 {
        let literal = self.literal.and_then(Literal::items).map(|items| items.len() as u64);
        literal.or_else(|| self.most("minItems")).unwrap_or(0)
    }

    pub(super) fn most_items(&self) -> Option<u64> {
        let literal = self.literal.and_then(Literal::items).map(|items| items.len() as u64);
        let closed = self.nodes.iter().filter(|node| node.get("items") == Some(&Json::Bool(false)));
        let closed = closed.map(|node| placed_items(*node) as u64).min();
        [literal, closed, self.least("maxItems")].into_iter().flatten().min()
    }

    fn inner(&self, rules: impl IntoIterator<Item = Node<'a>>) -> Self {
        rules.into_iter().fold(Self::everything(self.is_exact), Self::and)
    }
}

pub(super) fn placed_items(node: Node<'_>) -> usize {
    list(node, "prefixItems").map_or(0, <[Json]>::len)
}

fn list<'a>(node: Node<'a>, keyword: &str) -> Option<&'a [Json]> {
    node.get(keyword).and_then(Json::as_array).map(Vec::as_slice)
}
