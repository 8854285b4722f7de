//! Whether failures fail the run.

use super::walk::Walk;
use super::{Skip, StepState};
use crate::definition::Join;
use crate::graph::StepIndex;

impl Walk<'_> {
    /// Whether every failed step is forgiven, by the rule at the head of [`run`](crate::run). Looks at all steps, the last first.
    pub(super) fn failures_are_forgiven(&self) -> bool {
        let mut forgiven = vec![false; self.body.cells.len()];
        for &step in self.definition.graph().topological_order().iter().rev() {
            let children = self.definition.graph().children(step);
            let is_forgiven = !children.is_empty() && children.iter().all(|child| self.forgives(*child, &forgiven));
            forgiven[step.get()] = is_forgiven;
            let failed = matches!(self.body.cells[step.get()].state, StepState::Failed | StepState::Cancelled);
            if failed && !is_forgiven {
                return false;
            }
        }
        true
    }

    fn forgives(&self, step: StepIndex, forgiven: &[bool]) -> bool {
        let cell = &self.body.cells[step.get()];
        let is_blocked = cell.state == StepState::Skipped && cell.skip == Some(Skip::Failure);
        let tolerates = matches!(self.step(step).join, Join::Any | Join::AtLeast(_));
        if is_blocked { forgiven[step.get()] } else { tolerates }
    }
}
