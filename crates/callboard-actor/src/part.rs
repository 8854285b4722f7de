//! What a child is to the layer that made it: a [`Part`] of a whole, looked at before any of it starts.

use std::any::{Any, TypeId};

/// What a layer above knows of a child and this one does not: what it needs of others, say. All parts of one type that are
/// named to a [`SystemBuilder`](crate::SystemBuilder) or in one [`Supervise`](crate::Supervise) are looked at together.
///
/// ```
/// # use callboard_actor as callboard;
/// use callboard::{Actor, Arrangement, Part, System, block_on, child, one_for_one};
///
/// struct Needs(&'static str);
///
/// impl Part for Needs {
///     fn arrange(parts: &[&Self]) -> Arrangement {
///         let faults = parts.iter().filter(|part| part.0 == "gold").map(|_| "there is no gold".to_owned());
///         Arrangement { needs: vec![Vec::new(); parts.len()], faults: faults.collect() }
///     }
/// }
///
/// # #[derive(Default)]
/// # struct Smith;
/// # impl Actor for Smith {}
/// let smith = child("smith", Smith::default).part(Needs("gold"));
/// let refused = block_on(System::builder().supervise(one_for_one().child(smith)).start()).unwrap_err();
/// assert_eq!(refused.to_string(), "the configuration cannot work: there is no gold");
/// ```
pub trait Part: Any + Send {
    /// Looks at all of them, in the order in which their children were named.
    fn arrange(parts: &[&Self]) -> Arrangement
    where
        Self: Sized;
}

/// What must start before what, and what is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arrangement {
    /// For each part the places of those that it needs. They start before it and end after it.
    pub needs: Vec<Vec<usize>>,
    /// What keeps the parts from working together, a sentence each.
    pub faults: Vec<String>,
}

/// A part of any type.
pub(crate) struct AnyPart {
    value: Box<dyn Any + Send>,
    arrange: fn(&[&Self]) -> Arrangement,
}

impl AnyPart {
    pub(crate) fn new<P: Part>(part: P) -> Self {
        Self { value: Box::new(part), arrange: arrange::<P> }
    }

    pub(crate) fn get<P: Part>(&self) -> Option<&P> {
        self.value.downcast_ref()
    }

    fn kind(&self) -> TypeId {
        (*self.value).type_id()
    }

    /// Looks at parts of any types, those of each type together.
    pub(crate) fn arrange_all(parts: &[&Self]) -> Arrangement {
        let mut all = Arrangement { needs: vec![Vec::new(); parts.len()], faults: Vec::new() };
        let mut left: Vec<usize> = (0..parts.len()).collect();
        while let Some(&first) = left.first() {
            let is_alike = |&place: &usize| parts[place].kind() == parts[first].kind();
            let alike: Vec<usize> = left.extract_if(.., |place| is_alike(place)).collect();
            let these: Vec<&Self> = alike.iter().map(|&place| parts[place]).collect();
            all.take(&alike, (parts[first].arrange)(&these));
        }
        all
    }
}

fn arrange<P: Part>(parts: &[&AnyPart]) -> Arrangement {
    P::arrange(&parts.iter().filter_map(|part| part.get()).collect::<Vec<_>>())
}

impl Arrangement {
    /// Takes over what was found of the parts at these places.
    fn take(&mut self, places: &[usize], of_these: Self) {
        for (place, needs) in places.iter().zip(of_these.needs) {
            self.needs[*place] = needs.into_iter().filter_map(|need| places.get(need).copied()).collect();
        }
        self.faults.extend(of_these.faults);
    }
}
