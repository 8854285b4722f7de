//! How far a node has come, and the one table of how each state looks in every kind of picture.

/// How far the work behind a node has come. `Plain` is for pictures that show no progress.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// It ended well.
    Done,
    /// It was not needed.
    Skipped,
    /// It ended well and was undone again.
    Compensated,
    /// It was stopped before it ended.
    Cancelled,
    /// It failed for good.
    Failed,
    /// It runs.
    Running,
    /// It could run, and waits for a free place.
    Ready,
    /// It waits for others, a timer or a signal.
    Waiting,
    /// Nothing is said about it.
    #[default]
    Plain,
}

/// How a state looks. No two states share a mark, so that no reader has to rely on colours.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Style {
    /// The colour of the box, `#rrggbb`.
    pub fill: &'static str,
    /// The colour of its border and mark, `#rrggbb`.
    pub line: &'static str,
    /// The width of the border in pixels.
    pub width: f64,
    /// Lengths of dashes and gaps along the border in pixels; empty for an unbroken one.
    pub dashes: &'static [u8],
    /// The mark as a character, for writers that only have text.
    pub sign: Option<char>,
    /// The mark as the data of an SVG path within a square of 12 pixels.
    pub mark: &'static str,
    /// Whether the mark is filled instead of drawn as a line.
    pub is_mark_filled: bool,
}

/// The colour of text, on every fill.
pub(super) const INK: &str = "#0f172a";
/// The colour of text that matters less, and of edges.
pub(super) const FAINT_INK: &str = "#475569";
/// The colour behind everything.
pub(super) const PAPER: &str = "#ffffff";

const CIRCLE_AND_HANDS: &str = "M6 1A5 5 0 1 1 5.99 1ZM6 3.5V6.3L8 7.6";
const TRIANGLE: &str = "M2.8 1.5L10.5 6L2.8 10.5Z";
const TICK: &str = "M1.5 6.5L4.5 9.5L10.5 2.5";
const CROSS: &str = "M2 2L10 10M10 2L2 10";
const CHEVRONS: &str = "M1.5 2L5.5 6L1.5 10M6.5 2L10.5 6L6.5 10";
const CIRCLE_AND_STROKE: &str = "M6 1A5 5 0 1 1 5.99 1ZM2.6 9.4L9.4 2.6";
const ARROW_BACK: &str = "M4.5 1.5L1.5 4.5L4.5 7.5M1.5 4.5H7.5A3 3 0 0 1 7.5 10.5H4";

impl State {
    /// All of them, in the order of a progress bar: what is over, what is under way, what is to come.
    pub const ALL: [Self; 9] = [
        Self::Done,
        Self::Skipped,
        Self::Compensated,
        Self::Cancelled,
        Self::Failed,
        Self::Running,
        Self::Ready,
        Self::Waiting,
        Self::Plain,
    ];

    /// What a reader looks for first, first: a box that stands for many nodes takes the first of these that occurs.
    const BY_URGENCY: [Self; 9] = [
        Self::Failed,
        Self::Running,
        Self::Compensated,
        Self::Cancelled,
        Self::Ready,
        Self::Waiting,
        Self::Done,
        Self::Skipped,
        Self::Plain,
    ];

    /// Its name in lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Waiting => "waiting",
            Self::Ready => "ready",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Cancelled => "cancelled",
            Self::Compensated => "compensated",
        }
    }

    /// How it looks. The hues follow the palette of Okabe and Ito (*Color Universal Design*, 2008), darkened until a
    /// border stands out from white paper by 3:1 and lightened until text stands out from a fill by 7:1.
    #[must_use]
    pub fn style(self) -> Style {
        match self {
            Self::Plain => style(["#f8fafc", "#64748b"], (1.2, &[]), (None, "")),
            Self::Waiting => style(["#f1f5f9", "#64748b"], (1.2, &[2, 3]), (Some('○'), CIRCLE_AND_HANDS)),
            Self::Ready => style(["#e3f3fc", "#1e86bb"], (1.2, &[]), (Some('▷'), TRIANGLE)),
            Self::Running => {
                let open = style(["#c3dff5", "#17479e"], (2.4, &[]), (Some('▶'), TRIANGLE));
                Style { is_mark_filled: true, ..open }
            }
            Self::Done => style(["#d9f2e8", "#008560"], (1.2, &[]), (Some('✓'), TICK)),
            Self::Failed => style(["#fbdccb", "#b84300"], (2.4, &[]), (Some('✗'), CROSS)),
            Self::Skipped => style(["#ffffff", "#7c8799"], (1.2, &[5, 4]), (Some('»'), CHEVRONS)),
            Self::Cancelled => style(["#e2e4e9", "#3f4754"], (1.2, &[8, 3, 2, 3]), (Some('⊘'), CIRCLE_AND_STROKE)),
            Self::Compensated => style(["#f6e1ed", "#9c3d74"], (1.2, &[9, 3]), (Some('↩'), ARROW_BACK)),
        }
    }
}

fn style(
    [fill, line]: [&'static str; 2],
    (width, dashes): (f64, &'static [u8]),
    (sign, mark): (Option<char>, &'static str),
) -> Style {
    Style { fill, line, width, dashes, sign, mark, is_mark_filled: false }
}

/// How many nodes are in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StateCounts([usize; State::ALL.len()]);

impl StateCounts {
    /// The states that occur and how often, in the order of [`State::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (State, usize)> {
        State::ALL.into_iter().zip(self.0).filter(|(_, count)| *count > 0)
    }

    /// How many nodes there are in all.
    #[must_use]
    pub fn total(&self) -> usize {
        self.0.iter().sum()
    }

    /// The state that a reader should see first: failures before work in progress, and that before what is over.
    #[must_use]
    pub fn most_urgent(&self) -> State {
        State::BY_URGENCY.into_iter().find(|state| self.0[*state as usize] > 0).unwrap_or_default()
    }

    pub(super) fn add(&mut self, state: State) {
        self.0[state as usize] += 1;
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(mine, theirs)| *mine += theirs);
    }

    /// "30 done, 2 failed"; nothing when no state says anything.
    #[must_use]
    pub fn summary(&self) -> String {
        told(self.iter())
    }

    /// The three most urgent of them.
    pub(super) fn short_summary(&self) -> String {
        const TOLD: usize = 3;
        let counts = State::BY_URGENCY.into_iter().map(|state| (state, self.0[state as usize]));
        let rest = if self.iter().count() > TOLD { " …" } else { "" };
        told(counts.filter(|(_, count)| *count > 0).take(TOLD)) + rest
    }
}

fn told(counts: impl Iterator<Item = (State, usize)>) -> String {
    let told = counts.filter(|(state, _)| *state != State::Plain);
    told.map(|(state, count)| format!("{count} {}", state.name())).collect::<Vec<_>>().join(", ")
}

impl FromIterator<State> for StateCounts {
    fn from_iter<I: IntoIterator<Item = State>>(states: I) -> Self {
        let mut counts = Self::default();
        states.into_iter().for_each(|state| counts.add(state));
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Red, green and blue of `#rrggbb`, linear, from 0 to 1 (WCAG 2.2, relative luminance).
    fn linear(colour: &str) -> [f64; 3] {
        [1, 3, 5].map(|at| {
            let part = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        })
    }

    fn luminance([red, green, blue]: [f64; 3]) -> f64 {
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    fn contrast(one: &str, other: &str) -> f64 {
        let (one, other) = (luminance(linear(one)) + 0.05, luminance(linear(other)) + 0.05);
        one.max(other) / one.min(other)
    }

    #[test]
    fn every_state_stands_out_and_its_text_can_be_read() {
        for state in State::ALL {
            let style = state.style();
            assert!(contrast(style.fill, INK) >= 7.0, "{state:?}: text");
            assert!(contrast(style.fill, FAINT_INK) >= 4.5, "{state:?}: faint text");
            assert!(contrast(style.line, PAPER) >= 3.0, "{state:?}: border");
            assert!(contrast(style.line, style.fill) >= 3.0, "{state:?}: mark");
        }
    }

    #[test]
    fn no_two_states_share_a_mark_or_a_look() {
        for (at, one) in State::ALL.into_iter().enumerate() {
            for other in &State::ALL[at + 1..] {
                let (one, other) = (one.style(), other.style());
                assert_ne!(one.sign, other.sign);
                assert_ne!((one.mark, one.is_mark_filled), (other.mark, other.is_mark_filled));
                assert_ne!((one.fill, one.line), (other.fill, other.line));
            }
        }
    }

    /// As people without the red, the green or the blue cones see them (Machado, Oliveira, Fernandes, *A physiologically-based
    /// model for simulation of color vision deficiency*, 2009), the states that matter most can be told apart.
    #[test]
    fn running_done_and_failed_differ_for_the_colour_blind() {
        const RED: [[f64; 3]; 3] =
            [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]];
        const GREEN: [[f64; 3]; 3] =
            [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]];
        const BLUE: [[f64; 3]; 3] =
            [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]];
        let seen = |matrix: [[f64; 3]; 3], colour: &str| {
            let light = linear(colour);
            matrix.map(|row| row.iter().zip(light).map(|(a, b)| a * b).sum::<f64>().clamp(0.0, 1.0).powf(1.0 / 2.2))
        };
        let lines = [State::Running, State::Done, State::Failed].map(|state| state.style().line);
        for matrix in [RED, GREEN, BLUE] {
            for (one, other) in [(0, 1), (0, 2), (1, 2)] {
                let (one, other) = (seen(matrix, lines[one]), seen(matrix, lines[other]));
                let distance = one.iter().zip(other).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
                assert!(distance > 0.12, "{one:?} {other:?}: {distance}");
            }
        }
    }

    #[test]
    fn the_most_urgent_state_is_seen_first() {
        let counts: StateCounts = [State::Done, State::Done, State::Failed, State::Plain].into_iter().collect();
        assert_eq!(counts.most_urgent(), State::Failed);
        assert_eq!(counts.summary(), "2 done, 1 failed");
        assert_eq!(StateCounts::default().most_urgent(), State::Plain);
    }
}
