//! The closed list of what can be wrong with a definition.

use thiserror::Error;

/// What is wrong. The names of steps, fields and handlers are given as they were written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FaultKind {
    /// The text is neither YAML nor JSON.
    #[error("not well-formed: {reason}")]
    Syntax {
        /// What the parser says.
        reason: String,
    },
    /// There is nothing in the text.
    #[error("the file holds no definition")]
    EmptyFile,
    /// A second document begins.
    #[error("a second document begins here; a file holds one definition")]
    SeveralDocuments,
    /// A YAML alias, which could make a small file into a huge one.
    #[error("aliases are not allowed")]
    Alias,
    /// A YAML tag, which could ask for a type that is not JSON's.
    #[error("tags are not allowed")]
    Tag,
    /// Lists and maps stand too deep inside each other.
    #[error("lists and maps are nested more than {deepest} deep")]
    TooDeep {
        /// What is allowed.
        deepest: usize,
    },
    /// The key of a map is a list, a map or nothing.
    #[error("a key must be a text")]
    KeyIsNotText,
    /// A key stands twice in one map.
    #[error("{of} has `{key}` twice")]
    DuplicateKey {
        /// The key.
        key: String,
        /// Whose map it is.
        of: String,
    },
    /// No such field exists.
    #[error("{of} has no field `{field}`")]
    UnknownField {
        /// What was written.
        field: String,
        /// Where it does not belong.
        of: String,
        /// What may have been meant.
        near: Option<String>,
    },
    /// A field that must be there is not.
    #[error("{of} has no `{field}`")]
    MissingField {
        /// What is missing.
        field: &'static str,
        /// Where.
        of: String,
    },
    /// A value is of another type than its field.
    #[error("{field} is {found} and must be {expected}")]
    WrongType {
        /// Which value.
        field: String,
        /// What it must be.
        expected: &'static str,
        /// What it is.
        found: &'static str,
    },
    /// A number is below the least that makes sense.
    #[error("{field} is {found} and must be at least {least}")]
    TooSmall {
        /// Which number.
        field: String,
        /// What it is.
        found: String,
        /// What it must be at least.
        least: &'static str,
    },
    /// A number is above the largest that makes sense.
    #[error("{field} is {found} and must be at most {most}")]
    TooLarge {
        /// Which number.
        field: String,
        /// What it is.
        found: String,
        /// What it must be at most.
        most: String,
    },
    /// A time that cannot be read.
    #[error("{field} is `{found}`, which is no length of time")]
    BadDuration {
        /// Which time.
        field: String,
        /// What was written.
        found: String,
    },
    /// A version that is not a semantic version.
    #[error("the version `{found}` is no semantic version: {reason}")]
    BadVersion {
        /// What was written.
        found: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A name that is empty, too long or holds characters that names must not hold.
    #[error("{what} `{found}` {reason}")]
    BadName {
        /// What is named.
        what: &'static str,
        /// The name.
        found: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A word that is not one of those the field knows.
    #[error("{field} is `{found}`, which is not one of {known}")]
    UnknownWord {
        /// Which field.
        field: String,
        /// What was written.
        found: String,
        /// The words it knows.
        known: &'static str,
        /// What may have been meant.
        near: Option<String>,
    },
    /// A handler without a dot between module and operation.
    #[error("{field} is `{found}`, without a dot between module and operation")]
    HandlerWithoutDot {
        /// Which handler.
        field: String,
        /// What was written.
        found: String,
    },
    /// A handler whose module or operation is no name.
    #[error("{field} is `{found}`, with no {part}")]
    HandlerIncomplete {
        /// Which handler.
        field: String,
        /// What was written.
        found: String,
        /// `module`, `operation` or `version requirement`.
        part: &'static str,
    },
    /// A version requirement behind the `@` of a handler that cannot be read.
    #[error("{field} asks for the version `{found}`: {reason}")]
    BadRequirement {
        /// Which handler.
        field: String,
        /// What stands behind the `@`.
        found: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An expression that cannot be read.
    #[error("{field} cannot be read: {reason}")]
    BadExpression {
        /// Which expression.
        field: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A path that cannot be read.
    #[error("{field} is no path: {reason}")]
    BadPath {
        /// Which path.
        field: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A retry policy whose parts do not fit together.
    #[error("{field} does not fit together: {reason}")]
    BadRetry {
        /// Which policy.
        field: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The definition has no step.
    #[error("the workflow has no steps")]
    NoSteps,
    /// There are more steps than a definition may have.
    #[error("the workflow has {found} steps and may have {most}")]
    TooManySteps {
        /// How many there are.
        found: usize,
        /// How many there may be.
        most: usize,
    },
    /// Two steps have the same id.
    #[error("two steps are called `{step}`")]
    DuplicateStep {
        /// The id.
        step: String,
    },
    /// A dependency that is no step.
    #[error("step `{step}` depends on `{dependency}`, which is no step")]
    UnknownDependency {
        /// Whose dependency it is.
        step: String,
        /// What was written.
        dependency: String,
        /// What may have been meant.
        near: Option<String>,
    },
    /// A step that depends on itself.
    #[error("step `{step}` depends on itself")]
    SelfDependency {
        /// The step.
        step: String,
    },
    /// A dependency that is there twice.
    #[error("step `{step}` depends on `{dependency}` twice")]
    DuplicateDependency {
        /// Whose dependency it is.
        step: String,
        /// What is there twice.
        dependency: String,
    },
    /// Steps that wait for each other.
    #[error("steps wait for each other: {}", cycle.join(" → "))]
    Cycle {
        /// The ids in order, each depending on the one before it; the last is the first again.
        cycle: Vec<String>,
    },
    /// A join that waits for more steps than the step depends on.
    #[error("step `{step}` waits for {join} of the {dependencies} steps that it depends on")]
    JoinTooLarge {
        /// The step.
        step: String,
        /// How many it waits for.
        join: u32,
        /// How many there are.
        dependencies: usize,
    },
    /// A path to the result of a step that does not exist.
    #[error("{field} reads the result of `{source_step}`, which is no step")]
    UnknownSource {
        /// Which path or expression.
        field: String,
        /// What was written.
        source_step: String,
        /// What may have been meant.
        near: Option<String>,
    },
    /// A path to the result of a step that may not have ended by then.
    #[error("{field} reads the result of `{source_step}`, which need not have ended by then")]
    NotAnAncestor {
        /// Which path or expression.
        field: String,
        /// The step that is read.
        source_step: String,
    },
    /// A path to the result of the step that is only about to begin.
    #[error("{field} reads the result of that step itself")]
    ReadsItself {
        /// Which path or expression.
        field: String,
    },
    /// Two steps that may end in any order write the same key of the context.
    #[error("the steps `{first}` and `{second}` may end in any order and both write `{key}`")]
    ResultClash {
        /// The key.
        key: String,
        /// One of the steps.
        first: String,
        /// The other, whose place the fault has.
        second: String,
    },
    /// A key of the context that the engine keeps for itself.
    #[error("{field} writes `{key}`, a name that is kept for the results of steps")]
    ReservedKey {
        /// Which mapping.
        field: String,
        /// The key.
        key: String,
    },
    /// A limit for an operation that no step calls.
    #[error("there is a limit for `{operation}`, which no step calls")]
    UnusedLimit {
        /// What was written.
        operation: String,
        /// What may have been meant.
        near: Option<String>,
    },
    /// No module offers the operation.
    #[error("{field} is `{handler}`, which is not offered: {reason}")]
    UnknownOperation {
        /// Which handler.
        field: String,
        /// What was written.
        handler: String,
        /// What is there instead.
        reason: String,
        /// What may have been meant.
        near: Option<String>,
    },
    /// A parameter that the operation needs is not mapped.
    #[error("step `{step}` does not map `{parameter}`, which `{operation}` needs")]
    UnmappedInput {
        /// The step.
        step: String,
        /// The parameter.
        parameter: String,
        /// The operation.
        operation: String,
    },
    /// A parameter is mapped that the operation does not know.
    #[error("step `{step}` maps `{parameter}`, which `{operation}` does not know")]
    UnknownInput {
        /// The step.
        step: String,
        /// The parameter.
        parameter: String,
        /// The operation.
        operation: String,
        /// What may have been meant.
        near: Option<String>,
    },
    /// A parameter is given a value of another type.
    #[error("step `{step}` gives {found} for `{parameter}`, where `{operation}` takes {expected}")]
    TypeMismatch {
        /// The step.
        step: String,
        /// The parameter.
        parameter: String,
        /// The operation.
        operation: String,
        /// The type that it takes.
        expected: String,
        /// The type that it gets.
        found: String,
    },
    /// A path into the reply of an operation that has no such field.
    #[error("{field} reads `{source_field}` of step `{source_step}`, which its operation does not reply")]
    UnknownResult {
        /// Which path or expression.
        field: String,
        /// The step that is read.
        source_step: String,
        /// The field that is not there.
        source_field: String,
        /// What may have been meant.
        near: Option<String>,
    },
}

impl FaultKind {
    /// The stable code of this kind of fault.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Syntax { .. } => "syntax",
            Self::EmptyFile => "empty_file",
            Self::SeveralDocuments => "several_documents",
            Self::Alias => "alias",
            Self::Tag => "tag",
            Self::TooDeep { .. } => "too_deep",
            Self::KeyIsNotText => "key_is_not_text",
            Self::DuplicateKey { .. } => "duplicate_key",
            Self::UnknownField { .. } => "unknown_field",
            Self::MissingField { .. } => "missing_field",
            Self::WrongType { .. } => "wrong_type",
            Self::TooSmall { .. } => "too_small",
            Self::TooLarge { .. } => "too_large",
            Self::BadDuration { .. } => "bad_duration",
            Self::BadVersion { .. } => "bad_version",
            Self::BadName { .. } => "bad_name",
            Self::UnknownWord { .. } => "unknown_word",
            Self::HandlerWithoutDot { .. } => "handler_without_dot",
            Self::HandlerIncomplete { .. } => "handler_incomplete",
            Self::BadRequirement { .. } => "bad_requirement",
            Self::BadExpression { .. } => "bad_expression",
            Self::BadPath { .. } => "bad_path",
            Self::BadRetry { .. } => "bad_retry",
            _ => self.code_of_graph(),
        }
    }

    /// The codes of what can be wrong between steps and with the operations they call.
    fn code_of_graph(&self) -> &'static str {
        match self {
            Self::NoSteps => "no_steps",
            Self::TooManySteps { .. } => "too_many_steps",
            Self::DuplicateStep { .. } => "duplicate_step",
            Self::UnknownDependency { .. } => "unknown_dependency",
            Self::SelfDependency { .. } => "self_dependency",
            Self::DuplicateDependency { .. } => "duplicate_dependency",
            Self::Cycle { .. } => "cycle",
            Self::JoinTooLarge { .. } => "join_too_large",
            Self::UnknownSource { .. } => "unknown_source",
            Self::NotAnAncestor { .. } => "not_an_ancestor",
            Self::ReadsItself { .. } => "reads_itself",
            Self::ResultClash { .. } => "result_clash",
            Self::ReservedKey { .. } => "reserved_key",
            Self::UnusedLimit { .. } => "unused_limit",
            Self::UnknownOperation { .. } => "unknown_operation",
            Self::UnmappedInput { .. } => "unmapped_input",
            Self::UnknownInput { .. } => "unknown_input",
            Self::TypeMismatch { .. } => "type_mismatch",
            _ => "unknown_result",
        }
    }

    /// What to do about it, in a sentence.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        if let Some(near) = self.near() {
            return Some(format!("did you mean `{near}`?"));
        }
        self.advice().map(str::to_owned)
    }

    fn near(&self) -> Option<&str> {
        match self {
            Self::UnknownField { near, .. }
            | Self::UnknownWord { near, .. }
            | Self::UnknownDependency { near, .. }
            | Self::UnknownSource { near, .. }
            | Self::UnusedLimit { near, .. }
            | Self::UnknownOperation { near, .. }
            | Self::UnknownInput { near, .. }
            | Self::UnknownResult { near, .. } => near.as_deref(),
            _ => None,
        }
    }

    fn advice(&self) -> Option<&'static str> {
        Some(match self {
            Self::EmptyFile => "a definition needs `workflow_id`, `version` and `steps`",
            Self::SeveralDocuments => "put each definition into a file of its own",
            Self::Alias => "write the value out where it is used",
            Self::Tag => "write the value in quotation marks if it shall be a text",
            Self::KeyIsNotText => "write `key: value`, the key in quotation marks if need be",
            Self::DuplicateKey { .. } => "remove one of the two",
            Self::BadDuration { .. } => "write a number with a unit, such as `500ms`, `30s`, `5m`, `1h30m` or `2d`",
            Self::BadVersion { .. } => "write three numbers as a text, such as \"1.0.0\"",
            Self::HandlerWithoutDot { .. } | Self::HandlerIncomplete { .. } => {
                "write `module.operation`, or `module.operation@^1.2` for certain versions"
            }
            Self::BadRequirement { .. } => "write a requirement such as `^1.2`, `>=1.2, <3` or `=1.2.3`",
            Self::BadPath { .. } => "write field names with dots between them, or a JSON pointer such as `/a/0/b`",
            Self::DuplicateStep { .. } => "give every step an id of its own",
            Self::SelfDependency { .. } | Self::Cycle { .. } => "take away the dependency that is not needed",
            Self::DuplicateDependency { .. } => "name it once",
            Self::JoinTooLarge { .. } => "use `join: all`",
            Self::NotAnAncestor { .. } => "add it to `depends_on`",
            Self::ResultClash { .. } => {
                "let one wait for the other, or map them to different names with `output_mapping`"
            }
            Self::ReservedKey { .. } => "choose another name",
            Self::UnmappedInput { .. } => "add it to `input_mapping`",
            _ => return None,
        })
    }
}
