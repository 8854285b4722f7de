//! How much an instance has to do: [`Load`].

use std::any::{Any, TypeId};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Context as Task;

use crate::callable::{CallOptions, Callable, First, Unfit};
use crate::concurrency::Place;
use crate::descriptor::OperationDescriptor;
use crate::operation::OperationState;
use crate::schema::Validation;
use crate::value::Value;

/// The calls of one instance that have begun and not ended. Only instances whose balance asks for it have one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Load(Arc<AtomicUsize>);

impl Load {
    pub(super) fn calls(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// The same operation, with its calls counted if that is wanted.
    pub(crate) fn counting(load: Option<&Self>, operation: Arc<dyn Callable>) -> Arc<dyn Callable> {
        match load {
            Some(load) => Arc::new(Counted { operation, load: load.clone() }),
            None => operation,
        }
    }

    /// One more, until it is dropped.
    pub(crate) fn hold(&self) -> Held {
        self.0.fetch_add(1, Ordering::Relaxed);
        Held(self.clone())
    }
}

/// One call.
#[derive(Debug)]
pub(crate) struct Held(Load);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// An operation whose calls are counted.
struct Counted {
    operation: Arc<dyn Callable>,
    load: Load,
}

impl Callable for Counted {
    fn ask(
        &self,
        input: &Value,
        options: &CallOptions,
        place: Option<Place>,
        task: &mut Task<'_>,
    ) -> Result<First, Unfit> {
        let held = self.load.hold();
        Ok(match self.operation.ask(input, options, place, task)? {
            First::Asked(asked) => First::Asked(Box::pin(async move {
                let _held = held;
                asked.await
            })),
            answered @ First::Answered(_) => answered,
        })
    }

    fn load(&self) -> Option<&Load> {
        Some(&self.load)
    }

    fn descriptor(&self) -> &Arc<OperationDescriptor> {
        self.operation.descriptor()
    }

    fn validation(&self) -> &Arc<Validation> {
        self.operation.validation()
    }

    fn state(&self) -> &Arc<OperationState> {
        self.operation.state()
    }

    fn message(&self) -> TypeId {
        self.operation.message()
    }

    fn recipient(&self) -> &dyn Any {
        self.operation.recipient()
    }
}
