//! A reader of the text format of Prometheus, version 0.0.4, that takes nothing which is not quite right.

use std::collections::{BTreeMap, BTreeSet};

use callboard_actor::testing::TestSystem;
use callboard_bus::MonitoringExt;

/// The figures of a system as they are exposed.
pub(crate) fn text(t: &TestSystem) -> String {
    t.system().monitoring().metrics().exposition().to_string()
}

/// The same, read.
pub(crate) fn exposed(t: &TestSystem) -> Exposed {
    Exposed::read(&text(t))
}

/// The labels of a series, by name.
pub(crate) type Labels = BTreeMap<String, String>;

/// A text that has been read.
#[derive(Debug, Default)]
pub(crate) struct Exposed {
    /// In the order of the text.
    pub(crate) families: Vec<Family>,
}

/// A figure: its name, its type, and its series in the order of the text.
#[derive(Debug)]
pub(crate) struct Family {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) series: Vec<Series>,
}

/// A line.
#[derive(Debug)]
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) labels: Labels,
    pub(crate) value: f64,
}

impl Exposed {
    /// Reads a text.
    ///
    /// # Panics
    ///
    /// With the first line that is not right.
    pub(crate) fn read(text: &str) -> Self {
        assert!(text.ends_with('\n'), "the last line has no end");
        let mut exposed = Self::default();
        let mut lines = text.lines().peekable();
        while let Some(head) = lines.next() {
            let mut family = family(head, lines.next().expect("a type follows"));
            while let Some(line) = lines.next_if(|line| !line.starts_with('#')) {
                family.series.push(series(line));
            }
            family.check();
            exposed.families.push(family);
        }
        let names: BTreeSet<_> = exposed.families.iter().map(|family| &family.name).collect();
        assert_eq!(names.len(), exposed.families.len(), "a family is there twice");
        exposed
    }

    /// A family, if it is there.
    pub(crate) fn family(&self, name: &str) -> Option<&Family> {
        self.families.iter().find(|family| family.name == name)
    }

    /// The value of a series, if it is there.
    pub(crate) fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let wanted: Labels = labels.iter().map(|(label, value)| ((*label).to_owned(), (*value).to_owned())).collect();
        let mut all = self.families.iter().flat_map(|family| &family.series);
        all.find(|series| series.name == name && series.labels == wanted).map(|series| series.value)
    }
}

impl Family {
    /// The names of all labels.
    pub(crate) fn labels(&self) -> BTreeSet<&str> {
        self.series.iter().flat_map(|series| series.labels.keys()).map(String::as_str).collect()
    }

    /// All values together.
    pub(crate) fn sum(&self) -> f64 {
        self.series.iter().map(|series| series.value).sum()
    }

    fn check(&self) {
        let Self { name, kind, series } = self;
        assert!(!series.is_empty(), "{name} has no series");
        assert_eq!(name.ends_with("_total"), kind == "counter", "{name} is a {kind}");
        let known: BTreeSet<_> = series.iter().map(|series| (&series.name, &series.labels)).collect();
        assert_eq!(known.len(), series.len(), "{name}: a series is there twice");
        assert!(series.iter().all(|series| series.value.is_finite() && series.value >= 0.0), "{name}");
        if kind == "histogram" {
            self.check_histograms();
        } else {
            assert!(series.iter().all(|series| series.name == *name), "{name}");
        }
    }

    fn check_histograms(&self) {
        let mut by_owner: BTreeMap<Labels, Vec<&Series>> = BTreeMap::new();
        for series in &self.series {
            let mut owner = series.labels.clone();
            owner.remove("le");
            by_owner.entry(owner).or_default().push(series);
        }
        by_owner.values().for_each(|series| check_histogram(&self.name, series));
    }
}

fn check_histogram(name: &str, series: &[&Series]) {
    let named = |suffix: &'static str| series.iter().filter(move |series| series.name == format!("{name}{suffix}"));
    let buckets: Vec<_> = named("_bucket").map(|bucket| (number(&bucket.labels["le"]), bucket.value)).collect();
    assert!(buckets.is_sorted() && buckets.is_sorted_by_key(|(_, count)| *count), "{name}: {buckets:?}");
    let counts: Vec<_> = named("_count").map(|count| count.value).collect();
    assert_eq!(buckets.last(), Some(&(f64::INFINITY, counts[0])), "{name}");
    assert_eq!((counts.len(), named("_sum").count(), series.len()), (1, 1, buckets.len() + 2), "{name}");
}

/// The two lines that a family begins with.
fn family(help: &str, kind: &str) -> Family {
    let (name, said) = help.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')).expect(help);
    assert!(is_name(name) && !said.is_empty() && !said.contains('\\'), "{help}");
    let kind = kind.strip_prefix("# TYPE ").and_then(|rest| rest.strip_prefix(name)).expect(kind).trim_start();
    assert!(["counter", "gauge", "histogram"].contains(&kind), "{name} is a {kind}");
    Family { name: name.to_owned(), kind: kind.to_owned(), series: Vec::new() }
}

fn series(line: &str) -> Series {
    let (named, value) = line.rsplit_once(' ').expect(line);
    let (name, labels) = match named.split_once('{') {
        Some((name, rest)) => (name, labels(rest)),
        None => (named, Labels::new()),
    };
    assert!(is_name(name), "{line}");
    Series { name: name.to_owned(), labels, value: number(value) }
}

/// What follows the opening brace.
fn labels(mut rest: &str) -> Labels {
    let mut labels = Labels::new();
    loop {
        let (label, quoted) = rest.split_once("=\"").expect(rest);
        let (value, after) = value(quoted);
        assert!(is_name(label) && !label.contains(':'), "{rest}");
        assert!(labels.insert(label.to_owned(), value).is_none(), "{label} is there twice");
        match after.strip_prefix(',') {
            Some(more) => rest = more,
            None if after == "}" => return labels,
            None => panic!("{after:?} follows a label"),
        }
    }
}

/// The value that ends with the next quote, and what follows that.
fn value(quoted: &str) -> (String, &str) {
    let (mut value, mut signs) = (String::new(), quoted.chars());
    loop {
        match signs.next().expect(quoted) {
            '"' => return (value, signs.as_str()),
            '\\' => value.push(match signs.next() {
                Some('n') => '\n',
                Some(sign @ ('\\' | '"')) => sign,
                other => panic!("{other:?} follows a backslash in {quoted}"),
            }),
            sign => value.push(sign),
        }
    }
}

fn number(text: &str) -> f64 {
    if text == "+Inf" { f64::INFINITY } else { text.parse().expect(text) }
}

fn is_name(text: &str) -> bool {
    let is_sign = |sign: char| sign.is_ascii_alphanumeric() || matches!(sign, '_' | ':');
    text.chars().all(is_sign) && text.starts_with(|first: char| !first.is_ascii_digit())
}

/// What is not right is not taken.
#[test]
fn nothing_wrong_is_read() {
    let head = "# HELP x_total x\n# TYPE x_total counter\n";
    let wrong = [
        "",
        "# HELP x_total x\n# TYPE x_total counter\n",
        "# HELP x x\n# TYPE x counter\nx 1\n",
        "# HELP x_total x\n# TYPE y_total counter\nx_total 1\n",
        &format!("{head}x_total 1"),
        &format!("{head}y_total 1\n"),
        &format!("{head}x_total 1\nx_total 2\n"),
        &format!("{head}x_total 1\n{head}x_total{{a=\"\"}} 1\n"),
        &format!("{head}x_total{{a=\"\\x\"}} 1\n"),
        &format!("{head}x_total{{a=\"\"\"}} 1\n"),
        &format!("{head}x_total{{a=\"\",a=\"\"}} 1\n"),
        &format!("{head}x_total NaN\n"),
        "# HELP x x\n# TYPE x histogram\nx_bucket{le=\"1\"} 2\nx_bucket{le=\"+Inf\"} 1\nx_sum 1\nx_count 1\n",
        "# HELP x x\n# TYPE x histogram\nx_bucket{le=\"1\"} 1\nx_sum 1\nx_count 1\n",
    ];
    for text in wrong {
        assert!(std::panic::catch_unwind(|| Exposed::read(text)).is_err(), "{text}");
    }
    let right = "x_bucket{le=\"1\"} 0\nx_bucket{le=\"+Inf\"} 1\nx_sum 2.5\nx_count 1\n";
    let read = Exposed::read(&format!("{head}x_total{{a=\"\\\"\"}} 1\n# HELP x x\n# TYPE x histogram\n{right}"));
    assert_eq!((read.value("x_total", &[("a", "\"")]), read.value("x_sum", &[])), (Some(1.0), Some(2.5)));
}
