//! How registering and starting can fail.

use callboard_actor::{AskError, ErrorCode};
use callboard_bus::AddressError;
use semver::Version;

use crate::fault::Faults;
use crate::run::RunState;

/// Why a definition was not registered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegisterError {
    /// It is there already, in this version.
    #[error("workflow `{workflow_id}` is registered in version {version} already: give the new one a higher version")]
    AlreadyExists {
        /// The workflow.
        workflow_id: String,
        /// The version.
        version: Version,
    },
    /// It does not fit the modules that are there; asked for by [`Register::strict`](super::Register::strict).
    #[error("workflow `{workflow_id}` does not fit the modules that are there: {faults}")]
    Invalid {
        /// The workflow.
        workflow_id: String,
        /// Everything that does not fit.
        faults: Faults,
    },
    /// A handler's name cannot be that of an operation.
    #[error("workflow `{workflow_id}` calls what cannot be an operation: {fault}")]
    Handler {
        /// The workflow.
        workflow_id: String,
        /// What is wrong with the name.
        fault: AddressError,
    },
    /// Events of this topic cannot start it.
    #[error("workflow `{workflow_id}` cannot be started by `{topic}`: {reason}")]
    Trigger {
        /// The workflow.
        workflow_id: String,
        /// The topic.
        topic: String,
        /// Why.
        reason: String,
    },
    /// The `workflows` actor has not answered.
    #[error(transparent)]
    Unreachable(#[from] Unreachable),
}

/// Why a run was not started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// No such workflow is registered.
    #[error("there is no workflow `{workflow_id}`{}", hint(.near))]
    UnknownWorkflow {
        /// The id.
        workflow_id: String,
        /// What was probably meant.
        near: Option<String>,
    },
    /// The workflow is not registered in that version.
    #[error("there is no version {version} of workflow `{workflow_id}`, there is {}", list(.there))]
    UnknownVersion {
        /// The workflow.
        workflow_id: String,
        /// What was asked for.
        version: Version,
        /// The versions that are there, the oldest first.
        there: Vec<Version>,
    },
    /// A run with that name was started with another input.
    #[error("run `{run_id}` of workflow `{workflow_id}` was started with another input")]
    OtherInput {
        /// The workflow.
        workflow_id: String,
        /// The run.
        run_id: String,
    },
    /// A run with that name ended so long ago that only its end is remembered.
    #[error("run `{run_id}` of workflow `{workflow_id}` has ended as {state}, and no more is known of it")]
    Forgotten {
        /// The workflow.
        workflow_id: String,
        /// The run.
        run_id: String,
        /// How it ended.
        state: RunState,
    },
    /// The name cannot be that of a run.
    #[error("`{run_id}` cannot be the id of a run: it {reason}")]
    InvalidId {
        /// The name.
        run_id: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The `workflows` actor has not answered.
    #[error(transparent)]
    Unreachable(#[from] Unreachable),
}

/// Why there is no such run to refer to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FindError {
    /// No run has this name, or it has been forgotten.
    #[error("there is no run `{run_id}`")]
    UnknownExecution {
        /// The name.
        run_id: String,
    },
    /// Runs of several workflows have it.
    #[error("`{run_id}` is a run of {}: say `workflow/run`", .workflows.join(" and of "))]
    Ambiguous {
        /// The name.
        run_id: String,
        /// The workflows.
        workflows: Vec<String>,
    },
    /// The `workflows` actor has not answered.
    #[error(transparent)]
    Unreachable(#[from] Unreachable),
}

/// The `workflows` actor has not answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the workflows of the system do not answer: {reason}")]
pub struct Unreachable {
    code: ErrorCode,
    reason: String,
}

impl RegisterError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::AlreadyExists { .. } => ErrorCode::AlreadyExists,
            Self::Invalid { .. } | Self::Handler { .. } | Self::Trigger { .. } => ErrorCode::WorkflowInvalid,
            Self::Unreachable(error) => error.code(),
        }
    }
}

impl StartError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::UnknownWorkflow { .. } | Self::UnknownVersion { .. } => ErrorCode::UnknownWorkflow,
            Self::OtherInput { .. } | Self::Forgotten { .. } => ErrorCode::AlreadyExists,
            Self::InvalidId { .. } => ErrorCode::InvalidName,
            Self::Unreachable(error) => error.code(),
        }
    }
}

impl FindError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::UnknownExecution { .. } | Self::Ambiguous { .. } => ErrorCode::UnknownExecution,
            Self::Unreachable(error) => error.code(),
        }
    }
}

impl Unreachable {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        self.code
    }
}

impl<M> From<AskError<M>> for Unreachable {
    fn from(error: AskError<M>) -> Self {
        Self { code: error.code(), reason: error.to_string() }
    }
}

fn hint(near: &Option<String>) -> String {
    near.as_ref().map(|near| format!(", did you mean `{near}`?")).unwrap_or_default()
}

fn list(versions: &[Version]) -> String {
    versions.iter().map(Version::to_string).collect::<Vec<_>>().join(", ")
}
