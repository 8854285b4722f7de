//! A set of futures that can be told apart: any of them may be dropped at once, and only those that were woken are polled.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::future::Future;
use std::hash::Hash;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use parking_lot::Mutex;

/// The futures that are out, by key. See the head of this module.
pub(super) struct Errands<K, F> {
    places: Vec<Option<Errand<K, F>>>,
    free: Vec<usize>,
    by_key: HashMap<K, usize>,
    /// Made with the first future: many sets never hold one.
    bells: Option<Arc<Bells>>,
}

struct Errand<K, F> {
    key: K,
    future: F,
    waker: Waker,
}

/// Which futures were woken, and who looks after them.
#[derive(Debug, Default)]
struct Bells(Mutex<Rung>);

#[derive(Debug, Default)]
struct Rung {
    places: VecDeque<usize>,
    keeper: Option<Waker>,
}

/// Wakes one place. A place that is used again may be woken for what stood there before, which costs one poll.
struct Bell {
    place: usize,
    bells: Arc<Bells>,
}

impl<K: Copy + Eq + Hash, F: Future + Unpin> Errands<K, F> {
    pub(super) fn new() -> Self {
        Self { places: Vec::new(), free: Vec::new(), by_key: HashMap::new(), bells: None }
    }

    /// Adds a future, to be polled with the next [`poll_next`](Self::poll_next).
    pub(super) fn add(&mut self, key: K, future: F) {
        let place = self.free.pop().unwrap_or_else(|| {
            self.places.push(None);
            self.places.len() - 1
        });
        let bells = self.bells.get_or_insert_default();
        let waker = Waker::from(Arc::new(Bell { place, bells: Arc::clone(bells) }));
        self.places[place] = Some(Errand { key, future, waker });
        self.by_key.insert(key, place);
        bells.ring(place);
    }

    /// Drops the future with this key. False if there is none.
    pub(super) fn remove(&mut self, key: K) -> bool {
        let Some(place) = self.by_key.remove(&key) else { return false };
        self.free.push(place);
        self.places[place].take().is_some()
    }

    /// Takes out all futures that are meant.
    pub(super) fn take_where(&mut self, is_meant: impl Fn(&F) -> bool) -> Vec<(K, F)> {
        let meant = |place: &mut Option<Errand<K, F>>| place.take_if(|errand| is_meant(&errand.future));
        let taken: Vec<_> =
            self.places.iter_mut().filter_map(meant).map(|errand| (errand.key, errand.future)).collect();
        self.free.extend(taken.iter().filter_map(|(key, _)| self.by_key.remove(key)));
        taken
    }

    /// The next result. Pending if there is none yet or no future at all.
    pub(super) fn poll_next(&mut self, task: &Context<'_>) -> Poll<(K, F::Output)> {
        while let Some(place) = self.bells.as_ref().and_then(|bells| bells.next(task.waker())) {
            let Some(errand) = self.places.get_mut(place).and_then(Option::as_mut) else { continue };
            let polled = Pin::new(&mut errand.future).poll(&mut Context::from_waker(&errand.waker));
            if let Poll::Ready(output) = polled {
                let key = errand.key;
                self.remove(key);
                return Poll::Ready((key, output));
            }
        }
        Poll::Pending
    }
}

impl Bells {
    fn ring(&self, place: usize) {
        let mut rung = self.0.lock();
        rung.places.push_back(place);
        let keeper = rung.keeper.take();
        drop(rung);
        keeper.into_iter().for_each(Waker::wake);
    }

    /// A place that was woken; if there is none, the waker is woken with the next.
    fn next(&self, keeper: &Waker) -> Option<usize> {
        let mut rung = self.0.lock();
        let place = rung.places.pop_front();
        if place.is_none() {
            rung.keeper = Some(keeper.clone());
        }
        place
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.bells.ring(self.place);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.bells.ring(self.place);
    }
}

impl<K: fmt::Debug, F> fmt::Debug for Errands<K, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.by_key.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::poll_fn;
    use std::pin::Pin;
    use std::rc::Rc;
    use std::task::{Context, Poll, Waker};

    use super::Errands;

    type Boxed = Pin<Box<dyn Future<Output = u32>>>;

    /// A future that is ready when the cell says so, and keeps its last waker where it can be found.
    fn when(cell: &Rc<Cell<Option<u32>>>, waker: &Rc<Cell<Option<Waker>>>) -> Boxed {
        let (cell, waker) = (Rc::clone(cell), Rc::clone(waker));
        Box::pin(poll_fn(move |task| {
            waker.set(Some(task.waker().clone()));
            cell.get().map_or(Poll::Pending, Poll::Ready)
        }))
    }

    #[test]
    fn only_what_was_woken_is_polled_and_what_was_removed_is_gone() {
        let task = Context::from_waker(Waker::noop());
        let mut errands = Errands::new();
        let (one, other) = (Rc::new(Cell::new(None)), Rc::new(Cell::new(None)));
        let wakers = [Rc::default(), Rc::default()];
        errands.add('a', when(&one, &wakers[0]));
        errands.add('b', when(&other, &wakers[1]));
        assert!(errands.poll_next(&task).is_pending());
        one.set(Some(1));
        other.set(Some(2));
        assert!(errands.poll_next(&task).is_pending(), "nobody was woken");
        wakers[1].take().unwrap().wake();
        assert_eq!(errands.poll_next(&task), Poll::Ready(('b', 2)));
        assert!(errands.remove('a') && !errands.remove('a') && !errands.remove('b'));
        assert_eq!(Rc::strong_count(&one), 1, "the future was dropped at once");
        wakers[0].take().unwrap().wake();
        assert!(errands.poll_next(&task).is_pending());
    }
}
