//! Reads workflows of the WfCommons project, so that real graphs can be run: WfFormat 1.5.
//!
//! (Coleman, Casanova, Pottier, Kaushik, Deelman, Ferreira da Silva: WfCommons, a framework for enabling scientific workflow
//! research and development, FGCS 128, 2022; the format is described at wfcommons.org.) Of an instance only the graph
//! and the run times are taken: each task becomes a step that calls [`HANDLER`] with `{seconds}`, the time that it took when it
//! was recorded. Files and machines are left out.

use std::collections::{HashMap, HashSet};

use callboard_bus::Value;
use serde::Deserialize;
use thiserror::Error;

use crate::definition::{Definition, DefinitionBuilder, StepBuilder};
use crate::fault::Faults;

/// The operation that every step of an imported workflow calls.
pub const HANDLER: &str = "sim.sleep";

/// Why a text is no instance that can be imported. All faults of the graph are listed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WfFormatError {
    /// It is not JSON, or not of the shape of an instance.
    #[error("not an instance of WfFormat")]
    Shape(#[from] serde_json::Error),
    /// It is of another version of the format.
    #[error("the instance is of WfFormat {found}, and only 1.5 is understood")]
    Version {
        /// What it says.
        found: String,
    },
    /// What tasks say about each other does not fit together.
    #[error("the tasks do not fit together: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Tasks(Vec<TaskFault>),
    /// The scale is no number from 0 on, or a run time times the scale is not.
    #[error("task `{task}` takes {seconds} s at this scale; use a scale from 0 on")]
    Runtime {
        /// The task.
        task: String,
        /// The time.
        seconds: f64,
    },
    /// It is well-formed, but no definition.
    #[error("the instance makes no valid definition")]
    Definition(#[from] Faults),
}

/// What tasks say about each other and does not fit together.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TaskFault {
    /// Two tasks have the same id.
    #[error("two tasks are called `{task}`")]
    Duplicate {
        /// The id.
        task: String,
    },
    /// A parent or child is no task.
    #[error("`{task}` names `{other}`, which is no task")]
    Unknown {
        /// The task.
        task: String,
        /// What it names.
        other: String,
    },
    /// A task names its parent, and the parent does not name it.
    #[error("`{child}` has the parent `{parent}`, which does not have that child")]
    MissingChild {
        /// The parent.
        parent: String,
        /// The child.
        child: String,
    },
    /// A task names its child, and the child does not name it.
    #[error("`{parent}` has the child `{child}`, which does not have that parent")]
    MissingParent {
        /// The parent.
        parent: String,
        /// The child.
        child: String,
    },
}

#[derive(Deserialize)]
struct Instance {
    name: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(rename = "schemaVersion")]
    schema_version: String,
    workflow: Workflow,
}

#[derive(Deserialize)]
struct Workflow {
    specification: Specification,
    #[serde(default)]
    execution: Option<Execution>,
}

#[derive(Deserialize)]
struct Specification {
    tasks: Vec<TaskNode>,
}

#[derive(Deserialize)]
struct TaskNode {
    id: String,
    name: String,
    #[serde(default)]
    parents: Vec<String>,
    #[serde(default)]
    children: Vec<String>,
}

#[derive(Deserialize)]
struct Execution {
    #[serde(default)]
    tasks: Vec<Timing>,
}

#[derive(Deserialize)]
struct Timing {
    id: String,
    #[serde(default, rename = "runtimeInSeconds")]
    seconds: f64,
}

/// Reads an instance. Every step sleeps for the recorded time multiplied by `scale`: 1 takes as long as it took, 0 no time.
///
/// # Errors
///
/// A text that is no instance of WfFormat 1.5, tasks that contradict each other, a scale below 0, or a graph with a cycle.
pub fn import(text: &str, scale: f64) -> Result<Definition, WfFormatError> {
    let instance: Instance = serde_json::from_str(text)?;
    if instance.schema_version != "1.5" {
        return Err(WfFormatError::Version { found: instance.schema_version });
    }
    let tasks = &instance.workflow.specification.tasks;
    let faults = faults(tasks);
    if !faults.is_empty() {
        return Err(WfFormatError::Tasks(faults));
    }
    let timings = instance.workflow.execution.iter().flat_map(|execution| &execution.tasks);
    let seconds: HashMap<&str, f64> = timings.map(|timing| (timing.id.as_str(), timing.seconds)).collect();
    let mut builder = about(&instance);
    for task in tasks {
        let seconds = seconds.get(task.id.as_str()).copied().unwrap_or_default() * scale;
        builder = builder.step(step(task, seconds)?);
    }
    Ok(builder.build()?)
}

fn about(instance: &Instance) -> DefinitionBuilder {
    let id: String = instance.name.chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
    let builder = Definition::builder(id).name(&instance.name);
    match &instance.description {
        Some(description) => builder.description(description),
        None => builder,
    }
}

fn step(task: &TaskNode, seconds: f64) -> Result<StepBuilder, WfFormatError> {
    let wrong = || WfFormatError::Runtime { task: task.id.clone(), seconds };
    let value = Value::try_from(seconds).ok().filter(|_| seconds >= 0.0).ok_or_else(wrong)?;
    let step = StepBuilder::new(&task.id, HANDLER).name(&task.name);
    Ok(step.after(&task.parents).constant("seconds", value))
}

/// Both sides of every edge must be there.
fn faults(tasks: &[TaskNode]) -> Vec<TaskFault> {
    let ids: HashSet<&str> = tasks.iter().map(|task| task.id.as_str()).collect();
    let edges = |list: fn(&TaskNode) -> &Vec<String>| {
        tasks.iter().flat_map(move |task| list(task).iter().map(move |other| (task.id.as_str(), other.as_str())))
    };
    let to_parents: HashSet<_> = edges(|task| &task.parents).collect();
    let to_children: HashSet<_> = edges(|task| &task.children).collect();
    let mut seen = HashSet::new();
    let repeated = tasks.iter().filter(|task| !seen.insert(task.id.as_str()));
    let mut faults: Vec<_> = repeated.map(|task| TaskFault::Duplicate { task: task.id.clone() }).collect();
    for (child, parent) in edges(|task| &task.parents) {
        let (child, parent, back) = (child.to_owned(), parent.to_owned(), to_children.contains(&(parent, child)));
        match (ids.contains(parent.as_str()), back) {
            (false, _) => faults.push(TaskFault::Unknown { task: child, other: parent }),
            (true, false) => faults.push(TaskFault::MissingChild { parent, child }),
            (true, true) => {}
        }
    }
    for (parent, child) in edges(|task| &task.children) {
        let (parent, child, back) = (parent.to_owned(), child.to_owned(), to_parents.contains(&(child, parent)));
        match (ids.contains(child.as_str()), back) {
            (false, _) => faults.push(TaskFault::Unknown { task: parent, other: child }),
            (true, false) => faults.push(TaskFault::MissingParent { parent, child }),
            (true, true) => {}
        }
    }
    faults
}
