use super::*;
use proptest::prelude::*;

fn steps(numbers: &[usize]) -> Vec<StepIndex> {
    numbers.iter().map(|number| StepIndex::new(*number)).collect()
}

fn graph(parents: &[&[usize]]) -> Result<Graph, Vec<Cycle>> {
    Graph::new(&parents.iter().map(|parents| steps(parents)).collect::<Vec<_>>())
}

/// Parents with smaller numbers only, so without a cycle.
fn acyclic() -> impl Strategy<Value = Vec<Vec<StepIndex>>> {
    prop::collection::vec(prop::collection::btree_set(0usize..40, 0..4), 1..40).prop_map(|sets| {
        let below = |(own, set): (usize, std::collections::BTreeSet<usize>)| {
            set.into_iter().filter(|parent| *parent < own).map(StepIndex::new).collect()
        };
        sets.into_iter().enumerate().map(below).collect()
    })
}

#[test]
fn a_diamond_has_three_levels() {
    let diamond = graph(&[&[], &[0], &[0], &[1, 2]]).unwrap();
    assert_eq!(diamond.levels(), [steps(&[0]), steps(&[1, 2]), steps(&[3])]);
    assert_eq!(diamond.children(StepIndex::new(0)), steps(&[1, 2]));
    assert_eq!(diamond.parents(StepIndex::new(3)), steps(&[1, 2]));
    assert_eq!((diamond.len(), diamond.is_empty()), (4, false));
    assert_eq!(diamond.as_petgraph().edge_count(), 4);
}

#[test]
fn steps_that_may_run_at_once_keep_the_order_of_the_definition() {
    assert_eq!(graph(&[&[4], &[], &[1], &[], &[]]).unwrap().topological_order(), steps(&[1, 2, 3, 4, 0]));
}

#[test]
fn the_critical_path_goes_through_the_slower_branch() {
    let diamond = graph(&[&[], &[0], &[0], &[1, 2]]).unwrap();
    let durations: Vec<_> = [1, 2, 5].map(Duration::from_secs).into();
    assert_eq!(diamond.critical_path(&durations), (steps(&[0, 2, 3]), Duration::from_secs(6)));
}

#[test]
fn every_knot_gives_its_shortest_cycle() {
    let knots = graph(&[&[1, 2], &[0], &[1], &[4], &[3], &[0]]).unwrap_err();
    assert_eq!(knots, [steps(&[0, 1]), steps(&[3, 4])]);
}

#[test]
fn a_step_out_of_range_has_no_relations() {
    let single = graph(&[&[]]).unwrap();
    assert!(single.children(StepIndex::new(7)).is_empty());
    assert!(!single.is_ancestor(StepIndex::new(7), StepIndex::new(0)));
    assert!(!single.is_ancestor(StepIndex::new(0), StepIndex::new(usize::MAX)));
}

/// A long chain overflows no stack, neither straight nor closed to a ring.
#[test]
fn a_long_chain_is_walked_without_recursion() {
    let mut parents: Vec<_> = (0..50_000).map(|step: usize| steps(&[step.wrapping_sub(1)])).collect();
    parents[0].clear();
    assert_eq!(Graph::new(&parents).unwrap().len(), 50_000);
    parents[0] = steps(&[49_999]);
    assert_eq!(Graph::new(&parents).unwrap_err()[0].len(), 50_000);
}

proptest! {
    #[test]
    fn parents_come_first(parents in acyclic()) {
        let graph = Graph::new(&parents).unwrap();
        let mut place = vec![0; parents.len()];
        graph.topological_order().iter().enumerate().for_each(|(at, step)| place[step.get()] = at);
        for (step, parents) in parents.iter().enumerate() {
            prop_assert!(parents.iter().all(|parent| place[parent.get()] < place[step]));
        }
    }

    #[test]
    fn ancestors_are_what_a_walk_upwards_meets(parents in acyclic()) {
        let graph = Graph::new(&parents).unwrap();
        for step in 0..parents.len() {
            let (mut met, mut left) = (vec![false; parents.len()], parents[step].clone());
            while let Some(above) = left.pop() {
                if !std::mem::replace(&mut met[above.get()], true) {
                    left.extend(&parents[above.get()]);
                }
            }
            for (above, met) in met.into_iter().enumerate() {
                prop_assert_eq!(graph.is_ancestor(StepIndex::new(above), StepIndex::new(step)), met);
            }
        }
    }

    /// Any parents at all: an order is found, or cycles that really are some.
    #[test]
    fn a_cycle_that_is_named_is_one(
        edges in prop::collection::vec(prop::collection::btree_set(0usize..12, 0..3), 12)
    ) {
        let without_self = |(own, set): (usize, std::collections::BTreeSet<usize>)| {
            set.into_iter().filter(|parent| *parent != own).map(StepIndex::new).collect()
        };
        let parents: Vec<Vec<_>> = edges.into_iter().enumerate().map(without_self).collect();
        for cycle in Graph::new(&parents).err().into_iter().flatten() {
            prop_assert!(cycle.len() > 1);
            for (at, step) in cycle.iter().enumerate() {
                let next = cycle[(at + 1) % cycle.len()];
                prop_assert!(parents[next.get()].contains(step));
            }
        }
    }
}
