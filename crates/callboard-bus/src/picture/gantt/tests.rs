use proptest::prelude::*;

use super::super::text;
use super::*;

fn millis(from: u64, to: u64, kind: SpanKind) -> Span {
    Span::new(kind, Duration::from_millis(from), Duration::from_millis(to))
}

fn row(label: &str, is_critical: bool, spans: &[Span]) -> GanttRow {
    GanttRow { label: label.to_owned(), spans: spans.to_vec(), is_critical }
}

fn order() -> Gantt {
    let rows = vec![
        row("late", false, &[millis(500, 700, SpanKind::Running)]),
        row("first", true, &[millis(0, 100, SpanKind::Queued), millis(100, 400, SpanKind::Running)]),
        row(
            "second",
            true,
            &[
                millis(400, 500, SpanKind::Failed),
                millis(500, 800, SpanKind::Retrying),
                millis(800, 1_000, SpanKind::Running),
            ],
        ),
        row("never", false, &[]),
    ];
    Gantt { title: "order 7 <&>".to_owned(), rows }
}

fn texts(svg: &str) -> Vec<String> {
    let document = roxmltree::Document::parse(svg).unwrap();
    let texts = document.descendants().filter(|node| node.has_tag_name("text"));
    texts.map(|node| node.text().unwrap_or_default().to_owned()).collect()
}

#[test]
fn rows_are_sorted_by_their_start() {
    let texts = texts(&order().to_svg(10).unwrap());
    let place = |label: &str| texts.iter().position(|text| text == label).unwrap();
    assert!(place("first") < place("second") && place("second") < place("late") && place("late") < place("never"));
}

#[test]
fn the_critical_path_is_marked_and_listed() {
    let svg = order().to_svg(10).unwrap();
    assert!(texts(&svg).contains(&"Critical path, 1 s: first → second".to_owned()));
    assert_eq!(svg.matches("row critical").count(), 2);
}

#[test]
fn every_kind_of_span_is_drawn_and_explained() {
    let svg = order().to_svg(10).unwrap();
    for kind in [SpanKind::Queued, SpanKind::Running, SpanKind::Failed, SpanKind::Retrying] {
        // Once in a row at least, and once in the legend.
        assert!(svg.matches(&format!("class=\"span {kind:?}\"")).count() >= 2, "{kind:?}");
        assert!(texts(&svg).iter().any(|text| text == kind.name()));
    }
    assert!(!texts(&svg).iter().any(|text| text == SpanKind::Compensating.name()));
}

#[test]
fn too_many_rows_become_one_line() {
    let mut gantt = order();
    gantt.rows.extend((0..50).map(|at| row(&format!("small {at}"), false, &[millis(at, at + 10, SpanKind::Running)])));
    let svg = gantt.to_svg(5).unwrap();
    let texts = texts(&svg);
    assert!(texts.contains(&"first".to_owned()) && texts.contains(&"second".to_owned()));
    let folded = texts.iter().find(|text| text.starts_with('…')).unwrap();
    assert!(folded.starts_with("… and 50 more rows: 490 ms of work, 0 with failed attempts"), "{folded}");
    assert_eq!(svg.matches("class=\"row").count(), 4);
}

/// A run that was tried again tens of thousands of times.
#[test]
fn very_many_spans_make_no_large_file_and_are_counted() {
    let tries = |row: u64| {
        let at = move |at: u64| 10 * (at + row);
        (0..500).flat_map(move |attempt| {
            [
                millis(at(attempt), at(attempt) + 4, SpanKind::Failed),
                millis(at(attempt) + 4, at(attempt) + 10, SpanKind::Retrying),
            ]
        })
    };
    let rows = (0..60).map(|at| row(&format!("row {at}"), false, &tries(at).collect::<Vec<_>>()));
    let svg = Gantt { title: String::new(), rows: rows.collect() }.to_svg(60).unwrap();
    assert!(svg.len() < 500_000, "{}", svg.len());
    assert_eq!(svg.matches("class=\"crowd\"").count(), 61, "one in each row and one in the legend");
    assert!(texts(&svg).iter().any(|text| text == "too many to tell apart"));
    assert!(svg.contains("row 7\n500 × failed attempt: 2 s\n500 × pause before a retry: 3 s"));
}

#[test]
fn a_span_that_ends_before_it_begins_is_refused() {
    let rows = vec![row("odd", false, &[millis(9, 5, SpanKind::Running)])];
    let refused = Gantt { title: String::new(), rows }.to_svg(9).unwrap_err();
    assert_eq!(refused.to_string(), "a span of `odd` ends at 5ms, before it begins at 9ms: swap its ends");
}

fn gantts() -> impl Strategy<Value = Gantt> {
    let kind = (0..SpanKind::ALL.len()).prop_map(|at| SpanKind::ALL[at]);
    let time = (any::<u64>(), 0u32..64).prop_map(|(seconds, shift)| Duration::from_secs(seconds >> shift));
    let span =
        (kind, time.clone(), time).prop_map(|(kind, one, other)| Span::new(kind, one.min(other), one.max(other)));
    let row = (any::<String>(), prop::collection::vec(span, 0..5), any::<bool>());
    let row = row.prop_map(|(label, spans, is_critical)| GanttRow { label, spans, is_critical });
    (any::<String>(), prop::collection::vec(row, 0..20)).prop_map(|(title, rows)| Gantt { title, rows })
}

fn value(node: roxmltree::Node<'_, '_>, name: &str) -> f64 {
    node.attribute(name).unwrap_or("0").parse().unwrap()
}

proptest! {
    #[test]
    fn any_chart_is_well_formed_and_on_its_paper(gantt in gantts(), max_rows in 0usize..25) {
        let svg = gantt.to_svg(max_rows).unwrap();
        let document = roxmltree::Document::parse(&svg).unwrap();
        let width = value(document.root_element(), "width");
        let shown = svg.matches("class=\"row").count();
        prop_assert_eq!(shown, if gantt.rows.len() > max_rows { max_rows.saturating_sub(1) } else { gantt.rows.len() });
        for text in document.descendants().filter(|node| node.has_tag_name("text") && node.attribute("text-anchor").is_none()) {
            let bold = if text.attribute("font-weight") == Some("bold") { 1.27 } else { 1.0 };
            let words = text.text().unwrap_or_default();
            let right = 24.0 + value(text, "x") + text::width(words, value(text, "font-size") * bold);
            prop_assert!(right <= width, "{words}: {right} {width}");
        }
        for bar in document.descendants().filter(|node| node.has_tag_name("rect")) {
            prop_assert!(value(bar, "x") + value(bar, "width") <= width);
        }
    }
}
