//! Two that most systems want.

use std::time::Instant;

use callboard_actor::ErrorCode;

use super::{Next, Request};
use crate::call::CallError;
use crate::value::Value;

/// Writes a line when a call begins and one when it ends, with what it took; errors are handed on as they are.
///
/// # Errors
///
/// Those of the call.
pub async fn log_calls(request: Request, next: Next) -> Result<Value, CallError> {
    let (operation, began) = (request.operation.clone(), Instant::now());
    tracing::info!(target: "callboard::call", %operation, "call begins");
    let result = next.run(request).await;
    let took = began.elapsed();
    match &result {
        Ok(_) => tracing::info!(target: "callboard::call", %operation, ?took, "call succeeded"),
        Err(error) => {
            tracing::warn!(target: "callboard::call", %operation, ?took, code = error.code().code(), %error, "call failed");
        }
    }
    result
}

/// Refuses calls that nobody has put a user to, where the metadata `requires_auth` is true.
///
/// # Errors
///
/// `unauthenticated`, and those of the call.
pub async fn require_user(request: Request, next: Next) -> Result<Value, CallError> {
    let is_required = request.metadata.get("requires_auth") == Some(&Value::from(true));
    if is_required && request.user.is_none() {
        return Err(CallError::refused(ErrorCode::Unauthenticated, "Authentication required"));
    }
    next.run(request).await
}
