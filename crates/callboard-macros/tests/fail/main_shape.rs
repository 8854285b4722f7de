#[path = "../home/stub.rs"]
mod stub;

#[callboard_macros::main(crate = stub)]
fn plain() {}

#[callboard_macros::main(crate = stub)]
async fn called(text: String) {}

#[callboard_macros::main(crate = stub)]
async fn generic<T>() {}

#[callboard_macros::main(crate = stub, workers = 4)]
async fn wide() {}

fn main() {}
