use roxmltree::{Document, Node};

use super::*;

const GOLDEN: &str = include_str!("golden.svg");

fn bar(entrant: usize, [least, middle, greatest]: [f64; 3], figure: &str) -> Bar {
    Bar { entrant, least, middle, greatest, figure: figure.to_owned() }
}

fn group(name: &str, bars: Vec<Bar>) -> Group {
    Group { name: name.to_owned(), caption: "a made-up row of the run".to_owned(), bars }
}

/// A run that never was: a usual row, one with a bar that is cut, and one with a single bar.
fn chart() -> Chart {
    let usual = vec![
        bar(0, [0.4, 0.46, 0.6], "84.2 ns · 0.46"),
        bar(1, [0.9, 1.0, 1.2], "182 ns"),
        bar(2, [0.8, 0.9, 2.9], "164 ns · 0.90"),
    ];
    let cut = vec![bar(0, [0.6, 0.7, 0.75], "1,234 bytes · 0.70"), bar(2, [6.0, 12.3, 14.0], "21,678 bytes · 12.30")];
    Chart {
        title: "one beside two & \"three\"".to_owned(),
        subtitle: "A part of two's: <shorter> is better.".to_owned(),
        unit: "two".to_owned(),
        entrants: ["one", "two", "three"].map(str::to_owned).to_vec(),
        groups: vec![
            group("usual", usual),
            group("cut", cut),
            group("alone", vec![bar(1, [1.0, 1.0, 1.0], "2.00 us")]),
        ],
    }
}

/// Left, top, right and bottom.
type Area = [f64; 4];

fn attribute(node: Node<'_, '_>, name: &str) -> f64 {
    node.attribute(name).unwrap().parse().unwrap()
}

/// What a text takes, at most.
fn area(node: Node<'_, '_>) -> Area {
    let [x, y, size] = ["x", "y", "font-size"].map(|name| attribute(node, name));
    let width = node.text().unwrap().chars().count() as f64 * size * LETTER;
    let left = if node.attribute("text-anchor") == Some("middle") { x - width / 2.0 } else { x };
    [left, y - size * 0.8, left + width, y + size * 0.2]
}

fn texts(document: &Document<'_>) -> Vec<(String, Area)> {
    let texts = document.descendants().filter(|node| node.has_tag_name("text"));
    texts.map(|node| (node.text().unwrap().to_owned(), area(node))).collect()
}

fn overlap(one: Area, other: Area) -> bool {
    one[0] < other[2] && other[0] < one[2] && one[1] < other[3] && other[1] < one[3]
}

fn bars<'a>(document: &'a Document<'a>) -> impl Iterator<Item = Node<'a, 'a>> {
    let rectangles = document.descendants().filter(|node| node.has_tag_name("rect") && node.has_attribute("x"));
    rectangles.filter(|node| attribute(*node, "height") == BAR)
}

#[test]
fn the_picture_of_a_made_up_run_is_as_it_was_looked_at() {
    assert_eq!(draw(&chart()), GOLDEN);
}

#[test]
fn it_is_well_formed_whatever_the_names_are() {
    let written = draw(&chart());
    let document = Document::parse(&written).unwrap();
    let texts = texts(&document);
    for words in [&chart().title, &chart().subtitle] {
        assert!(texts.iter().any(|(text, _)| text == words), "{words}");
    }
}

#[test]
fn texts_lie_on_the_paper_and_not_on_each_other() {
    let written = draw(&chart());
    let document = Document::parse(&written).unwrap();
    let height = attribute(document.root_element(), "height");
    let texts = texts(&document);
    for (place, (text, area)) in texts.iter().enumerate() {
        assert!(area[0] >= 0.0 && area[2] <= WIDTH && area[1] >= 0.0 && area[3] <= height, "{text} leaves the paper");
        for (other, area_of_other) in &texts[..place] {
            assert!(!overlap(*area, *area_of_other), "{text} lies on {other}");
        }
    }
}

#[test]
fn figures_stand_beside_their_bars_and_whiskers() {
    let written = draw(&chart());
    let document = Document::parse(&written).unwrap();
    let lines = document.descendants().filter(|node| node.has_tag_name("line"));
    let whiskers: Vec<Area> = lines
        .filter(|line| line.attribute("stroke") == Some(INK))
        .map(|line| ["x1", "y1", "x2", "y2"].map(|name| attribute(line, name)))
        .collect();
    let bars: Vec<Area> = bars(&document)
        .map(|bar| ["x", "y", "width", "height"].map(|name| attribute(bar, name)))
        .map(|[left, top, width, height]| [left, top, left + width, top + height])
        .collect();
    for (text, area) in texts(&document) {
        assert!(!bars.iter().chain(&whiskers).any(|drawn| overlap(area, *drawn)), "{text} lies on a drawing");
    }
}

#[test]
fn a_bar_beyond_the_axis_is_cut_and_says_so() {
    let written = draw(&chart());
    let document = Document::parse(&written).unwrap();
    let ends: Vec<f64> = bars(&document).map(|bar| attribute(bar, "x") + attribute(bar, "width")).collect();
    assert_eq!(ends.iter().filter(|&&end| end == RIGHT).count(), 1);
    assert!(ends.iter().all(|&end| end <= RIGHT));
    assert_eq!(document.descendants().filter(|node| node.has_tag_name("path")).count(), 2);
    assert!(written.contains("21,678 bytes · 12.30"));
}

#[test]
fn a_whisker_beyond_the_axis_has_no_end() {
    let whisker = |greatest| whisker(&bar(0, [0.5, 1.0, greatest], ""), 0.0);
    assert_eq!(whisker(2.0).matches("<line").count(), 3);
    assert_eq!(whisker(3.0).matches("<line").count(), 2);
    assert!(whisker(3.0).contains("x2=\"656\""));
}

#[test]
fn a_chart_of_nothing_is_still_a_picture() {
    let nothing = Chart { groups: Vec::new(), entrants: Vec::new(), ..chart() };
    assert!(Document::parse(&draw(&nothing)).is_ok());
}
