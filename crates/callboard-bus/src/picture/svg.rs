//! Writes a picture as one SVG file that needs nothing else: no script, no font, no style sheet.
//!
//! It brings its own background, so it can be read on light and dark pages; each box has its full text as a `<title>`
//! that viewers show when pointed at; and screen readers find a title and a description of the whole.

mod edge;
pub(super) mod node;
pub(super) mod sheet;

use self::edge::{draw_edge_labels, draw_edges, label_of};
use self::node::draw_node;
use self::sheet::{Heading, Sheet};
use super::face::{DETAIL_SIZE, Face};
use super::layout::{Layout, Size, Task, layout};
use super::{Edge, Picture, critical, text};

impl Picture {
    /// The picture as an SVG document. Fold a large one first: nothing is left out here.
    #[must_use]
    pub fn to_svg(&self) -> String {
        let faces: Vec<Face> = self.nodes.iter().map(Face::of).collect();
        let labels: Vec<Option<String>> = self.edges.iter().map(label_of).collect();
        let layout = self.laid_out(&faces, &labels);
        let counts = self.counts();
        let has_critical = self.nodes.iter().any(|node| node.is_critical);
        let description = self.description();
        let heading = Heading { title: &self.title, description: &description, counts: &counts, has_critical };
        let mut sheet = Sheet::new(&heading, layout.size);
        sheet.content(|xml| {
            draw_edges(xml, self, &layout);
            for ((node, face), area) in self.nodes.iter().zip(&faces).zip(&layout.boxes) {
                draw_node(xml, node, face, area, layout.direction);
            }
            draw_edge_labels(xml, &layout, &labels);
        });
        sheet.finish()
    }

    fn laid_out(&self, faces: &[Face], labels: &[Option<String>]) -> Layout {
        let boxes: Vec<Size> = faces.iter().map(|face| Size { width: face.width, height: face.height }).collect();
        let label_size = |label: &Option<String>| {
            let size = |label: &String| Size { width: text::width(label, DETAIL_SIZE), height: DETAIL_SIZE };
            label.as_ref().map_or(Size::default(), size)
        };
        layout(&Task {
            boxes: &boxes,
            ends: &self.ends,
            labels: &labels.iter().map(label_size).collect::<Vec<_>>(),
            is_dashed: &self.edges.iter().map(|edge| edge.is_dashed).collect::<Vec<_>>(),
            direction: self.drawn_direction(),
        })
    }

    fn description(&self) -> String {
        let counts = self.counts();
        let mut description = format!("A graph of {} nodes", counts.total());
        if counts.total() > self.nodes.len() {
            description.push_str(&format!(", drawn as {} boxes", self.nodes.len()));
        }
        description.push_str(&format!(" and {} edges.", self.edges.iter().map(Edge::count).sum::<usize>()));
        let critical = self.nodes.iter().filter(|node| node.is_critical).count();
        let critical = (critical > 0).then(|| format!("{critical} boxes are {}", critical::WORDS));
        let rest = Some(counts.summary()).filter(|summary| !summary.is_empty()).into_iter().chain(critical);
        rest.fold(description, |description, sentence| format!("{description} {sentence}."))
    }
}

#[cfg(test)]
mod tests;
