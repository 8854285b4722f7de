//! Answers that are kept for a while: [`DiscoveryCache`].

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use lru::LruCache;
use serde::Serialize;

use super::{Discovery, DiscoveryQuery, Permissions};

/// What was found lately, by query and by what the caller is allowed: nobody is shown what was found for another. An
/// answer is good for a time, and as long as the modules are the same. When there is no room, that which has not been
/// used for longest goes.
///
/// Moments are measured from any fixed one of a clock that never goes back. The modules are told apart by a number that
/// grows with each change of them.
#[derive(Debug)]
pub struct DiscoveryCache {
    /// Nothing when nothing is to be kept.
    answers: Option<LruCache<Key, Kept>>,
    time_to_live: Duration,
    version: u64,
    counts: CacheCounts,
    /// The candidates in all answers.
    held: usize,
}

/// What became of the questions so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CacheCounts {
    /// Those that were answered by what was kept.
    pub hits: u64,
    /// Those that were not.
    pub misses: u64,
    /// Answers that went for want of room.
    pub evictions: u64,
    /// Answers that are kept now.
    pub entries: usize,
}

type Key = (DiscoveryQuery, Permissions);

#[derive(Debug)]
struct Kept {
    answer: Arc<Discovery>,
    until: Duration,
}

impl Default for DiscoveryCache {
    /// 1,000 answers for 300 s.
    fn default() -> Self {
        Self::new(Self::DEFAULT_CAPACITY, Self::DEFAULT_TIME_TO_LIVE)
    }
}

impl DiscoveryCache {
    /// So many candidates all answers hold together at most. One answer alone may hold more.
    const MOST_HELD: usize = 100_000;

    /// So many answers are kept, unless it is said otherwise.
    pub const DEFAULT_CAPACITY: usize = 1_000;

    /// So long an answer is good, unless it is said otherwise.
    pub const DEFAULT_TIME_TO_LIVE: Duration = Duration::from_secs(300);

    /// So many answers at most, each for so long. Without room or without time nothing is kept, and every question is a
    /// miss.
    #[must_use]
    pub fn new(capacity: usize, time_to_live: Duration) -> Self {
        let capacity = NonZeroUsize::new(capacity).filter(|_| !time_to_live.is_zero());
        let (answers, counts) = (capacity.map(LruCache::new), CacheCounts::default());
        Self { answers, time_to_live, version: 0, counts, held: 0 }
    }

    /// What was kept for this question, or what `find` finds now, which is kept then. `version` is that of the modules
    /// among which it would look.
    pub fn get_or_find(
        &mut self,
        query: &DiscoveryQuery,
        permissions: &Permissions,
        version: u64,
        now: Duration,
        find: impl FnOnce() -> Discovery,
    ) -> Arc<Discovery> {
        self.notice(version);
        let key = (query.clone(), permissions.clone());
        if let Some(answer) = self.kept(&key, version, now) {
            self.counts.hits += 1;
            return answer;
        }
        self.counts.misses += 1;
        let answer = Arc::new(find());
        self.keep(key, &answer, version, now);
        answer
    }

    /// What became of the questions so far.
    #[must_use]
    pub fn counts(&self) -> CacheCounts {
        CacheCounts { entries: self.answers.as_ref().map_or(0, LruCache::len), ..self.counts }
    }

    /// Answers about modules that have changed since are of no use to anybody.
    fn notice(&mut self, version: u64) {
        if version > self.version {
            self.version = version;
            self.held = 0;
            self.answers.iter_mut().for_each(LruCache::clear);
        }
    }

    fn kept(&mut self, key: &Key, version: u64, now: Duration) -> Option<Arc<Discovery>> {
        let answers = self.answers.as_mut().filter(|_| version == self.version)?;
        if answers.peek(key).is_some_and(|kept| kept.until <= now) {
            self.held -= answers.pop(key).map_or(0, |kept| kept.answer.found.len());
        }
        answers.get(key).map(|kept| Arc::clone(&kept.answer))
    }

    /// Whoever still looks among older modules finds for itself alone.
    fn keep(&mut self, key: Key, answer: &Arc<Discovery>, version: u64, now: Duration) {
        let Some(answers) = self.answers.as_mut().filter(|_| version == self.version) else { return };
        let kept = Kept { answer: Arc::clone(answer), until: now.saturating_add(self.time_to_live) };
        self.held += answer.found.len();
        let pushed_out = answers.push(key, kept);
        self.evicted(pushed_out);
        while self.held > Self::MOST_HELD
            && let Some(answers) = self.answers.as_mut().filter(|answers| answers.len() > 1)
        {
            let oldest = answers.pop_lru();
            self.evicted(oldest);
        }
    }

    fn evicted(&mut self, gone: Option<(Key, Kept)>) {
        if let Some((_, kept)) = gone {
            self.held -= kept.answer.found.len();
            self.counts.evictions += 1;
        }
    }
}

impl CacheCounts {
    /// The share of questions that were answered by what was kept, from 0 to 1; nothing before the first question.
    #[must_use]
    pub fn hit_rate(&self) -> Option<f64> {
        let all = self.hits.saturating_add(self.misses);
        (all > 0).then(|| self.hits as f64 / all as f64)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use proptest::prelude::*;
    use semver::Version;

    use super::{CacheCounts, DiscoveryCache};
    use crate::discovery::{Candidate, Capability, Discovery, DiscoveryQuery, Permissions};

    const SECOND: Duration = Duration::from_secs(1);

    /// Asks by name. Whether the answer had to be found.
    fn asks(cache: &mut DiscoveryCache, name: &str, permissions: &[&str], version: u64, now: Duration) -> bool {
        let query = DiscoveryQuery::default().name(name);
        let mut was_found = false;
        cache.get_or_find(&query, &Permissions::of(permissions.iter().copied()), version, now, || {
            was_found = true;
            Discovery::default()
        });
        was_found
    }

    #[test]
    fn f_dsc_07_an_answer_is_good_for_five_minutes() {
        let mut cache = DiscoveryCache::default();
        assert!(asks(&mut cache, "a", &[], 1, SECOND));
        assert!(!asks(&mut cache, "a", &[], 1, SECOND * 300));
        assert!(asks(&mut cache, "a", &[], 1, SECOND * 301));
        assert!(!asks(&mut cache, "a", &[], 1, SECOND * 302));
        assert_eq!(cache.counts(), CacheCounts { hits: 2, misses: 2, evictions: 0, entries: 1 });
        assert_eq!(cache.counts().hit_rate(), Some(0.5));
    }

    #[test]
    fn f_dsc_07_without_time_nothing_is_kept() {
        for mut cache in [DiscoveryCache::new(10, Duration::ZERO), DiscoveryCache::new(0, SECOND)] {
            assert!(asks(&mut cache, "a", &[], 1, SECOND) && asks(&mut cache, "a", &[], 1, SECOND));
            assert_eq!(cache.counts(), CacheCounts { misses: 2, ..CacheCounts::default() });
        }
    }

    #[test]
    fn f_dsc_07_nobody_is_shown_what_another_may_see() {
        let mut cache = DiscoveryCache::default();
        assert!(asks(&mut cache, "a", &["admin"], 1, SECOND));
        assert!(asks(&mut cache, "a", &[], 1, SECOND));
        assert!(asks(&mut cache, "a", &["admin", "lab"], 1, SECOND));
        assert!(!asks(&mut cache, "a", &["lab", "admin"], 1, SECOND));
    }

    /// F-DSC-02
    #[test]
    fn a_change_of_the_modules_is_seen_at_once() {
        let mut cache = DiscoveryCache::default();
        assert!(asks(&mut cache, "a", &[], 1, SECOND));
        assert!(asks(&mut cache, "a", &[], 2, SECOND));
        assert!(asks(&mut cache, "a", &[], 1, SECOND), "what is newer is not for those who look among the older");
        assert!(!asks(&mut cache, "a", &[], 2, SECOND), "nor is what is older kept in its place");
        assert_eq!(cache.counts().entries, 1);
    }

    /// F-DSC-09
    #[test]
    fn what_all_answers_hold_is_bounded_too() {
        let capability = Capability::builder("a", "1.0.0").build().unwrap();
        let candidate = Arc::new(Candidate::new("lab", Version::new(1, 0, 0), capability));
        let mut cache = DiscoveryCache::default();
        let answer = Discovery { found: vec![candidate; 60_000], truncated: false };
        let mut asks = |name: &str| {
            let query = DiscoveryQuery::default().name(name);
            cache.get_or_find(&query, &Permissions::default(), 1, SECOND, || answer.clone());
            cache.counts()
        };
        assert_eq!((asks("a").entries, asks("b").entries), (1, 1), "two of them would be too much");
        assert_eq!((asks("b").hits, asks("a").evictions), (1, 2));
    }

    /// The whole of it as a list, the last used at the end.
    #[derive(Default)]
    struct Model {
        kept: Vec<((u8, bool), Duration)>,
        version: u64,
        counts: CacheCounts,
    }

    impl Model {
        const ROOM: usize = 3;
        const TIME: Duration = Duration::from_secs(10);

        fn asks(&mut self, key: (u8, bool), version: u64, now: Duration) -> bool {
            if version > self.version {
                self.version = version;
                self.kept.clear();
            }
            let place = self.kept.iter().position(|(known, _)| *known == key);
            let known = place.filter(|_| version == self.version).map(|place| self.kept.remove(place));
            let is_good = known.is_some_and(|(_, since)| now < since + Self::TIME);
            if version == self.version {
                self.kept.push((key, known.filter(|_| is_good).map_or(now, |(_, since)| since)));
            }
            if self.kept.len() > Self::ROOM {
                self.kept.remove(0);
                self.counts.evictions += 1;
            }
            *(if is_good { &mut self.counts.hits } else { &mut self.counts.misses }) += 1;
            self.counts.entries = self.kept.len();
            !is_good
        }
    }

    proptest! {
        /// F-DSC-09, F-DSC-14
        #[test]
        fn it_equals_its_model(
            questions in prop::collection::vec((0u8..5, any::<bool>(), 0u64..20, prop_oneof![9 => Just(0u64), 1 => 1u64..3], any::<bool>()), 0..80),
        ) {
            let (mut cache, mut model) = (DiscoveryCache::new(Model::ROOM, Model::TIME), Model::default());
            let (mut now, mut version) = (Duration::ZERO, 0);
            for (name, is_admin, wait, changes, is_late) in questions {
                now += SECOND * u32::try_from(wait / 4).unwrap();
                version += changes;
                let version = if is_late { version } else { version.saturating_sub(changes) };
                let permissions: &[&str] = if is_admin { &["admin"] } else { &[] };
                let was_found = asks(&mut cache, &name.to_string(), permissions, version, now);
                prop_assert_eq!(was_found, model.asks((name, is_admin), version, now));
                prop_assert_eq!(cache.counts(), model.counts);
            }
        }
    }
}
