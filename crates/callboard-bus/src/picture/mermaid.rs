//! Writes a picture in the language of Mermaid, which many code hosts and note books draw.

use std::collections::BTreeSet;

use super::{Direction, Edge, Node, Picture, State, critical, text};

impl Picture {
    /// The picture as a Mermaid flow chart. Mermaid refuses more than 500 edges unless it is told otherwise.
    #[must_use]
    pub fn to_mermaid(&self) -> String {
        let direction = if self.drawn_direction() == Direction::Right { "LR" } else { "TD" };
        let mut mermaid = format!("flowchart {direction}\n  accTitle: {}\n", escaped(&self.title));
        for (place, node) in self.nodes.iter().enumerate() {
            mermaid.push_str(&format!("  n{place}{}\n", shape(node)));
        }
        for (edge, (from, to)) in self.edges.iter().zip(&self.ends) {
            mermaid.push_str(&format!("  n{from} {} n{to}\n", arrow(edge)));
        }
        let states: BTreeSet<State> = self.nodes.iter().map(|node| node.state).collect();
        states.into_iter().for_each(|state| mermaid.push_str(&class(state)));
        mermaid
    }
}

fn shape(node: &Node) -> String {
    let sign = node.state.style().sign.map_or_else(String::new, |sign| format!("{sign} "));
    let detail = node.detail.as_ref().map_or_else(String::new, |detail| format!("<br/>{}", escaped(detail)));
    let path = if node.is_critical { format!("{} ", critical::SIGN) } else { String::new() };
    let (open, close) = if node.bar().is_some() { ("[[", "]]") } else { ("[", "]") };
    format!("{open}\"{path}{sign}{}{detail}\"{close}:::{}", escaped(&node.label), node.state.name())
}

fn arrow(edge: &Edge) -> String {
    let arrow = match (edge.is_dashed, edge.is_critical) {
        (true, _) => "-.->",
        (false, true) => "==>",
        (false, false) => "-->",
    };
    let label = edge.label.as_ref().map_or_else(String::new, |label| format!("|\"{}\"|", escaped(label)));
    format!("{arrow}{label}")
}

fn class(state: State) -> String {
    let style = state.style();
    let dashes: Vec<String> = style.dashes.iter().map(u8::to_string).collect();
    let dashes = if dashes.is_empty() { String::new() } else { format!(",stroke-dasharray:{}", dashes.join(" ")) };
    let (name, fill, line, width) = (state.name(), style.fill, style.line, style.width);
    format!("  classDef {name} fill:{fill},stroke:{line},stroke-width:{width}px,color:{}{dashes}\n", super::state::INK)
}

/// Letters, digits and a few marks stay, some of them only between letters; all else is written by its number: a label is read
/// as HTML, as Markdown and as a formula, in that order and on top of Mermaid's own syntax.
fn escaped(text: &str) -> String {
    let characters: Vec<char> = text::visible(text).chars().collect();
    let is_word = |at: Option<usize>| at.and_then(|at| characters.get(at)).is_some_and(char::is_ascii_alphanumeric);
    let mut escaped = String::with_capacity(text.len());
    for (at, &character) in characters.iter().enumerate() {
        let is_between = "_-.".contains(character) && is_word(at.checked_sub(1)) && is_word(Some(at + 1));
        if is_between || " ,/()".contains(character) || !character.is_ascii() || character.is_ascii_alphanumeric() {
            escaped.push(character);
        } else {
            escaped.push_str(&format!("#{};", u32::from(character)));
        }
    }
    // An empty label would be a syntax error.
    if escaped.trim().is_empty() { "#160;".to_owned() } else { escaped }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What Mermaid makes of a text.
    fn read(escaped: &str) -> String {
        let mut parts = escaped.split('#');
        let mut read = parts.next().unwrap().to_owned();
        for part in parts {
            let (number, rest) = part.split_once(';').unwrap();
            read.push(char::from_u32(number.parse().unwrap()).unwrap());
            read.push_str(rest);
        }
        read
    }

    proptest! {
        #[test]
        fn any_text_comes_back(label in any::<String>()) {
            let visible = super::text::visible(&label);
            let expected = if visible.trim().is_empty() { "\u{a0}" } else { &visible };
            prop_assert_eq!(read(&escaped(&label)), expected);
            prop_assert!(!escaped(&label).contains(['"', '<', '`', '[', '|', ':', '&', '\n']));
        }
    }

    #[test]
    fn names_stay_readable_and_lists_are_none() {
        assert_eq!(escaped("store.put_all a/b-c"), "store.put_all a/b-c");
        assert_eq!(escaped("1. first"), "1#46; first");
        assert_eq!(escaped("_a_"), "#95;a#95;");
    }
}
