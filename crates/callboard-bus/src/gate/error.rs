//! Why a gate does not let somebody do something: [`GateError`].

use std::fmt;

use callboard_actor::ErrorCode;
use thiserror::Error;

/// Why somebody may not do something.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum GateError {
    /// Nobody has proved who they are.
    #[error("not authenticated: {reason}")]
    Unauthenticated {
        /// Why not.
        reason: Unproven,
    },
    /// It is known who it is, and they may not.
    #[error("not permitted: `{missing}` is missing")]
    PermissionDenied {
        /// The scope or the permission that it takes.
        missing: String,
    },
    /// The gate panicked.
    #[error("the gate could not decide, and so admits nothing")]
    Broken,
}

/// Why it is not proved who somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unproven {
    /// Nothing was shown.
    Missing,
    /// What was shown cannot be read.
    Malformed,
    /// Nobody whom the gate trusts has made it.
    BadSignature,
    /// Its time is over.
    Expired,
    /// Its time has not come.
    NotYetValid,
    /// It was taken back.
    Revoked,
    /// It is for another system.
    WrongAudience,
    /// It was shown before.
    Replayed,
}

impl GateError {
    /// The error of whoever has not proved who they are.
    #[must_use]
    pub const fn unproven(reason: Unproven) -> Self {
        Self::Unauthenticated { reason }
    }

    /// The error of whoever does not have a scope or a permission.
    #[must_use]
    pub fn missing(scope: impl Into<String>) -> Self {
        Self::PermissionDenied { missing: scope.into() }
    }

    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Unauthenticated { .. } => ErrorCode::Unauthenticated,
            Self::PermissionDenied { .. } => ErrorCode::PermissionDenied,
            Self::Broken => ErrorCode::Internal,
        }
    }
}

impl Unproven {
    /// The word that stands for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Malformed => "malformed",
            Self::BadSignature => "bad_signature",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::Revoked => "revoked",
            Self::WrongAudience => "wrong_audience",
            Self::Replayed => "replayed",
        }
    }
}

impl fmt::Display for Unproven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A system has a gate already, which cannot be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the system has a gate already, which stays: let that one decide otherwise")]
pub struct AlreadyGuarded;

impl AlreadyGuarded {
    /// [`ErrorCode::AlreadyExists`].
    #[must_use]
    pub const fn code(self) -> ErrorCode {
        ErrorCode::AlreadyExists
    }
}
