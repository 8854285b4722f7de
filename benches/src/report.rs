//! The result as data: rows, ratios, verdicts, JSON.

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::{
    entrant::Entrant,
    spread::Spread,
    workload::{Goal, Workload},
};

/// One workload's figures.
#[derive(Clone, Debug)]
pub struct Row {
    /// What was run.
    pub workload: Workload,
    /// The entrants that took part.
    pub figures: Vec<Figure>,
}

/// One entrant's figures of all rounds.
#[derive(Clone, Copy, Debug)]
pub struct Figure {
    /// Whose they are.
    pub entrant: Entrant,
    /// Nanoseconds per operation, or the workload's own unit.
    pub spread: Spread,
}

/// How a row stands against its goals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The aim is met.
    Aim,
    /// The must is met, the aim is not.
    Must,
    /// The must is missed.
    Missed,
    /// There is no must, and the aim is missed.
    ShortOfAim,
    /// There is nothing to compare.
    Open,
}

/// All rows as a JSON array, one row a line.
///
/// # Errors
/// When a figure is not a finite number.
pub fn to_json(rows: &[Row]) -> Result<String, serde_json::Error> {
    let lines: Result<Vec<_>, _> = rows.iter().map(serde_json::to_string).collect();
    Ok(format!("[\n  {}\n]", lines?.join(",\n  ")))
}

/// Callboard's median of the tell workload, if it was run: a goal is a
/// multiple of it.
pub fn own_tell(rows: &[Row]) -> Option<f64> {
    let tell = rows.iter().find(|row| row.workload == Workload::Tell)?;
    tell.median(Entrant::Callboard)
}

impl Row {
    /// The figures of one entrant, if it took part.
    pub fn spread(&self, entrant: Entrant) -> Option<Spread> {
        let figure = self.figures.iter().find(|each| each.entrant == entrant);
        figure.map(|figure| figure.spread)
    }

    /// The median of one entrant, if it took part.
    pub fn median(&self, entrant: Entrant) -> Option<f64> {
        self.spread(entrant).map(|spread| spread.median)
    }

    /// Callboard's median divided by actix's.
    pub fn ratio(&self) -> Option<f64> {
        Some(self.median(Entrant::Callboard)? / self.median(Entrant::Actix)?)
    }

    /// How the row stands; `tell` is callboard's median of that workload, if
    /// it was run.
    pub fn verdict(&self, tell: Option<f64>) -> Verdict {
        let reaches = |goal: Option<Goal>| goal.and_then(|goal| self.reaches(goal, tell));
        match (reaches(self.workload.must()), reaches(self.workload.aim())) {
            (Some(false), _) => Verdict::Missed,
            (_, Some(true)) => Verdict::Aim,
            (Some(true), _) => Verdict::Must,
            (None, Some(false)) => Verdict::ShortOfAim,
            (None, None) => Verdict::Open,
        }
    }

    fn reaches(&self, goal: Goal, tell: Option<f64>) -> Option<bool> {
        let own = self.median(Entrant::Callboard)?;
        Some(match goal {
            Goal::Ratio(limit) => self.ratio()? <= limit,
            Goal::OfTell(limit) => own / tell? <= limit,
            Goal::Time(limit) | Goal::Figure(limit) => own <= limit,
            Goal::AtLeast(limit) => own >= limit,
        })
    }

    fn serialize_times<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        for &entrant in Entrant::ALL {
            let nanoseconds = self.median(entrant).map(|figure| rounded(figure, 10.0));
            if entrant == Entrant::Callboard || !self.workload.is_absolute() || nanoseconds.is_some() {
                map.serialize_entry(&format!("{}_ns", entrant.name()), &nanoseconds)?;
            }
        }
        if !self.workload.is_absolute() {
            let ratio = self.ratio().map(|ratio| rounded(ratio, 1000.0));
            map.serialize_entry("ratio", &ratio)?;
        }
        Ok(())
    }

    fn serialize_value<M: SerializeMap>(&self, map: &mut M, unit: &str) -> Result<(), M::Error> {
        let value = self.median(Entrant::Callboard);
        map.serialize_entry("value", &value.map(|value| rounded(value, 100.0)))?;
        map.serialize_entry("unit", unit)
    }
}

impl Serialize for Row {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("workload", self.workload.name())?;
        match self.workload.unit() {
            Some(unit) => self.serialize_value(&mut map, unit)?,
            None => self.serialize_times(&mut map)?,
        }
        map.end()
    }
}

fn rounded(figure: f64, parts: f64) -> f64 {
    (figure * parts).round() / parts
}

/// A row of least, middle and greatest figures that nobody has measured.
#[cfg(test)]
pub(crate) fn made_up(workload: Workload, figures: &[(Entrant, [f64; 3])]) -> Row {
    let figures = figures.iter().map(|&(entrant, [min, median, max])| {
        let spread = Spread { min, median, max };
        Figure { entrant, spread }
    });
    Row { workload, figures: figures.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(workload: Workload, figures: &[(Entrant, f64)]) -> Row {
        let figure =
            |&(entrant, median): &(Entrant, f64)| Figure { entrant, spread: Spread::of(vec![median]).unwrap() };
        Row { workload, figures: figures.iter().map(figure).collect() }
    }

    #[test]
    fn a_row_of_times_has_null_for_what_is_missing() {
        let alone = row(Workload::TellTtl, &[(Entrant::Callboard, 50.04)]);
        let json: serde_json::Value = serde_json::to_value(&alone).unwrap();
        assert_eq!(json["callboard_ns"], 50.0);
        assert!(json["actix_ns"].is_null() && json["ratio"].is_null());
        assert!(json.as_object().unwrap().contains_key("tokio_ns"));
    }

    #[test]
    fn an_absolute_row_has_callboard_alone() {
        let restart = row(Workload::Restart, &[(Entrant::Callboard, 4_200.0)]);
        let json = serde_json::to_string(&restart).unwrap();
        assert_eq!(json, r#"{"workload":"restart","callboard_ns":4200.0}"#);
    }

    #[test]
    fn a_rival_that_can_do_it_too_stands_in_an_absolute_row() {
        let restart = row(Workload::Restart, &[(Entrant::Callboard, 4_200.0), (Entrant::Tokio, 5_000.0)]);
        let json = serde_json::to_string(&restart).unwrap();
        assert_eq!(json, r#"{"workload":"restart","callboard_ns":4200.0,"tokio_ns":5000.0}"#);
    }

    #[test]
    fn a_figure_that_is_no_time_has_value_and_unit() {
        let bytes = row(Workload::SpawnBytes, &[(Entrant::Callboard, 812.5)]);
        let json = serde_json::to_string(&bytes).unwrap();
        assert_eq!(json, r#"{"workload":"spawn_bytes","value":812.5,"unit":"bytes"}"#);
    }

    #[test]
    fn the_verdict_compares_the_ratio_with_must_and_aim() {
        let verdict = |callboard| {
            let figures = [(Entrant::Callboard, callboard), (Entrant::Actix, 100.0)];
            row(Workload::Tell, &figures).verdict(None)
        };
        assert_eq!(verdict(39.0), Verdict::Aim);
        assert_eq!(verdict(60.0), Verdict::Must);
        assert_eq!(verdict(71.0), Verdict::Missed);
    }

    #[test]
    fn the_goal_of_ttl_is_a_multiple_of_tell() {
        let ttl = row(Workload::TellTtl, &[(Entrant::Callboard, 60.0)]);
        assert_eq!(ttl.verdict(Some(50.0)), Verdict::Aim);
        assert_eq!(ttl.verdict(Some(40.0)), Verdict::ShortOfAim);
        assert_eq!(ttl.verdict(None), Verdict::Open);
    }
}
