//! Who waits for whom: the edges that tell an ask apart from a deadlock.
//!
//! A running turn that awaits an ask registers an edge from its actor to the target *before* it looks for a cycle. Of
//! several asks that close a cycle together at least one sees it: were each look to miss an edge, then each
//! registration would have happened before another one around the whole circle, which cannot be, as every look and every
//! registration takes the lock of the actor it concerns. A cycle is reported only when all of its edges are found a
//! second time: then they existed together at the moment between the two looks.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::cell::{ActorId, Node};

/// One wait of an actor's running turn.
#[derive(Debug)]
pub(crate) struct Edge {
    number: u64,
    target: Arc<dyn Node>,
}

/// A registered wait; it ends when this is dropped.
#[derive(Debug)]
#[must_use]
pub(crate) struct Wait {
    waiting: Arc<dyn Node>,
    number: u64,
}

/// A step of a path: this actor waits, with this edge, for the next one.
struct Step {
    node: Arc<dyn Node>,
    edge: u64,
}

/// Registers that the running turn of `waiting` awaits `target`.
///
/// # Errors
///
/// The names around the cycle that the wait would close, starting and ending with `waiting`.
pub(crate) fn wait(waiting: Arc<dyn Node>, target: &Arc<dyn Node>) -> Result<Wait, Vec<String>> {
    static NUMBER: AtomicU64 = AtomicU64::new(1);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let edge = Edge { number, target: Arc::clone(target) };
    waiting.core().with_rare(|rare| rare.edges.push(edge));
    let wait = Wait { waiting, number };
    match path_back(&wait.waiting, target) {
        Some(path) if path.iter().all(Step::still_holds) => Err(names(&wait.waiting, &path)),
        _ => Ok(wait),
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        let number = self.number;
        // The edge is taken out under the lock and dropped outside of it: it may hold the last reference to an actor.
        let gone = self.waiting.core().with_rare(|rare| {
            let at = rare.edges.iter().position(|edge| edge.number == number)?;
            Some(rare.edges.swap_remove(at))
        });
        drop(gone);
    }
}

/// The turn of this actor is over, and with it every wait of its own: a future that was moved out of the turn may still
/// hold one.
#[cold]
pub(crate) fn end_waits(node: &dyn Node) {
    let gone = node.core().with_rare(|rare| std::mem::take(&mut rare.edges));
    drop(gone);
}

impl Step {
    fn still_holds(&self) -> bool {
        let holds = |edges: &[Edge]| edges.iter().any(|edge| edge.number == self.edge);
        self.node.core().read_rare(|rare| holds(&rare.edges)).unwrap_or(false)
    }
}

/// The waits that lead from `target` back to `waiting`, depth first.
fn path_back(waiting: &Arc<dyn Node>, target: &Arc<dyn Node>) -> Option<Vec<Step>> {
    let home = waiting.core().id;
    if target.core().id == home {
        return Some(Vec::new());
    }
    let mut seen: HashSet<ActorId> = HashSet::new();
    let mut path: Vec<Step> = Vec::new();
    let mut branches: Vec<Vec<(u64, Arc<dyn Node>)>> = Vec::new();
    let mut here = Arc::clone(target);
    loop {
        branches.push(edges_of(&here));
        path.push(Step { node: here, edge: 0 });
        here = loop {
            let (branch, step) = (branches.last_mut()?, path.last_mut()?);
            match branch.pop() {
                Some((edge, next)) if next.core().id == home => {
                    step.edge = edge;
                    return Some(path);
                }
                Some((edge, next)) if seen.insert(next.core().id) => {
                    step.edge = edge;
                    break next;
                }
                Some(_) => {}
                None => {
                    branches.pop();
                    path.pop();
                }
            }
        };
    }
}

fn edges_of(node: &Arc<dyn Node>) -> Vec<(u64, Arc<dyn Node>)> {
    let copy = |edges: &[Edge]| edges.iter().map(|edge| (edge.number, Arc::clone(&edge.target))).collect();
    node.core().read_rare(|rare| copy(&rare.edges)).unwrap_or_default()
}

fn names(waiting: &Arc<dyn Node>, path: &[Step]) -> Vec<String> {
    let home = waiting.core().name();
    let mut names = vec![home.clone()];
    names.extend(path.iter().map(|step| step.node.core().name()));
    names.push(home);
    names
}
