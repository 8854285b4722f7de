#[path = "../home/stub.rs"]
mod stub;

#[callboard_macros::main(crate = stub)]
fn plain() {}

#[callboard_macros::main(crate = stub)]
async fn called(one: u8, another: u8) {}

#[callboard_macros::main(crate = stub)]
async fn generic<T>() {}

#[callboard_macros::main(crate = stub, workers = 4)]
async fn wide() {}

fn main() {}
