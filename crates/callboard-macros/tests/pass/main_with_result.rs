#[path = "../home/stub.rs"]
mod stub;

/// The documentation of main stays where it is.
#[callboard_macros::main(crate = stub)]
async fn main() -> Result<(), std::num::ParseIntError> {
    let answer: u8 = async { "42".parse() }.await?;
    assert_eq!(answer, 42);
    Ok(())
}
