//! Writes a picture in the language of Graphviz.

use super::{Direction, Edge, Node, Picture, critical, text};

impl Picture {
    /// The picture as a DOT document.
    #[must_use]
    pub fn to_dot(&self) -> String {
        let rankdir = if self.drawn_direction() == Direction::Right { "LR" } else { "TB" };
        let mut dot = format!("digraph {} {{\n", quoted(&self.title));
        dot.push_str(&format!("  graph [rankdir={rankdir}, label={}, labelloc=t]\n", quoted(&self.title)));
        dot.push_str("  node [shape=box, fontname=\"Helvetica\", fontsize=11, margin=\"0.16,0.08\"]\n");
        dot.push_str("  edge [color=\"#64748b\", fontname=\"Helvetica\", fontsize=9, arrowsize=0.7]\n");
        for (place, node) in self.nodes.iter().enumerate() {
            dot.push_str(&format!("  n{place} [{}]\n", node_attributes(node)));
        }
        for (edge, (from, to)) in self.edges.iter().zip(&self.ends) {
            dot.push_str(&format!("  n{from} -> n{to}{}\n", edge_attributes(edge)));
        }
        dot.push_str("}\n");
        dot
    }
}

fn node_attributes(node: &Node) -> String {
    let style = node.state.style();
    let sign = style.sign.map_or_else(String::new, |sign| format!("{sign} "));
    let detail = node.detail.as_ref().map_or_else(String::new, |detail| format!("\n{}", text::visible(detail)));
    let path = if node.is_critical { format!("{} ", critical::SIGN) } else { String::new() };
    let label = quoted(&format!("{path}{sign}{}{detail}", text::visible(&node.label)));
    let border = if style.dashes.is_empty() { "solid" } else { "dashed" };
    let sheets = if node.bar().is_some() { ", peripheries=2" } else { "" };
    format!(
        "label={label}, tooltip={}, style=\"filled,rounded,{border}\", fillcolor=\"{}\", color=\"{}\", penwidth={}{sheets}",
        quoted(&node.id),
        style.fill,
        style.line,
        style.width,
    )
}

fn edge_attributes(edge: &Edge) -> String {
    let label = edge.label.as_ref().map(|label| format!("label={}", quoted(&text::visible(label))));
    let style = edge.is_dashed.then(|| "style=dashed".to_owned());
    let path = edge.is_critical.then(|| format!("color=\"{}\", penwidth=2", critical::LINE));
    let attributes: Vec<String> = label.into_iter().chain(style).chain(path).collect();
    if attributes.is_empty() { String::new() } else { format!(" [{}]", attributes.join(", ")) }
}

/// A quoted string whose only special characters are line feeds. An ampersand would begin an HTML entity, in plain
/// labels too.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for line in text.split_inclusive('\n') {
        let (line, feed) = line.strip_suffix('\n').map_or((line, ""), |line| (line, "\\n"));
        for character in text::visible(line).chars() {
            match character {
                '"' => quoted.push_str("\\\""),
                '\\' => quoted.push_str("\\\\"),
                '&' => quoted.push_str("&amp;"),
                other => quoted.push(other),
            }
        }
        quoted.push_str(feed);
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What Graphviz makes of a quoted string.
    fn read(quoted: &str) -> Option<String> {
        let inner = quoted.strip_prefix('"')?.strip_suffix('"')?;
        let (mut read, mut characters) = (String::new(), inner.chars());
        while let Some(character) = characters.next() {
            match character {
                '\\' => read.push(characters.next().map(|next| if next == 'n' { '\n' } else { next })?),
                '"' => return None,
                other => read.push(other),
            }
        }
        Some(read.replace("&amp;", "&"))
    }

    proptest! {
        #[test]
        fn any_text_comes_back(text in any::<String>()) {
            let visible: Vec<String> = text.split('\n').map(super::text::visible).collect();
            prop_assert_eq!(read(&quoted(&text)), Some(visible.join("\n")));
        }
    }

    #[test]
    fn entities_and_escapes_lose_their_meaning() {
        assert_eq!(quoted("a \\N \"b\" &lt;"), r#""a \\N \"b\" &amp;lt;""#);
    }
}
