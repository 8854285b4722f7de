//! Layers of tower as middleware: [`layer`].

use std::error::Error;
use std::future::poll_fn;
use std::task::{Context, Poll};

use callboard_actor::ErrorCode;
use parking_lot::Mutex;
use tower_layer::Layer;
use tower_service::Service;

use super::{Answer, Middleware, Next, Request};
use crate::call::CallError;
use crate::value::Value;

/// A call on its way through a layer of tower.
#[derive(Debug)]
pub struct Passing {
    /// What the layer may look at and change.
    pub request: Request,
    next: Next,
}

/// The service that a layer of tower stands around: it lets calls pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pass(());

impl Service<Passing> for Pass {
    type Response = Value;
    type Error = CallError;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), CallError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, Passing { request, next }: Passing) -> Answer {
        next.run(request)
    }
}

/// A layer of tower as middleware. It stands around one service for all calls, so what it counts it counts over all of them. Each
/// call has a clone of it, and waits until that is ready. An error of the layer that is no [`CallError`] is a refusal as
/// `unavailable`.
///
/// ```
/// # use callboard_actor::{Drain, System, block_on};
/// use callboard_bus::OperationsExt;
/// use callboard_bus::middleware::layer;
/// use tower::limit::GlobalConcurrencyLimitLayer;
///
/// # block_on(async {
/// # let system = System::builder().workers(1).start().await?;
/// let two_at_once = layer(GlobalConcurrencyLimitLayer::new(2));
/// system.operations().middleware("two at once").on_module("press").install(two_at_once)?;
/// # system.shutdown(Drain::default()).await;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
pub fn layer<L>(layer: L) -> impl Middleware
where
    L: Layer<Pass>,
    L::Service: Service<Passing, Response = Value> + Clone + Send + 'static,
    <L::Service as Service<Passing>>::Error: Into<Box<dyn Error + Send + Sync>>,
    <L::Service as Service<Passing>>::Future: Send + 'static,
{
    let service = Mutex::new(layer.layer(Pass(())));
    move |request, next| {
        let mut service = service.lock().clone();
        async move {
            poll_fn(|task| service.poll_ready(task)).await.map_err(|error| refusal(error.into()))?;
            service.call(Passing { request, next }).await.map_err(|error| refusal(error.into()))
        }
    }
}

fn refusal(error: Box<dyn Error + Send + Sync>) -> CallError {
    match error.downcast::<CallError>() {
        Ok(error) => *error,
        Err(error) => CallError::refused(ErrorCode::Unavailable, error.to_string()),
    }
}
