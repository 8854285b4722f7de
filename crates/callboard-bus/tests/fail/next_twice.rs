//! A call passes a middleware once.

use callboard_bus::middleware::{Next, Request};
use callboard_bus::{CallError, Value};

async fn twice(request: Request, next: Next) -> Result<Value, CallError> {
    let _ = next.run(request.clone()).await;
    next.run(request).await
}

fn main() {
    let _ = twice;
}
