//! Those that most systems want.

use std::future::Future;
use std::sync::Arc;
use std::time::Instant;

use callboard_actor::ErrorCode;

use super::{Middleware, Next, Request};
use crate::call::CallError;
use crate::retry::FailureClass;
use crate::value::Value;

/// Writes a line when a call begins and one when it ends, with what it took; errors are handed on as they are.
///
/// # Errors
///
/// Those of the call.
pub async fn log_calls(request: Request, next: Next) -> Result<Value, CallError> {
    let (operation, module, began) = (request.operation.clone(), request.module().to_owned(), Instant::now());
    let (lineage, trace_id) = (request.lineage, request.lineage.trace_id());
    let (message_id, correlation_id) = (lineage.message_id, lineage.correlation_id);
    tracing::info!(target: "callboard::call", %message_id, %correlation_id, %trace_id, module, %operation, "call begins");
    let result = next.run(request).await;
    let took = began.elapsed();
    match &result {
        Ok(_) => tracing::info!(target: "callboard::call", %message_id, %correlation_id, %trace_id, module, %operation,
            ?took, "call succeeded"),
        Err(error) => {
            tracing::warn!(target: "callboard::call", %message_id, %correlation_id, %trace_id, module, %operation,
            code = error.code().code(), ?took, %error, "call failed")
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

/// Answers calls that their operation could not, while its breaker is open say: whatever the function says is the answer. It is asked
/// when the error may pass, and not when the same call would fail again.
///
/// ```
/// # use callboard_actor::{Drain, System, block_on};
/// use callboard_bus::{CallError, ModulesExt, OperationsExt, Value};
/// use callboard_bus::middleware::fallback;
///
/// # block_on(async {
/// # let system = System::builder().workers(1).start().await?;
/// let last_known = fallback(|_, _| async { Ok::<_, CallError>(Value::from(17)) });
/// system.operations().middleware("last known").on_operation("weather.now").install(last_known)?;
/// # system.shutdown(Drain::default()).await;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
pub fn fallback<F, T>(answer: F) -> impl Middleware
where
    F: Fn(Request, CallError) -> T + Send + Sync + 'static,
    T: Future<Output = Result<Value, CallError>> + Send + 'static,
{
    let answer = Arc::new(answer);
    move |request: Request, next: Next| {
        let answer = Arc::clone(&answer);
        async move {
            let asked = request.clone();
            match next.run(request).await {
                Err(error) if error.class() != FailureClass::Permanent => answer(asked, error).await,
                result => result,
            }
        }
    }
}
