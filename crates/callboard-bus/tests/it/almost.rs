//! Inputs that are almost right, for the targets that read what strangers send. What is right throughout meets only the half
//! of a parser that says yes, and letters without a plan hardly ever get beyond the first one, unless coverage guides them.

use bolero::generator::bolero_generator::one_of::one_of;
use bolero::{ValueGenerator, produce};

/// Any bytes, or more likely almost these.
pub(crate) fn bytes(
    pieces: &'static [&'static [u8]],
    scraps: &'static [&'static [u8]],
) -> impl ValueGenerator<Output = Vec<u8>> {
    let almost = |edits| edited(pieces, scraps, edits).map_gen(|pieces| pieces.concat());
    one_of((any_bytes(), almost(FEW), almost(FEW), almost(MANY)))
}

/// Any text, or more likely almost this one.
pub(crate) fn text(
    pieces: &'static [&'static str],
    scraps: &'static [&'static str],
) -> impl ValueGenerator<Output = String> {
    let almost = |edits| edited(pieces, scraps, edits).map_gen(|pieces| pieces.concat());
    one_of((produce::<String>(), any_letters(), almost(FEW), almost(FEW), almost(MANY)))
}

/// So many edits leave most of an input right.
const FEW: usize = 6;
/// So many let a search that is guided go on from what it has found.
const MANY: usize = 24;
/// The longest input without a plan, in bytes.
const LONGEST: usize = 200;

fn any_bytes() -> impl ValueGenerator<Output = Vec<u8>> {
    produce::<Vec<u8>>().with().len(0..LONGEST)
}

/// Its letters are the bytes of the fuzzer, who so can write a word that it has seen compared.
fn any_letters() -> impl ValueGenerator<Output = String> {
    any_bytes().map_gen(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// Puts scraps between the pieces and in the place of some.
fn edited<T: ?Sized>(
    pieces: &'static [&'static T],
    scraps: &'static [&'static T],
    most: usize,
) -> impl ValueGenerator<Output = Vec<&'static T>> {
    let edit = (produce::<usize>(), 0..scraps.len(), produce::<bool>());
    let edits = produce::<Vec<(usize, usize, bool)>>().with().values(edit).len(0..most);
    edits.map_gen(|edits| {
        let mut pieces = pieces.to_vec();
        for (place, scrap, stays) in edits {
            let place = place % pieces.len();
            pieces.splice(place..place + usize::from(!stays), [scraps[scrap]]);
        }
        pieces
    })
}

/// What a fault says goes into a log, where a line of its own would be a forged one.
pub(crate) fn is_one_line(fault: &impl ToString) -> bool {
    !fault.to_string().contains(['\n', '\r'])
}
