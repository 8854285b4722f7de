use petgraph::graph::DiGraph;

use super::*;

fn nodes(ids: &[&str]) -> Vec<Node> {
    ids.iter().map(|id| Node::new(*id, *id)).collect()
}

#[test]
fn ids_are_unique() {
    let refused = Picture::builder("twice").nodes(nodes(&["a", "b", "a"])).build();
    assert_eq!(refused, Err(PictureError::DuplicateNode { id: "a".into() }));
}

#[test]
fn edges_join_nodes_that_exist() {
    let refused = Picture::builder("nowhere").nodes(nodes(&["a"])).edge(Edge::new("a", "b")).build().unwrap_err();
    assert_eq!(refused.to_string(), "the edge from `a` to `b` names `b`, which is no node: add it or drop the edge");
}

#[test]
fn a_circle_is_named_by_its_path() {
    let edges = [("a", "b"), ("b", "c"), ("c", "d"), ("d", "b")].map(|(from, to)| Edge::new(from, to));
    let refused = Picture::builder("round").nodes(nodes(&["a", "b", "c", "d"])).edges(edges).build();
    let path = ["b", "c", "d", "b"].map(String::from).to_vec();
    assert_eq!(refused, Err(PictureError::Cycle { path }));
}

#[test]
fn a_long_circle_is_told_shortly() {
    let ids: Vec<String> = (0..1000).map(|at| format!("n{at}")).collect();
    let edges = (0..1000).map(|at| Edge::new(ids[at].clone(), ids[(at + 1) % 1000].clone()));
    let refused = Picture::builder("round").nodes(ids.iter().map(|id| Node::new(id, id))).edges(edges).build();
    let told = refused.unwrap_err().to_string();
    assert!(told.contains("(985 more)") && told.len() < 300, "{told}");
}

#[test]
fn edges_between_the_same_nodes_become_one() {
    let edges = [Edge::new("a", "b").label("x"), Edge::new("a", "b").label("x").dashed()];
    let picture = Picture::builder("double").nodes(nodes(&["a", "b"])).edges(edges).build().unwrap();
    let [edge] = picture.edges() else { panic!("one edge") };
    assert_eq!((edge.count(), edge.label.as_deref(), edge.is_dashed), (2, Some("x"), false));
}

#[test]
fn a_petgraph_graph_is_taken_as_it_is() {
    let mut graph = DiGraph::<&str, u32>::new();
    let [one, other] = ["one", "other"].map(|name| graph.add_node(name));
    graph.add_edge(one, other, 7);
    let node = |index: NodeIndex, name: &&str| Node::new(index.index().to_string(), *name);
    let picture = Picture::from_graph("two", &graph, node, |edge, weight| edge.label(weight.to_string())).unwrap();
    assert_eq!(picture.edges(), [Edge::new("0", "1").label("7")]);
    graph.add_edge(other, one, 8);
    let refused = Picture::from_graph("two", &graph, node, |edge, _| edge);
    assert!(matches!(refused, Err(PictureError::Cycle { .. })));
}

#[test]
fn deep_graphs_are_drawn_down_and_wide_ones_to_the_right() {
    assert_eq!(fitting_direction(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]), Direction::Down);
    assert_eq!(fitting_direction(&[0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2]), Direction::Right);
    assert_eq!(fitting_direction(&[]), Direction::Down);
}
