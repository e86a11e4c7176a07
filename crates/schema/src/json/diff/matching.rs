//! A largest one-to-one matching between two lists, of which only the size matters.
//!
//! Augmenting paths from the shorter list, breadth first. Edges are asked for when they are needed: lists that agree
//! place by place are matched in as many questions as they have entries. Polynomial: at most one question per edge
//! and entry of the shorter list.

use std::collections::VecDeque;

/// Pairs of places `(left, right)`, each place at most once, as many as the shorter list has, or `None` when there is
/// no such matching. `fits(left, right)` says whether two may be matched and must not change its mind.
pub(super) fn covering(
    left: usize,
    right: usize,
    mut fits: impl FnMut(usize, usize) -> bool,
) -> Option<Vec<(usize, usize)>> {
    if left <= right {
        let partners = cover(left, right, fits)?;
        return Some(partners.into_iter().enumerate().collect());
    }
    let partners = cover(right, left, |short, long| fits(long, short))?;
    let mut pairs: Vec<_> = partners.into_iter().enumerate().map(|(right, left)| (left, right)).collect();
    pairs.sort_unstable();
    Some(pairs)
}

/// For each of `short`, its partner among `long`.
fn cover(short: usize, long: usize, mut fits: impl FnMut(usize, usize) -> bool) -> Option<Vec<usize>> {
    let mut owner: Vec<Option<usize>> = vec![None; long];
    let mut partner: Vec<Option<usize>> = vec![None; short];
    let mut shift = 0;
    for place in 0..short {
        // A free partner near the place, behind the gap that the last one showed.
        let near = (0..long).map(|step| (place + shift + step) % long);
        let free = near.clone().find(|at| owner[*at].is_none() && fits(place, *at));
        if let Some(at) = free {
            (owner[at], partner[place]) = (Some(place), Some(at));
            shift = (at + long - place) % long;
            continue;
        }
        // No free one: hand partners on along a path that ends at a free one. No such path now, none ever.
        let freed = augment(place, long, &owner, &mut fits)?;
        for (from, at) in freed {
            (owner[at], partner[from]) = (Some(from), Some(at));
        }
    }
    partner.into_iter().collect()
}

/// The new partnerships along a shortest path from `start` to a free entry.
fn augment(
    start: usize,
    long: usize,
    owner: &[Option<usize>],
    fits: &mut impl FnMut(usize, usize) -> bool,
) -> Option<Vec<(usize, usize)>> {
    // Who reached each entry of the long list.
    let mut reached: Vec<Option<usize>> = vec![None; long];
    let mut came_by: Vec<(usize, Option<usize>)> = vec![(start, None)];
    let mut queue = VecDeque::from([0]);
    while let Some(step) = queue.pop_front() {
        let (place, _) = came_by[step];
        for at in 0..long {
            if reached[at].is_some() || !fits(place, at) {
                continue;
            }
            reached[at] = Some(step);
            let Some(next) = owner[at] else { return Some(path_to(at, &reached, &came_by)) };
            came_by.push((next, Some(at)));
            queue.push_back(came_by.len() - 1);
        }
    }
    None
}

fn path_to(end: usize, reached: &[Option<usize>], came_by: &[(usize, Option<usize>)]) -> Vec<(usize, usize)> {
    let mut path = Vec::new();
    let mut at = Some(end);
    while let Some(entry) = at
        && let Some(step) = reached[entry]
    {
        let (place, before) = came_by[step];
        path.push((place, entry));
        at = before;
    }
    path
}

#[cfg(test)]
mod tests {
    use super::covering;
    use proptest::prelude::*;

    #[test]
    fn lists_that_agree_are_matched_place_by_place_in_one_question_each() {
        let mut asked = 0;
        let pairs = covering(100, 100, |left, right| {
            asked += 1;
            left == right
        });
        assert_eq!(pairs.map(|pairs| pairs.len()), Some(100));
        assert_eq!(asked, 100);
    }

    #[test]
    fn an_entry_put_in_front_costs_one_question_more() {
        let mut asked = 0;
        let fits = |left: usize, right: usize| {
            asked += 1;
            left + 1 == right
        };
        assert!(covering(100, 101, fits).is_some());
        assert_eq!(asked, 101);
    }

    #[test]
    fn partners_are_handed_on() {
        // 0 fits both, 1 only the first: greedy gives the first to 0.
        let pairs = covering(2, 2, |left, right| left == 0 || right == 0);
        assert_eq!(pairs, Some(vec![(0, 1), (1, 0)]));
        assert_eq!(covering(2, 2, |_, right| right == 0), None);
        assert_eq!(covering(0, 3, |_, _| false), Some(Vec::new()));
        assert_eq!(covering(3, 1, |left, _| left == 2), Some(vec![(2, 0)]));
    }

    proptest! {
        #[test]
        fn the_size_is_that_of_trying_everything(edges in proptest::collection::vec(any::<bool>(), 20), left in 1_usize..5, right in 1_usize..5) {
            let fits = |a: usize, b: usize| edges[a * 4 + b];
            fn best(left: usize, right: usize, at: usize, used: u32, fits: &dyn Fn(usize, usize) -> bool) -> usize {
                if at == left {
                    return 0;
                }
                let skip = best(left, right, at + 1, used, fits);
                let take = (0..right).filter(|b| used & (1 << b) == 0 && fits(at, *b));
                take.map(|b| 1 + best(left, right, at + 1, used | (1 << b), fits)).max().unwrap_or(0).max(skip)
            }
            let covered = covering(left, right, fits);
            prop_assert_eq!(covered.is_some(), best(left, right, 0, 0, &fits) == left.min(right));
            for (a, b) in covered.unwrap_or_default() {
                prop_assert!(fits(a, b));
            }
        }
    }
}
