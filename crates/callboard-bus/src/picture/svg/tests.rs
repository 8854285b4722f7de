use proptest::prelude::*;
use roxmltree::{Document, Node as Tag};

use crate::picture::layout::{Area, Point, Size};
use crate::picture::xml::number;
use crate::picture::{Direction, Edge, Folding, Node, Picture, State, text};

fn labels() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[a-zA-Z_.:]{0,60}",
        Just("a < b && \"c\" ]]> <!-- \u{0}\u{1b}\u{ffff}\r\n\t".to_owned())
    ]
}

fn pictures() -> impl Strategy<Value = Picture> {
    let items = prop::option::weighted(0.2, (0..State::ALL.len(), 0usize..9));
    let node = (labels(), prop::option::of(labels()), 0..State::ALL.len(), items, prop::bool::weighted(0.2));
    let edge = (0usize..25, 0usize..25, prop::option::of(labels()), any::<bool>());
    let directions = [Direction::Fitting, Direction::Down, Direction::Right];
    let parts = (labels(), prop::collection::vec(node, 0..25), prop::collection::vec(edge, 0..50), 0..directions.len());
    parts.prop_map(move |(title, nodes, edges, direction)| {
        let count = nodes.len();
        let nodes = nodes.into_iter().enumerate().map(|(at, (label, detail, state, items, critical))| {
            let node = Node::new(at.to_string(), label).state(State::ALL[state]);
            let node = if critical { node.critical() } else { node };
            let items = items.map(|(state, count)| vec![State::ALL[state]; count].into_iter().collect());
            let node = if let Some(items) = items { node.items(items) } else { node };
            if let Some(detail) = detail { node.detail(detail) } else { node }
        });
        let edges =
            edges.into_iter().filter(|edge| edge.0 < edge.1 && edge.1 < count).map(|(from, to, label, dashed)| {
                let edge = Edge::new(from.to_string(), to.to_string());
                let edge = if dashed { edge.dashed() } else { edge.critical() };
                if let Some(label) = label { edge.label(label) } else { edge }
            });
        Picture::builder(title).nodes(nodes).edges(edges).direction(directions[direction]).build().unwrap()
    })
}

fn value(tag: Tag<'_, '_>, name: &str) -> f64 {
    tag.attribute(name).unwrap_or("0").parse().unwrap()
}

fn of_class<'a, 'input>(tag: Tag<'a, 'input>, class: &'static str) -> impl Iterator<Item = Tag<'a, 'input>> {
    tag.descendants()
        .filter(move |tag| tag.attribute("class").is_some_and(|all| all.split(' ').any(|one| one == class)))
}

fn area(tag: Tag<'_, '_>) -> Area {
    let corner = Point { x: value(tag, "x"), y: value(tag, "y") };
    Area { corner, size: Size { width: value(tag, "width"), height: value(tag, "height") } }
}

/// Left, upper, right and lower end of a text by the table of widths.
fn text_area(tag: Tag<'_, '_>) -> [f64; 4] {
    let size = value(tag, "font-size");
    let (x, y) = (value(tag, "x"), value(tag, "y"));
    [x, y - size * 0.85, x + text::width(tag.text().unwrap_or_default(), size), y + size * 0.2]
}

fn is_within([left, upper, right, lower]: [f64; 4], Area { corner, size }: Area) -> bool {
    left >= corner.x && upper >= corner.y && right <= corner.x + size.width && lower <= corner.y + size.height
}

fn overlap(one: Area, other: Area) -> bool {
    one.corner.x < other.corner.x + other.size.width
        && other.corner.x < one.corner.x + one.size.width
        && one.corner.y < other.corner.y + other.size.height
        && other.corner.y < one.corner.y + one.size.height
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_picture_is_well_formed_with_every_text_in_its_box(picture in pictures(), max_boxes in 1usize..40) {
        let picture = picture.folded(Folding::default().max_boxes(max_boxes).max_siblings(3));
        let svg = picture.to_svg();
        let document = Document::parse(&svg).unwrap();
        let nodes: Vec<Tag<'_, '_>> = of_class(document.root_element(), "node").collect();
        prop_assert_eq!(nodes.len(), picture.nodes().len());
        let boxes: Vec<Area> = nodes.iter().map(|node| area(of_class(*node, "box").next().unwrap())).collect();
        for (at, node) in nodes.iter().enumerate() {
            prop_assert!(boxes[at + 1..].iter().all(|other| !overlap(boxes[at], *other)));
            let texts = node.descendants().filter(|tag| tag.has_tag_name("text"));
            prop_assert!(texts.clone().count() >= 1);
            for text in texts {
                prop_assert!(is_within(text_area(text), boxes[at]), "{text:?} {:?}", boxes[at]);
            }
        }
    }

    #[test]
    fn the_drawing_is_on_its_paper(picture in pictures()) {
        let svg = picture.to_svg();
        let document = Document::parse(&svg).unwrap();
        let paper = area(of_class(document.root_element(), "paper").next().unwrap());
        let heading = of_class(document.root_element(), "heading").next().unwrap();
        let [left, upper, right, lower] = text_area(heading);
        prop_assert!(is_within([left, upper, left + (right - left) * 1.27, lower], paper));
        let content = of_class(document.root_element(), "content").next().unwrap();
        let [dx, dy] = shift(content);
        for tag in of_class(content, "box").chain(of_class(content, "edge-label").filter_map(|tag| tag.first_element_child())) {
            let Area { corner, size } = area(tag);
            let (left, upper) = (corner.x + dx, corner.y + dy);
            prop_assert!(is_within([left, upper, left + size.width, upper + size.height], paper), "{tag:?} {svg}");
        }
    }
}

fn shift(tag: Tag<'_, '_>) -> [f64; 2] {
    let numbers = tag.attribute("transform").unwrap().trim_start_matches("translate(").trim_end_matches(')');
    let mut numbers = numbers.split(' ').map(|number| number.parse().unwrap());
    [numbers.next().unwrap(), numbers.next().unwrap()]
}

fn small() -> Picture {
    let nodes = [State::Done, State::Failed].map(|state| Node::new(state.name(), state.name()).state(state));
    Picture::builder("small & <simple>").nodes(nodes).edge(Edge::new("done", "failed").label("then")).build().unwrap()
}

#[test]
fn screen_readers_and_dark_pages_are_served() {
    let svg = small().to_svg();
    let document = Document::parse(&svg).unwrap();
    let root = document.root_element();
    assert_eq!(root.attribute("role"), Some("img"));
    let children: Vec<(&str, &str)> = root
        .children()
        .filter(Tag::is_element)
        .take(2)
        .map(|tag| (tag.tag_name().name(), tag.text().unwrap()))
        .collect();
    assert_eq!(
        children,
        [("title", "small & <simple>"), ("desc", "A graph of 2 nodes and 1 edges. 1 done, 1 failed.")]
    );
    let paper = area(of_class(root, "paper").next().unwrap());
    assert_eq!((paper.size.width, paper.size.height), (value(root, "width"), value(root, "height")));
}

#[test]
fn long_titles_and_texts_go_on_in_a_second_line() {
    let name = "01a20311-4204-730a-9059-01a7ce37c283";
    let node =
        Node::new("validate", "Validate").detail("validator_module.validate_data · 182 items: 182 done · 190 ms");
    let title = format!("Data Processing Pipeline · completed · {name}");
    let svg = Picture::builder(&title).node(node).build().unwrap().to_svg();
    let document = Document::parse(&svg).unwrap();
    let texts = document.descendants().filter(|tag| tag.has_tag_name("text"));
    let texts: Vec<_> = texts.map(|tag| tag.text().unwrap()).collect();
    let expected = [
        "Data Processing Pipeline · completed",
        name,
        "Validate",
        "validator_module.validate_data",
        "182 items: 182 done · 190 ms",
    ];
    assert_eq!(texts, expected);
    let title_of_all = document.descendants().find(|tag| tag.has_tag_name("title")).unwrap();
    assert_eq!(title_of_all.text(), Some(&*title));
}

#[test]
fn the_legend_names_the_states_that_occur() {
    let svg = small().to_svg();
    let document = Document::parse(&svg).unwrap();
    let legend = of_class(document.root_element(), "legend").next().unwrap();
    let texts: Vec<&str> =
        legend.descendants().filter(|tag| tag.has_tag_name("text")).filter_map(|tag| tag.text()).collect();
    assert_eq!(texts, ["done (1)", "failed (1)"]);
}

#[test]
fn the_critical_path_is_marked_and_explained() {
    let nodes = ["a", "b", "c"].map(|id| Node::new(id, id));
    let [a, b, c] = nodes;
    let picture = Picture::builder("path").nodes([a.critical(), b, c.critical()]);
    let edges = [Edge::new("a", "b"), Edge::new("a", "c").critical()];
    let picture = picture.edges(edges).build().unwrap();
    let svg = picture.to_svg();
    let document = Document::parse(&svg).unwrap();
    let root = document.root_element();
    let marked = of_class(root, "node").filter(|node| of_class(*node, "mark").count() == 1);
    assert_eq!(marked.filter_map(|node| node.attribute("data-id")).collect::<Vec<_>>(), ["a", "c"]);
    let edges = root.descendants().filter(|tag| tag.attribute("class") == Some("edges critical"));
    assert_eq!(edges.flat_map(|group| of_class(group, "edge")).count(), 1);
    assert!(svg.contains("2 boxes are on the critical path."));
    let legend = of_class(root, "legend").next().unwrap();
    assert_eq!(
        legend.descendants().filter_map(|tag| tag.text()).find(|text| !text.trim().is_empty()),
        Some("on the critical path")
    );
    assert!(picture.to_dot().contains("label=\"◆ c\"") && picture.to_dot().contains("n0 -> n2 [color="));
    assert!(picture.to_mermaid().contains("n0 ==> n2") && picture.to_mermaid().contains("[\"◆ a\"]"));
}

#[test]
fn items_are_shown_as_a_bar_and_counted_as_one() {
    let items = [State::Done, State::Done, State::Failed].into_iter().collect();
    let picture = Picture::builder("map").node(Node::new("a", "a").state(State::Running).items(items)).build().unwrap();
    let svg = picture.to_svg();
    let document = Document::parse(&svg).unwrap();
    assert_eq!(of_class(document.root_element(), "share").count(), 2);
    assert_eq!(picture.counts().summary(), "1 running");
}

/// The tip of each head is a point on the border of a box, and the line ends within the head.
#[test]
fn arrows_end_at_the_border() {
    let svg = small().to_svg();
    let document = Document::parse(&svg).unwrap();
    let target = area(of_class(document.root_element(), "box").nth(1).unwrap());
    let tip = format!("M{} {}L", number(target.corner.x + target.size.width / 2.0), number(target.corner.y));
    let heads = of_class(document.root_element(), "heads").next().unwrap();
    assert!(heads.attribute("d").unwrap().starts_with(&tip), "{heads:?} {tip}");
}

/// Edges that part at a node, or meet at one, have room for their texts.
#[test]
fn texts_of_neighbouring_edges_do_not_overlap() {
    for direction in [Direction::Down, Direction::Right] {
        let nodes = ["a", "b1", "b2", "b3", "c"].map(|id| Node::new(id, id));
        let edges = ["b1", "b2", "b3"]
            .map(|id| [Edge::new("a", id).label("when it is said"), Edge::new(id, "c").label("when it is done")]);
        let picture =
            Picture::builder("labels").nodes(nodes).edges(edges.concat()).direction(direction).build().unwrap();
        let svg = picture.to_svg();
        let document = Document::parse(&svg).unwrap();
        let labels = of_class(document.root_element(), "edge-label").filter_map(|tag| tag.first_element_child());
        let boxes = of_class(document.root_element(), "content").flat_map(|content| of_class(content, "box"));
        let areas: Vec<Area> = labels.chain(boxes).map(area).collect();
        assert_eq!(areas.len(), 11);
        for (at, one) in areas.iter().enumerate() {
            assert!(areas[at + 1..].iter().all(|other| !overlap(*one, *other)), "{one:?} {areas:?}");
        }
    }
}
