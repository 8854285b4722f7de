//! Which rows must go so that the dates of the rest rise.
//!
//! Comparing each date with the one before would let a single year typed
//! wrong (2099 for 2009) condemn every later row. So the longest rising
//! selection stays, and of several equally long ones the one that keeps the
//! earlier rows: of two rows with the same date the second goes.

use crate::date::Date;

/// For each date, whether it belongs to the longest strictly rising selection.
pub(crate) fn rising(dates: &[Date]) -> Vec<bool> {
    let lengths = lengths_ahead(dates);
    let mut wanted = lengths.iter().copied().max().unwrap_or(0);
    let mut last = None;
    let keep = |(date, length): (&Date, usize)| {
        let kept = length == wanted && last.is_none_or(|last| last < *date);
        if kept {
            wanted -= 1;
            last = Some(*date);
        }
        kept
    };
    dates.iter().zip(lengths).map(keep).collect()
}

/// The length of the longest rising selection that starts at each date.
///
/// Goes from the back; `starts[n]` is the latest date at which a selection of
/// n + 1 dates can start. These fall with n, so a search by halves finds how
/// many can follow a date.
fn lengths_ahead(dates: &[Date]) -> Vec<usize> {
    let mut starts: Vec<Date> = Vec::new();
    let mut lengths = vec![0; dates.len()];
    for (index, date) in dates.iter().enumerate().rev() {
        let followers = starts.partition_point(|start| start > date);
        match starts.get_mut(followers) {
            Some(start) => *start = *date,
            None => starts.push(*date),
        }
        lengths[index] = followers + 1;
    }
    lengths
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    fn kept(days: &[i32]) -> Vec<i32> {
        let dates: Vec<Date> = days.iter().map(|day| date(2000, 1, 1) + day.days()).collect();
        let flags = rising(&dates);
        days.iter().zip(flags).filter(|(_, kept)| *kept).map(|(day, _)| *day).collect()
    }

    /// The best length over all selections.
    fn longest_by_trying_all(days: &[i32]) -> usize {
        let selections = 0..1_u32 << days.len();
        let chosen = |mask: u32| (0..days.len()).filter(move |bit| mask >> bit & 1 == 1).map(|bit| days[bit]);
        let rises = |mask: &u32| chosen(*mask).zip(chosen(*mask).skip(1)).all(|(one, next)| one < next);
        selections.filter(rises).map(u32::count_ones).max().unwrap_or(0) as usize
    }

    #[test]
    fn rising_dates_all_stay() {
        assert_eq!(kept(&[1, 2, 5, 9]), [1, 2, 5, 9]);
        assert_eq!(kept(&[]), [0; 0]);
    }

    #[test]
    fn the_later_row_of_a_swapped_or_doubled_pair_goes() {
        assert_eq!(kept(&[1, 4, 3, 5]), [1, 4, 5]);
        assert_eq!(rising(&[date(2000, 1, 3), date(2000, 1, 3)]), [true, false]);
    }

    #[test]
    fn one_date_far_ahead_does_not_condemn_the_rest() {
        assert_eq!(kept(&[1, 900, 2, 3, 4]), [1, 2, 3, 4]);
    }

    proptest! {
        #[test]
        fn the_fewest_rows_go(days in prop::collection::vec(0..12_i32, 0..12)) {
            let kept = kept(&days);
            prop_assert!(kept.is_sorted_by(|one, next| one < next));
            prop_assert_eq!(kept.len(), longest_by_trying_all(&days));
        }
    }
}
