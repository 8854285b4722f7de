//! What the log says of calls that fail.

use callboard_actor::Lineage;

use super::OperationState;
use crate::call::CallError;

impl OperationState {
    /// That of a call which is no more than one attempt, and which has got no id so far.
    #[cold]
    pub(super) fn log_single_failure(&self, error: &CallError) {
        if tracing::enabled!(target: "callboard::call", tracing::Level::WARN) {
            self.log_failure(&Lineage::here(self.system.fresh_id()), 1, error);
        }
    }

    /// At most one line a second of each operation, and none of what the caller did wrong.
    #[cold]
    pub(crate) fn log_failure(&self, lineage: &Lineage, attempt: u32, error: &CallError) {
        if !error.is_failure() || !tracing::enabled!(target: "callboard::call", tracing::Level::WARN) {
            return;
        }
        let Some(unlogged) = self.log.lock().permit(self.system.elapsed()) else { return };
        let operation = &*self.address;
        let module = operation.rsplit_once('.').map_or(operation, |(module, _)| module);
        tracing::warn!(target: "callboard::call", message_id = %lineage.message_id, correlation_id = %lineage.correlation_id,
            trace_id = %lineage.trace_id(), module, operation, code = error.code().code(), attempt, unlogged, %error,
            "a call has failed");
    }
}
