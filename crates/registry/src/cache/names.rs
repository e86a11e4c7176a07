//! The names of all subjects, in order: what `GET /subjects` shows.
//!
//! One list for all contexts and views, read from the store once. A write does not throw it away: the subject that was
//! written is remembered as *touched*, and whoever asks next has the touched ones looked at and the list mended. So a
//! list of 100,000 names costs no query as a rule, and one small one after each change of another node.
//!
//! The invariant: a change is touched before it is answered (or when its notification comes), and a list counts only
//! as long as nothing is touched. What is touched while a list is being read stays touched. Weighed like a cache: a list
//! over the cap is not kept, and the store is asked each time.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::Size;
use crate::store::{Contexts, SubjectState, View};
use crate::*;

/// With more subjects touched, the list is read again rather than mended.
pub(super) const MOST_TOUCHED: usize = 512;

/// How a subject's versions stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// One is live.
    Live,
    /// All are soft-deleted.
    Deleted,
    /// There is none.
    Gone,
}

impl Standing {
    pub(crate) fn of(state: &SubjectState) -> Standing {
        match &*state.versions {
            [] => Standing::Gone,
            versions if versions.iter().any(|row| !row.deleted) => Standing::Live,
            _ => Standing::Deleted,
        }
    }

    fn is_in(self, view: View) -> bool {
        match view {
            View::Live => self == Standing::Live,
            View::WithDeleted => self != Standing::Gone,
            View::DeletedOnly => self == Standing::Deleted,
        }
    }
}

/// Qualified names in one text, in order.
#[derive(Debug, Default)]
pub(crate) struct NameList {
    text: String,
    ends: Vec<u32>,
    standings: Vec<Standing>,
}

impl NameList {
    /// The list of `all` subjects, in order, of which `deleted` (in order too) are soft-deleted.
    pub(crate) fn new(all: &[SubjectName], deleted: &[SubjectName]) -> NameList {
        let mut list = NameList::default();
        let mut deleted = deleted.iter().peekable();
        for name in all {
            while deleted.next_if(|other| *other < name).is_some() {}
            let is_deleted = deleted.peek().is_some_and(|other| *other == name);
            list.push(&name.qualified(), if is_deleted { Standing::Deleted } else { Standing::Live });
        }
        list.text.shrink_to_fit();
        list.ends.shrink_to_fit();
        list.standings.shrink_to_fit();
        list
    }

    fn push(&mut self, name: &str, standing: Standing) {
        self.text.push_str(name);
        self.ends.push(u32::try_from(self.text.len()).unwrap_or(u32::MAX));
        self.standings.push(standing);
    }

    fn iter(&self) -> impl Iterator<Item = (&str, Standing)> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let names = starts.zip(&self.ends).map(|(start, end)| &self.text[start as usize..*end as usize]);
        names.zip(self.standings.iter().copied())
    }

    /// The list with these subjects as they stand now.
    pub(crate) fn mended(&self, mut changed: Vec<(SubjectName, Standing)>) -> NameList {
        changed.sort_by(|(one, _), (other, _)| one.cmp(other));
        let mut mended = NameList {
            text: String::with_capacity(self.text.len()),
            ends: Vec::with_capacity(self.ends.len() + changed.len()),
            standings: Vec::with_capacity(self.standings.len() + changed.len()),
        };
        let mut changed = changed.into_iter().map(|(name, standing)| (name.qualified(), standing)).peekable();
        let add = |mended: &mut NameList, name: &str, standing| {
            if standing != Standing::Gone {
                mended.push(name, standing);
            }
        };
        for (name, standing) in self.iter() {
            while let Some((before, now)) = changed.next_if(|(other, _)| **other < *name) {
                add(&mut mended, &before, now);
            }
            let now = changed.next_if(|(other, _)| *other == name).map_or(standing, |(_, now)| now);
            add(&mut mended, name, now);
        }
        changed.for_each(|(name, now)| add(&mut mended, &name, now));
        mended
    }

    /// The page of those names that a list shows and the caller may read.
    pub(crate) fn shown(
        &self,
        caller: &Caller,
        contexts: &Contexts,
        prefix: &str,
        view: View,
        page: Page,
    ) -> Vec<String> {
        let is_shown = |(name, standing): &(&str, Standing)| {
            let (context, plain) = split(name);
            let is_in_context = match contexts {
                Contexts::All => true,
                Contexts::One(one) if one.is_default() => context.is_none(),
                Contexts::One(one) => context == Some(one.as_str()),
            };
            standing.is_in(view)
                && is_in_context
                && plain.starts_with(prefix)
                && caller.may(Action::Read, &Resource::Subject(&SubjectName::parse(name)))
        };
        let shown = self.iter().filter(is_shown).map(|(name, _)| name.to_owned());
        shown.skip(page.offset).take(page.limit.unwrap_or(usize::MAX)).collect()
    }

    /// Bytes held.
    pub(crate) fn weight_bytes(&self) -> usize {
        size_of::<NameList>()
            + self.text.capacity()
            + self.ends.capacity() * size_of::<u32>()
            + self.standings.capacity() * size_of::<Standing>()
    }
}

/// Context (none for the default one) and name of a qualified name, as [`SubjectName::parse`] reads it.
fn split(qualified: &str) -> (Option<&str>, &str) {
    match qualified.strip_prefix(":.") {
        None => (None, qualified),
        Some(rest) => {
            let (context, name) = rest.split_once(':').unwrap_or((rest, ""));
            (Some(&qualified[1..context.len() + 2]), name)
        }
    }
}

/// What there is of the list.
pub(crate) enum Known {
    /// All of it.
    Current(Arc<NameList>),
    /// All but what has been touched since, as of this moment.
    Touched(Arc<NameList>, Vec<SubjectName>, Moment),
    /// Nothing that counts: it is to be read.
    Unread,
    /// It is too heavy to be kept.
    TooHeavy,
}

/// A moment in the order of touches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(u64);

#[derive(Default)]
struct State {
    list: Option<Arc<NameList>>,
    /// Whether the list and what is touched are the whole truth.
    counts: bool,
    /// Whether touches are noted down: the list counts, or is being read.
    notes: bool,
    is_too_heavy: bool,
    now: u64,
    touched: HashMap<SubjectName, u64>,
}

impl State {
    fn forget(&mut self) {
        (self.counts, self.notes) = (false, false);
        self.touched.clear();
    }
}

pub(crate) struct Names {
    state: Mutex<State>,
    cap: u64,
    /// Whoever reads or mends the list holds it; the others wait and find it done.
    pub(crate) turn: tokio::sync::Mutex<()>,
}

impl Names {
    pub(super) fn new(cap: u64) -> Names {
        Names { state: Mutex::default(), cap, turn: tokio::sync::Mutex::new(()) }
    }

    pub(crate) fn known(&self) -> Known {
        let state = self.state.lock();
        match &state.list {
            _ if state.is_too_heavy => Known::TooHeavy,
            Some(list) if state.counts && state.touched.is_empty() => Known::Current(list.clone()),
            Some(list) if state.counts => {
                Known::Touched(list.clone(), state.touched.keys().cloned().collect(), Moment(state.now))
            }
            _ => Known::Unread,
        }
    }

    /// The last list, current or not: for when the store cannot be asked.
    pub(crate) fn last(&self) -> Option<Arc<NameList>> {
        self.state.lock().list.clone()
    }

    /// Starts reading: what is touched from now on is not in what will be read, perhaps.
    pub(crate) fn begin(&self) -> Moment {
        let mut state = self.state.lock();
        state.notes = true;
        Moment(state.now)
    }

    /// Keeps a list that was true at `moment`, or later; not if everything was forgotten since, or it is too heavy.
    pub(crate) fn keep(&self, list: &Arc<NameList>, moment: Moment) {
        let mut state = self.state.lock();
        if !state.notes {
            return;
        }
        if list.weight_bytes() as u64 > self.cap {
            state.forget();
            (state.list, state.is_too_heavy) = (None, true);
            return;
        }
        state.touched.retain(|_, at| *at > moment.0);
        state.list = Some(list.clone());
        state.counts = true;
    }

    /// The subject was written.
    pub(super) fn touch(&self, subject: &SubjectName) {
        let mut state = self.state.lock();
        if !state.notes {
            return;
        }
        state.now += 1;
        let now = state.now;
        state.touched.insert(subject.clone(), now);
        if state.touched.len() > MOST_TOUCHED {
            state.forget();
        }
    }

    /// Changes may have been missed.
    pub(super) fn forget(&self) {
        let mut state = self.state.lock();
        state.forget();
        state.is_too_heavy = false;
    }

    pub(super) fn size(&self, cache: &'static str) -> Size {
        let list = self.last();
        let bytes = list.as_ref().map_or(0, |list| list.weight_bytes() as u64);
        Size { cache, bytes, entries: list.map_or(0, |list| list.ends.len() as u64) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::*;

    fn names(texts: &[&str]) -> Vec<SubjectName> {
        texts.iter().map(|text| name(text)).collect()
    }

    fn list() -> NameList {
        NameList::new(&names(&[":.c:s-x", "s-alpha", "s-beta", "s-delta"]), &names(&["s-beta"]))
    }

    fn shown(list: &NameList, prefix: &str, view: View) -> Vec<String> {
        list.shown(&Caller::everything(), &Contexts::All, prefix, view, ALL)
    }

    #[test]
    fn a_list_shows_contexts_prefixes_and_views() {
        assert_eq!(shown(&list(), "", View::Live), [":.c:s-x", "s-alpha", "s-delta"]);
        assert_eq!(shown(&list(), "s-", View::WithDeleted), [":.c:s-x", "s-alpha", "s-beta", "s-delta"]);
        assert_eq!(shown(&list(), "", View::DeletedOnly), ["s-beta"]);
        let of = |context: &str| Contexts::One(name(context).context().clone());
        let caller = Caller::everything();
        assert_eq!(list().shown(&caller, &of(":.c:"), "s", View::Live, ALL), [":.c:s-x"]);
        assert_eq!(list().shown(&caller, &of(""), "s-d", View::Live, ALL), ["s-delta"]);
        let second = Page { offset: 1, limit: Some(1) };
        assert_eq!(list().shown(&caller, &of(""), "", View::Live, second), ["s-delta"]);
        assert_eq!(list().shown(&only("s-a"), &Contexts::All, "", View::Live, ALL), ["s-alpha"]);
    }

    #[test]
    fn mending_adds_removes_and_changes_in_place() {
        let changed = [
            ("s-zeta", Standing::Live),
            ("s-alpha", Standing::Gone),
            ("s-beta", Standing::Live),
            (":.a:first", Standing::Deleted),
            ("s-never", Standing::Gone),
        ];
        let mended = list().mended(changed.map(|(text, standing)| (name(text), standing)).into());
        assert_eq!(shown(&mended, "", View::Live), [":.c:s-x", "s-beta", "s-delta", "s-zeta"]);
        assert_eq!(shown(&mended, "", View::DeletedOnly), [":.a:first"]);
    }

    #[test]
    fn what_is_touched_while_a_list_is_read_stays_touched() {
        let known = Names::new(1 << 20);
        let before = known.begin();
        known.touch(&name("s-gamma"));
        known.keep(&Arc::new(list()), before);
        let Known::Touched(old, touched, moment) = known.known() else { panic!("nothing is touched") };
        assert_eq!(touched, [name("s-gamma")]);
        known.touch(&name("s-gamma"));
        known.keep(&old, moment);
        assert!(matches!(known.known(), Known::Touched(..)), "the second touch came after the look");
        let now = known.begin();
        known.keep(&old, now);
        assert!(matches!(known.known(), Known::Current(_)));
    }

    #[test]
    fn a_list_read_before_everything_was_forgotten_is_not_kept() {
        let known = Names::new(1 << 20);
        let before = known.begin();
        known.forget();
        known.keep(&Arc::new(list()), before);
        assert!(matches!(known.known(), Known::Unread));
    }

    #[test]
    fn a_list_over_the_cap_is_not_kept_and_many_touches_let_it_go() {
        let small = Names::new(50);
        let now = small.begin();
        small.keep(&Arc::new(list()), now);
        assert!(matches!(small.known(), Known::TooHeavy));
        assert_eq!(small.size("names").bytes, 0);

        let known = Names::new(1 << 20);
        let now = known.begin();
        known.keep(&Arc::new(list()), now);
        (0..=MOST_TOUCHED).for_each(|n| known.touch(&name(&format!("s-{n}"))));
        assert!(matches!(known.known(), Known::Unread));
    }
}
