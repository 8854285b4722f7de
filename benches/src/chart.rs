//! What the picture of a run shows: the rows that everybody can take part in, as parts of actix's figures.

use crate::{
    entrant::Entrant,
    picture::{Bar, Chart, Group},
    report::Row,
    words,
};

const SUBTITLE: &str =
    "Per operation, as a part of actix's time or bytes: shorter is better. Bars are medians, thin lines the spread.";

/// The chart of the rows that have a caption and a figure of actix.
#[must_use]
pub fn of(rows: &[Row]) -> Chart {
    let entrants = present(rows);
    let groups = rows.iter().filter_map(|row| group(row, &entrants)).collect();
    let names: Vec<String> = entrants.iter().map(|entrant| entrant.name().to_owned()).collect();
    Chart {
        title: title(&names),
        subtitle: SUBTITLE.to_owned(),
        unit: Entrant::Actix.name().to_owned(),
        entrants: names,
        groups,
    }
}

/// Those who have a figure in one of the rows, in the order of the table.
#[must_use]
pub fn present(rows: &[Row]) -> Vec<Entrant> {
    let has_figure = |entrant: &Entrant| rows.iter().any(|row| row.spread(*entrant).is_some());
    Entrant::ALL.iter().copied().filter(has_figure).collect()
}

fn title(names: &[String]) -> String {
    match names {
        [first, middle @ .., last] if !middle.is_empty() => format!("{first} beside {} and {last}", middle.join(", ")),
        few => few.join(" beside "),
    }
}

fn group(row: &Row, entrants: &[Entrant]) -> Option<Group> {
    let caption = row.workload.caption()?.to_owned();
    let unit = row.median(Entrant::Actix).filter(|&unit| unit > 0.0)?;
    let bars = entrants.iter().enumerate();
    let bars = bars.filter_map(|(place, &entrant)| bar(row, place, entrant, unit)).collect();
    Some(Group { name: row.workload.name().to_owned(), caption, bars })
}

fn bar(row: &Row, place: usize, entrant: Entrant, unit: f64) -> Option<Bar> {
    let spread = row.spread(entrant)?;
    let [least, middle, greatest] = [spread.min, spread.median, spread.max].map(|figure| figure / unit);
    let figure = words::figure(row.workload, spread.median);
    let figure = if entrant == Entrant::Actix { figure } else { format!("{figure} · {}", words::ratio(middle)) };
    Some(Bar { entrant: place, least, middle, greatest, figure })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        picture::{CAPTION_LETTERS, SUBTITLE_LETTERS},
        report::made_up as row,
        workload::Workload,
    };

    #[test]
    fn bars_are_parts_of_the_median_of_actix() {
        let figures = [(Entrant::Callboard, [60.0, 80.0, 100.0]), (Entrant::Actix, [190.0, 200.0, 300.0])];
        let chart = of(&[row(Workload::Tell, &figures)]);
        assert_eq!((chart.title.as_str(), chart.unit.as_str()), ("callboard beside actix", "actix"));
        let [own, actix] = chart.groups[0].bars.as_slice() else { panic!("two bars, not {:?}", chart.groups) };
        assert_eq!([own.least, own.middle, own.greatest], [0.3, 0.4, 0.5]);
        assert_eq!((own.figure.as_str(), actix.figure.as_str()), ("80.0 ns · 0.40", "200 ns"));
        assert_eq!((actix.entrant, actix.middle), (1, 1.0));
    }

    #[test]
    fn rows_without_actix_or_without_rivals_are_left_out() {
        let own = [(Entrant::Callboard, [1.0; 3])];
        let both = [(Entrant::Callboard, [1.0; 3]), (Entrant::Actix, [1.0; 3])];
        let nothing = [(Entrant::Callboard, [1.0; 3]), (Entrant::Actix, [0.0; 3])];
        let rows = [row(Workload::Tell, &own), row(Workload::CallByName, &both), row(Workload::Ring, &nothing)];
        assert_eq!(of(&rows).groups, []);
    }

    #[test]
    fn the_texts_fit_into_the_picture() {
        assert!(SUBTITLE.len() <= SUBTITLE_LETTERS);
        for caption in Workload::ALL.into_iter().filter_map(Workload::caption) {
            assert!(caption.len() <= CAPTION_LETTERS, "{caption:?} is longer than {CAPTION_LETTERS}");
        }
    }

    #[test]
    fn the_title_names_all_who_took_part() {
        let figures = [Entrant::Callboard, Entrant::Actix, Entrant::Tokio].map(|entrant| (entrant, [1.0; 3]));
        assert_eq!(of(&[row(Workload::Tell, &figures)]).title, "callboard beside actix and tokio");
    }
}
