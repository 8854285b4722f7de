use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::picture::State;

/// A graph whose edges lead from lower numbers to higher ones.
fn pictures() -> impl Strategy<Value = Picture> {
    let edges = prop::collection::vec((0usize..60, 0usize..60), 0..120);
    let nodes = prop::collection::vec((0u8..4, 0usize..9), 1..60);
    (nodes, edges).prop_map(|(nodes, edges)| {
        let count = nodes.len();
        let node = |(at, (kind, state)): (usize, (u8, usize))| {
            Node::new(format!("{at}"), format!("kind{}_{at}", ["a", "b", "c", "d"][kind as usize]))
                .state(State::ALL[state])
        };
        let ends = edges.into_iter().filter(|(from, to)| from < to && *to < count);
        let edges = ends.map(|(from, to)| Edge::new(from.to_string(), to.to_string()));
        Picture::builder("random").nodes(nodes.into_iter().enumerate().map(node)).edges(edges).build().unwrap()
    })
}

/// The place of the box that each node is in.
fn boxes(folded: &Picture) -> Vec<(String, usize)> {
    let members =
        folded.nodes.iter().enumerate().flat_map(|(at, node)| node.members().into_iter().map(move |id| (id, at)));
    let mut members: Vec<_> = members.collect();
    members.sort_by_key(|(id, _)| id.parse::<usize>().unwrap());
    members
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn every_node_is_in_exactly_one_of_few_boxes(picture in pictures(), max in 1usize..70, siblings in 1usize..10) {
        let folded = picture.folded(Folding::default().max_boxes(max).max_siblings(siblings));
        prop_assert!(folded.nodes.len() <= max);
        prop_assert!(folded.dag().cycle().is_none());
        prop_assert_eq!(folded.counts(), picture.counts());
        let ids: Vec<String> = boxes(&folded).into_iter().map(|(id, _)| id).collect();
        prop_assert_eq!(ids, (0..picture.nodes.len()).map(|at| at.to_string()).collect::<Vec<_>>());
    }

    #[test]
    fn edges_of_boxes_are_those_of_their_members(picture in pictures(), max in 1usize..70) {
        let folded = picture.folded(Folding::default().max_boxes(max));
        let boxes = boxes(&folded);
        let expected: BTreeSet<_> = picture.ends.iter().map(|&(from, to)| (boxes[from].1, boxes[to].1)).filter(|(a, b)| a != b).collect();
        prop_assert_eq!(folded.ends.iter().copied().collect::<BTreeSet<_>>(), expected);
        let is_inner = |&&(from, to): &&(usize, usize)| boxes[from].1 == boxes[to].1;
        let counts = picture.ends.iter().zip(&picture.edges);
        let inner: usize = counts.filter(|(ends, _)| is_inner(ends)).map(|(_, edge)| edge.count).sum();
        let all: usize = picture.edges.iter().map(Edge::count).sum();
        let drawn: usize = folded.edges.iter().map(Edge::count).sum();
        prop_assert_eq!(inner + drawn, all);
    }

    #[test]
    fn folding_again_changes_nothing(picture in pictures(), max in 1usize..70) {
        let folding = Folding::default().max_boxes(max);
        let once = picture.folded(folding);
        prop_assert_eq!(once.folded(folding), once);
    }
}

fn fan(width: usize) -> Picture {
    let item = |at: usize| {
        Node::new(format!("i{at}"), format!("item[{at}]")).state([State::Done, State::Running, State::Failed][at % 3])
    };
    let edges = (0..width).flat_map(|at| [Edge::new("head", format!("i{at}")), Edge::new(format!("i{at}"), "tail")]);
    let ends = ["head", "tail"].map(|id| Node::new(id, id));
    Picture::builder("fan").nodes(ends).nodes((0..width).map(item)).edges(edges).build().unwrap()
}

#[test]
fn a_fan_becomes_one_box_that_tells_its_states() {
    let folded = fan(100).folded(Folding::default());
    let [_, _, items] = folded.nodes() else { panic!("three boxes") };
    assert_eq!((items.label(), items.detail.as_deref()), ("item ×100", Some("33 failed, 33 running, 34 done")));
    assert_eq!(items.state, State::Failed);
    assert_eq!(fan(24).folded(Folding::default()), fan(24));
}

#[test]
fn a_chain_that_is_too_long_is_folded_in_bands() {
    let nodes = (0..1000).map(|at| Node::new(at.to_string(), format!("step {at}")));
    let edges = (1..1000).map(|at| Edge::new((at - 1).to_string(), at.to_string()));
    let chain = Picture::builder("chain").nodes(nodes).edges(edges).build().unwrap();
    let folded = chain.folded(Folding::default().max_boxes(50));
    assert_eq!((folded.nodes.len(), folded.edges.len()), (50, 49));
    assert_eq!(folded.nodes[0].label(), "step ×20");
}

#[test]
fn stems_are_labels_without_their_number() {
    let labels = ["mProject_ID0000001", "resize[12]", "42", "a.b.7", "plain"];
    assert_eq!(labels.map(stem), ["mProject_ID", "resize", "42", "a.b", "plain"]);
}

#[test]
fn the_critical_path_stays_apart_while_it_fits() {
    let sibling = |at: usize| Node::new(format!("s{at}"), format!("s_{at}"));
    let siblings = (0..30).map(|at| if at == 7 { sibling(at).critical() } else { sibling(at) });
    let edges = (0..30).map(|at| Edge::new("root", format!("s{at}")));
    let picture = Picture::builder("fan").node(Node::new("root", "root").critical()).nodes(siblings).edges(edges);
    let picture = picture.edge(Edge::new("root", "s7").critical()).build().unwrap();
    let critical = |picture: &Picture| {
        let ids = picture.nodes.iter().filter(|node| node.is_critical()).map(|node| node.id().to_owned());
        (
            ids.collect::<Vec<_>>().join(" "),
            picture.nodes.len(),
            picture.edges.iter().filter(|edge| edge.is_critical()).count(),
        )
    };
    assert_eq!(critical(&picture.folded(Folding::default())), ("root s7".to_owned(), 3, 1));
    assert_eq!(critical(&picture.folded(Folding::default().max_boxes(2))), ("root s0".to_owned(), 2, 1));
}
