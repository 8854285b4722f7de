//! However large a graph is, its picture is drawn, and shows every node in exactly one box.

use std::collections::BTreeSet;

use callboard_bus::picture::{Direction, Edge, Folding, Node, Picture, State};
use petgraph::graph::{DiGraph, NodeIndex};
use proptest::prelude::*;
use roxmltree::Document;

/// Levels of given widths, each node with a few parents on the level before and one further back.
fn layered(widths: &[usize], seed: u64) -> DiGraph<String, ()> {
    let mut random = seed | 1;
    let mut draw = |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random % below as u64) as usize
    };
    let mut graph = DiGraph::new();
    let mut levels: Vec<Vec<NodeIndex>> = Vec::new();
    for (depth, &width) in widths.iter().enumerate() {
        let level: Vec<NodeIndex> =
            (0..width).map(|at| graph.add_node(format!("kind{}_{at}", at % (depth + 1)))).collect();
        for &node in level.iter().filter(|_| depth > 0) {
            for parents in [&levels[depth - 1], &levels[draw(depth)]] {
                graph.add_edge(parents[draw(parents.len())], node, ());
            }
        }
        levels.push(level);
    }
    graph
}

fn picture(graph: &DiGraph<String, ()>) -> Picture {
    let state = |at: usize| State::ALL[at % State::ALL.len()];
    let node = |at: NodeIndex, name: &String| Node::new(at.index().to_string(), name).state(state(at.index()));
    Picture::from_graph("layers", graph, node, |edge, ()| edge).unwrap()
}

fn members(picture: &Picture) -> Vec<String> {
    let members = |node: &Node| node.fold().map_or_else(|| vec![node.id().to_owned()], |fold| fold.members.clone());
    picture.nodes().iter().flat_map(members).collect()
}

fn assert_shows_all(graph: &DiGraph<String, ()>, max_boxes: usize) {
    let folded = picture(graph).folded(Folding::default().max_boxes(max_boxes));
    assert!(folded.nodes().len() <= max_boxes);
    let members = members(&folded);
    assert_eq!(members.len(), graph.node_count());
    assert_eq!(members.iter().collect::<BTreeSet<_>>().len(), graph.node_count());
    let svg = folded.to_svg();
    let document = Document::parse(&svg).unwrap();
    let drawn: BTreeSet<&str> = document.descendants().filter_map(|tag| tag.attribute("data-id")).collect();
    assert_eq!(drawn, folded.nodes().iter().map(Node::id).collect());
}

#[test]
fn f_wf_13_ten_thousand_nodes_are_shown() {
    let mut widths = vec![1, 1_890, 3_000, 40, 5_000];
    widths.extend([4; 20]);
    let graph = layered(&widths, 7);
    assert!(graph.node_count() > 10_000);
    assert_shows_all(&graph, 200);
    assert_shows_all(&graph, 7);
}

#[test]
fn a_chain_of_ten_thousand_is_shown() {
    assert_shows_all(&layered(&[1; 10_000], 7), 60);
}

/// Nothing here recurs, and the work is bounded however far edges reach.
#[test]
fn a_large_graph_is_drawn_even_when_nobody_folds_it() {
    let picture = picture(&layered(&[1, 300, 300, 1, 400], 3));
    let svg = picture.to_svg();
    assert_eq!(svg.matches("class=\"node").count(), picture.nodes().len());
}

#[test]
fn an_empty_graph_is_an_empty_picture() {
    let empty = Picture::builder("").build().unwrap();
    for text in [empty.to_svg(), empty.to_dot(), empty.to_mermaid()] {
        assert!(!text.is_empty());
    }
    assert!(empty.folded(Folding::default().max_boxes(0)).nodes().is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn any_graph_is_shown_whole(widths in prop::collection::vec(1usize..30, 1..12), seed in any::<u64>(), max in 1usize..60) {
        assert_shows_all(&layered(&widths, seed), max);
    }

    /// Any edges at all: a picture, or the cycle in them; never a panic.
    #[test]
    fn f_wf_13_any_edges_are_drawn_or_refused(edges in prop::collection::vec((0usize..14, 0usize..14), 0..30), is_right: bool) {
        let direction = if is_right { Direction::Right } else { Direction::Down };
        let nodes = (0..14).map(|at| Node::new(at.to_string(), "n"));
        let edges = edges.iter().map(|(from, to)| Edge::new(from.to_string(), to.to_string()));
        if let Ok(picture) = Picture::builder("any").nodes(nodes).edges(edges).direction(direction).build() {
            prop_assert!(Document::parse(&picture.to_svg()).is_ok());
            prop_assert!(picture.to_dot().starts_with("digraph"));
            prop_assert!(picture.to_mermaid().starts_with("flowchart"));
        }
    }
}
