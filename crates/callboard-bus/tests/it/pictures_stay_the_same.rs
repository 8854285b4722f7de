//! Small pictures are compared with files, to the byte: a change of looks is meant, or it is a mistake.

use std::path::Path;
use std::time::Duration;

use callboard_bus::picture::{Edge, Folding, Gantt, GanttRow, Node, Picture, Span, SpanKind, State};

fn order() -> Picture {
    let nodes = [
        Node::new("check", "Check \"order\" <7>").detail("orders.check · 12 ms").state(State::Done),
        Node::new("pay", "Pay & book").detail("bank.transfer").state(State::Failed),
        Node::new("refund", "Refund").state(State::Compensated),
        Node::new("ship", "Ship").state(State::Waiting),
        Node::new("close", "Close\nthe [books]").state(State::Plain),
    ];
    let items = (0..30).map(|at| Node::new(format!("pack{at}"), format!("pack[{at}]")).state(State::ALL[at % 8]));
    let edges = [("check", "pay"), ("pay", "ship"), ("ship", "close"), ("check", "close")];
    let packing =
        (0..30).flat_map(|at| [Edge::new("check", format!("pack{at}")), Edge::new(format!("pack{at}"), "ship")]);
    let picture =
        Picture::builder("Order 7").nodes(nodes).nodes(items).edges(edges.map(|(from, to)| Edge::new(from, to)));
    let picture = picture.edges(packing).edge(Edge::new("pay", "refund").label("on failure").dashed());
    picture.build().unwrap().folded(Folding::default())
}

fn chart() -> Gantt {
    let span = |kind, from, to| Span::new(kind, Duration::from_millis(from), Duration::from_millis(to));
    let row = |label: &str, is_critical, spans: &[Span]| GanttRow {
        label: label.to_owned(),
        spans: spans.to_vec(),
        is_critical,
    };
    let tries = [span(SpanKind::Failed, 12, 40), span(SpanKind::Retrying, 40, 60), span(SpanKind::Running, 60, 95)];
    let rows = vec![
        row("check", true, &[span(SpanKind::Running, 0, 12)]),
        row("pay", true, &tries),
        row("pack", false, &[span(SpanKind::Queued, 12, 30), span(SpanKind::Running, 30, 50)]),
        row("ship", true, &[span(SpanKind::Waiting, 95, 110), span(SpanKind::Running, 110, 130)]),
        row("refund", false, &[span(SpanKind::Compensating, 96, 99)]),
        row("a", false, &[span(SpanKind::Running, 96, 97)]),
        row("b", false, &[span(SpanKind::Running, 96, 98)]),
    ];
    Gantt { title: "Order 7".to_owned(), rows }
}

fn assert_same(name: &str, written: &str, expected: &str) {
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&kept, written).unwrap();
    assert!(
        written == expected,
        "the picture differs from pictures_golden/{name}; it was written to {}",
        kept.display()
    );
}

#[test]
fn f_wf_13_the_svg_is_the_same() {
    assert_same("order.svg", &order().to_svg(), include_str!("pictures_golden/order.svg"));
}

#[test]
fn f_wf_13_the_dot_is_the_same() {
    assert_same("order.dot", &order().to_dot(), include_str!("pictures_golden/order.dot"));
}

#[test]
fn f_wf_13_the_mermaid_is_the_same() {
    assert_same("order.mmd", &order().to_mermaid(), include_str!("pictures_golden/order.mmd"));
}

#[test]
fn the_chart_is_the_same() {
    assert_same("gantt.svg", &chart().to_svg(6).unwrap(), include_str!("pictures_golden/gantt.svg"));
}
