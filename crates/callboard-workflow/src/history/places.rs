//! Where the last attempt at each work stands.

use std::collections::HashMap;

use super::Work;

/// The places, by work. Nearly all work is a step that is done, and steps are numbered: those are in a list, and only items
/// and what is undone are looked up by name.
#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    steps: Vec<Option<usize>>,
    others: HashMap<Work, usize>,
}

impl Places {
    pub(super) fn of_steps(steps: usize) -> Self {
        Self { steps: vec![None; steps], others: HashMap::new() }
    }

    pub(super) fn get(&self, work: Work) -> Option<usize> {
        match step_of(work) {
            Some(step) => self.steps.get(step).copied().flatten(),
            None => self.others.get(&work).copied(),
        }
    }

    pub(super) fn set(&mut self, work: Work, place: usize) {
        let Some(step) = step_of(work) else {
            self.others.insert(work, place);
            return;
        };
        if step >= self.steps.len() {
            self.steps.resize(step + 1, None);
        }
        self.steps[step] = Some(place);
    }
}

fn step_of(work: Work) -> Option<usize> {
    (!work.is_undo && work.task.item.is_none()).then(|| work.task.step.get())
}
