//! A figure and its series: [`Family`], with no more of them than there may be. Pure.

use std::borrow::Cow;
use std::iter::zip;

/// So many series a family has at most.
const MOST: usize = 1_000;

/// What a label has where the series of several owners are one.
const OTHER: &str = "other";

/// What Prometheus calls the type of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// A figure: its name, what it says in a sentence, and its series.
#[derive(Clone, Debug)]
pub(super) struct Family<'m> {
    pub(super) name: &'static str,
    pub(super) help: &'static str,
    pub(super) kind: Kind,
    groups: Vec<Group<'m>>,
}

/// The series of one owner: an operation, a module, a channel, or the whole system.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Group<'m> {
    /// What the owner is called: labels that what is registered bounds.
    pub(super) owner: Vec<(&'static str, &'m str)>,
    /// As many in all groups of a family, and in the same order.
    pub(super) series: Vec<Series>,
}

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Series {
    /// What follows the name of the family.
    pub(super) suffix: &'static str,
    /// A label with one of a few words.
    pub(super) label: Option<(&'static str, Cow<'static, str>)>,
    pub(super) value: f64,
}

impl<'m> Family<'m> {
    pub(super) fn counter(name: &'static str, help: &'static str, groups: impl IntoIterator<Item = Group<'m>>) -> Self {
        Self { name, help, kind: Kind::Counter, groups: summed(groups) }
    }

    /// A counter of the whole system.
    pub(super) fn total(name: &'static str, help: &'static str, count: u64) -> Self {
        Self::counter(name, help, [Group::whole(count as f64)])
    }

    pub(super) fn gauge(name: &'static str, help: &'static str, groups: impl IntoIterator<Item = Group<'m>>) -> Self {
        Self { name, help, kind: Kind::Gauge, groups: summed(groups) }
    }

    /// A gauge whose values have no sum.
    pub(super) fn share(name: &'static str, help: &'static str, groups: impl IntoIterator<Item = Group<'m>>) -> Self {
        Self { name, help, kind: Kind::Gauge, groups: groups.into_iter().take(MOST).collect() }
    }

    pub(super) fn histogram(
        name: &'static str,
        help: &'static str,
        groups: impl IntoIterator<Item = Group<'m>>,
    ) -> Self {
        Self { name, help, kind: Kind::Histogram, groups: summed(groups) }
    }

    pub(super) fn groups(&self) -> &[Group<'m>] {
        &self.groups
    }
}

impl<'m> Group<'m> {
    /// One value of one owner.
    pub(super) fn one(owner: Vec<(&'static str, &'m str)>, value: f64) -> Self {
        Self { owner, series: vec![Series::plain(value)] }
    }

    /// One value of the whole system.
    pub(super) fn whole(value: f64) -> Self {
        Self::one(Vec::new(), value)
    }

    /// The same of an owner that has `other` for each of its names.
    fn nameless(&self) -> Self {
        let owner = self.owner.iter().map(|(label, _)| (*label, OTHER)).collect();
        Self { owner, series: self.series.clone() }
    }

    fn add(&mut self, more: &Self) {
        zip(&mut self.series, &more.series).for_each(|(series, more)| series.value += more.value);
    }
}

impl Series {
    pub(super) const fn plain(value: f64) -> Self {
        Self { suffix: "", label: None, value }
    }

    pub(super) fn labelled(label: &'static str, word: impl Into<Cow<'static, str>>, value: f64) -> Self {
        Self { suffix: "", label: Some((label, word.into())), value }
    }

    /// The same under a longer name.
    pub(super) fn suffixed(self, suffix: &'static str) -> Self {
        Self { suffix, ..self }
    }
}

/// As many groups as there is room for; the last of them stands for all others where there are more.
fn summed<'m>(groups: impl IntoIterator<Item = Group<'m>>) -> Vec<Group<'m>> {
    let mut groups: Vec<_> = groups.into_iter().collect();
    let room = groups.first().map_or(MOST, |group| MOST / group.series.len());
    if groups.len() <= room {
        return groups;
    }
    let mut rest = groups.split_off(room - 1);
    let mut sum = rest.remove(0).nameless();
    // One that is called so itself would be there twice.
    rest.extend(groups.extract_if(.., |group| group.owner == sum.owner));
    rest.iter().for_each(|group| sum.add(group));
    groups.push(sum);
    groups
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    /// Each has as many series as there are values.
    fn groups<'m>(names: &'m [String], values: &[f64]) -> Vec<Group<'m>> {
        let series: Vec<_> = values.iter().map(|value| Series::plain(*value)).collect();
        names.iter().map(|name| Group { owner: vec![("module", name)], series: series.clone() }).collect()
    }

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|number| format!("module-{number:04}")).collect()
    }

    fn owners<'m>(family: &Family<'m>) -> Vec<&'m str> {
        family.groups().iter().map(|group| group.owner[0].1).collect()
    }

    /// F-MET-13: the last are one, series by series.
    #[test]
    fn what_is_too_many_is_one() {
        let names = names(400);
        let family = Family::counter("x_total", "x", groups(&names, &[1.0, 10.0, 0.0]));
        let last = family.groups().last().expect("there are some");
        assert_eq!((family.groups().len(), family.groups()[331].owner[0].1), (333, "module-0331"));
        assert_eq!((last.owner[0].1, last.series[0].value, last.series[1].value), ("other", 68.0, 680.0));
        let few = Family::counter("x_total", "x", groups(&names[..333], &[1.0, 10.0, 0.0]));
        assert_eq!(owners(&few).last(), Some(&"module-0332"), "there is room for all");
    }

    #[test]
    fn shares_have_no_sum() {
        let names = names(1_200);
        let family = Family::share("x", "x", groups(&names, &[0.5]));
        assert_eq!((family.groups().len(), owners(&family).contains(&"other")), (1_000, false));
    }

    proptest! {
        /// F-MET-13: nothing is lost, nothing is there twice, and there is never more than there may be; also where somebody
        /// is called as the rest is.
        #[test]
        fn no_value_is_lost(count in 0_usize..2_500, series in 1_usize..20, other in any::<prop::sample::Index>()) {
            let mut names = names(count);
            if count > 0 {
                *other.get_mut(&mut names) = OTHER.to_owned();
            }
            let family = Family::gauge("x", "x", groups(&names, &vec![1.0; series]));
            let all: Vec<_> = family.groups().iter().flat_map(|group| &group.series).collect();
            prop_assert!(all.len() <= MOST);
            prop_assert_eq!(all.iter().map(|series| series.value).sum::<f64>(), (count * series) as f64);
            prop_assert_eq!(owners(&family).into_iter().collect::<HashSet<_>>().len(), family.groups().len());
        }
    }
}
