#[path = "../home/stub.rs"]
mod stub;

use callboard_macros::Message;

#[derive(Message)]
struct Homeless;

fn main() {
    stub::block_on(async {});
}
