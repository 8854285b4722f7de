//! Interleaving: each round runs every entrant once, so that a change of the
//! machine's mood meets them all, and the median of the rounds is the figure.

use crate::{
    entrant::Entrant,
    report::{Figure, Row},
    size::Size,
    spread::Spread,
    workload::Workload,
};

/// Runs one workload in interleaved rounds.
pub fn measure(workload: Workload, size: Size, entrants: &[Entrant]) -> Row {
    let entrants = warm_up(workload, entrants);
    let mut figures = vec![Vec::new(); entrants.len()];
    for round in 0..size.rounds() {
        for offset in 0..entrants.len() {
            // Another one begins in each round: nobody always runs behind the
            // same neighbour.
            let turn = (round + offset) % entrants.len();
            figures[turn].extend(entrants[turn].run(workload, size));
        }
    }
    let figures = entrants.into_iter().zip(figures);
    Row { workload, figures: figures.filter_map(figure).collect() }
}

/// Runs each entrant once without counting it; those that have nothing of the
/// kind drop out.
fn warm_up(workload: Workload, entrants: &[Entrant]) -> Vec<Entrant> {
    let entrants = entrants.iter().copied();
    let takes_part = |entrant: &Entrant| entrant.run(workload, Size::Quick).is_some();
    entrants.filter(takes_part).collect()
}

fn figure((entrant, figures): (Entrant, Vec<f64>)) -> Option<Figure> {
    let spread = Spread::of(figures)?;
    Some(Figure { entrant, spread })
}
