use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
struct Case {
    boxes: Vec<Size>,
    ends: Vec<(usize, usize)>,
    is_dashed: Vec<bool>,
    direction: Direction,
}

fn cases() -> impl Strategy<Value = Case> {
    let size = (60.0f64..220.0, 30.0f64..60.0).prop_map(|(width, height)| Size { width, height });
    let boxes = prop::collection::vec(size, 1..40);
    let ends = prop::collection::btree_map((0usize..40, 0usize..40), any::<bool>(), 0..90);
    (boxes, ends, any::<bool>()).prop_map(|(boxes, ends, is_right)| {
        let ends: Vec<_> = ends.into_iter().filter(|((from, to), _)| from < to && *to < boxes.len()).collect();
        let direction = if is_right { Direction::Right } else { Direction::Down };
        Case {
            boxes,
            is_dashed: ends.iter().map(|end| end.1).collect(),
            ends: ends.into_iter().map(|end| end.0).collect(),
            direction,
        }
    })
}

impl Case {
    fn laid_out(&self) -> Layout {
        let labels = vec![Size::default(); self.ends.len()];
        let Self { boxes, ends, is_dashed, direction } = self;
        layout(&Task { boxes, ends, labels: &labels, is_dashed, direction: *direction })
    }
}

impl Area {
    fn right(&self) -> f64 {
        self.corner.x + self.size.width
    }

    fn bottom(&self) -> f64 {
        self.corner.y + self.size.height
    }

    fn overlaps(&self, other: &Self, room: f64) -> bool {
        self.corner.x < other.right() + room
            && other.corner.x < self.right() + room
            && self.corner.y < other.bottom() + room
            && other.corner.y < self.bottom() + room
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_two_boxes_overlap_and_all_are_on_the_paper(case in cases()) {
        let layout = case.laid_out();
        for (at, area) in layout.boxes.iter().enumerate() {
            prop_assert!(layout.boxes[at + 1..].iter().all(|other| !area.overlaps(other, 10.0)));
            prop_assert!(area.corner.x >= -0.6 && area.corner.y >= -0.6);
            prop_assert!(area.right() <= layout.size.width + 0.6 && area.bottom() <= layout.size.height + 0.6);
        }
    }

    #[test]
    fn edges_join_the_borders_of_their_boxes_and_never_turn_back(case in cases()) {
        let layout = case.laid_out();
        let along = |point: &Point| if case.direction == Direction::Right { point.x } else { point.y };
        for (route, &(from, to)) in layout.routes.iter().zip(&case.ends) {
            let (first, last) = (route.points[0], *route.points.last().unwrap());
            let (from, to) = (layout.boxes[from], layout.boxes[to]);
            let (leaves, arrives) = if case.direction == Direction::Right { (from.right(), to.corner.x) } else { (from.bottom(), to.corner.y) };
            prop_assert!((along(&first) - leaves).abs() < 0.1 && (along(&last) - arrives).abs() < 0.1);
            prop_assert!(route.points.windows(2).all(|pair| along(&pair[0]) < along(&pair[1])));
        }
    }

    /// A curve stays between its ends across and bends between two layers only, so looking at the straight parts is enough.
    #[test]
    fn edges_run_past_boxes(case in cases()) {
        let layout = case.laid_out();
        for (route, ends) in layout.routes.iter().zip(&case.ends) {
            for pair in route.points.windows(2) {
                let level = if case.direction == Direction::Right { pair[0].y == pair[1].y } else { pair[0].x == pair[1].x };
                let others = layout.boxes.iter().enumerate().filter(|(at, _)| level && *at != ends.0 && *at != ends.1);
                let line = Area { corner: pair[0], size: Size { width: pair[1].x - pair[0].x, height: pair[1].y - pair[0].y } };
                for (_, area) in others {
                    prop_assert!(!area.overlaps(&line, 0.0), "{line:?} {area:?}");
                }
            }
        }
    }

    #[test]
    fn the_same_is_laid_out_the_same(case in cases()) {
        prop_assert_eq!(case.laid_out(), case.laid_out());
    }
}

#[test]
fn nothing_needs_no_room() {
    let case = Case { boxes: vec![], ends: vec![], is_dashed: vec![], direction: Direction::Down };
    assert_eq!(case.laid_out().size, Size::default());
}

/// A parent in the middle above its children, a chain in one line.
#[test]
fn a_diamond_is_symmetric() {
    let boxes = vec![Size { width: 100.0, height: 40.0 }; 5];
    let case = Case {
        boxes,
        ends: vec![(0, 1), (0, 2), (1, 3), (2, 3), (3, 4)],
        is_dashed: vec![false; 5],
        direction: Direction::Down,
    };
    let boxes = case.laid_out().boxes;
    let middle = |at: usize| boxes[at].corner.x + 50.0;
    assert_eq!(middle(0), middle(3));
    assert_eq!(middle(3), middle(4));
    assert_eq!(middle(0) * 2.0, middle(1) + middle(2));
}
