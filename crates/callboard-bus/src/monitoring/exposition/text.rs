//! How families are written, in the text format of Prometheus. Pure.

use std::fmt;

use super::family::{Family, Kind, Series};

/// A figure of which nothing is known is not there at all.
impl fmt::Display for Family<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.groups().is_empty() {
            return Ok(());
        }
        let Self { name, help, kind, .. } = self;
        writeln!(f, "# HELP {name} {help}\n# TYPE {name} {}", kind.as_str())?;
        for group in self.groups() {
            group.series.iter().try_for_each(|series| write_series(f, name, &group.owner, series))?;
        }
        Ok(())
    }
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

fn write_series(f: &mut fmt::Formatter<'_>, name: &str, owner: &[(&str, &str)], series: &Series) -> fmt::Result {
    write!(f, "{name}{}", series.suffix)?;
    let own = series.label.iter().map(|(label, word)| (*label, &**word));
    let mut before = '{';
    for (label, value) in owner.iter().copied().chain(own) {
        write!(f, "{before}{label}=\"{}\"", Escaped(value))?;
        before = ',';
    }
    let end = if before == ',' { "}" } else { "" };
    writeln!(f, "{end} {}", series.value)
}

/// The value of a label, on one line and between its quotes.
struct Escaped<'v>(&'v str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write;
        self.0.chars().try_for_each(|sign| match sign {
            '\\' => f.write_str(r"\\"),
            '"' => f.write_str(r#"\""#),
            '\n' => f.write_str(r"\n"),
            sign => f.write_char(sign),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::family::Group;
    use super::*;

    #[test]
    fn a_family_is_its_head_and_its_series() {
        let series = vec![Series::labelled("le", "0.5", 2.0).suffixed("_bucket"), Series::plain(0.25).suffixed("_sum")];
        let owner = vec![("module", "a"), ("operation", "a.\"b\\")];
        let family = Family::histogram("x_seconds", "How long.", [Group { owner, series }]);
        let wanted = r#"# HELP x_seconds How long.
# TYPE x_seconds histogram
x_seconds_bucket{module="a",operation="a.\"b\\",le="0.5"} 2
x_seconds_sum{module="a",operation="a.\"b\\"} 0.25
"#;
        assert_eq!(family.to_string(), wanted);
        assert_eq!(Family::gauge("x", "x", [Group::whole(3.0)]).to_string(), "# HELP x x\n# TYPE x gauge\nx 3\n");
        assert_eq!(Family::counter("x_total", "x", []).to_string(), "");
    }

    /// As Prometheus reads it.
    fn read(written: &str) -> Option<String> {
        let (mut text, mut signs) = (String::new(), written.chars());
        while let Some(sign) = signs.next() {
            text.push(match sign {
                '\\' => match signs.next()? {
                    'n' => '\n',
                    sign @ ('\\' | '"') => sign,
                    _ => return None,
                },
                '"' | '\n' => return None,
                sign => sign,
            });
        }
        Some(text)
    }

    proptest! {
        /// F-MET-13: whatever the value of a label is, it comes back as it was.
        #[test]
        fn a_value_comes_back(value in r#"(\PC|[\\"\nn]){0,40}"#) {
            prop_assert_eq!(read(&Escaped(&value).to_string()), Some(value));
        }
    }
}
