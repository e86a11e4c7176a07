//! In which order the clusters of a topic are tried.
//!
//! Pure: a balance and the clusters in declared order give the candidates in order of preference. `na` names one: the
//! first. The other balances are accepted in files, which are warned that they act as `na` so far; to give one a
//! meaning, extend [`candidates`] and the table of its test. Called by `route.rs`, once per route.

use std::sync::Arc;

use crate::route::Balance;

/// The clusters to try, best first. Empty only if `clusters` is.
pub fn candidates(balance: Balance, clusters: &[Arc<str>]) -> Vec<Arc<str>> {
    match balance {
        Balance::Na | Balance::Failover | Balance::RoundRobin | Balance::Replicate => {
            clusters.first().cloned().into_iter().collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn na_is_the_first_cluster_always() {
        let clusters: Vec<Arc<str>> = vec!["a".into(), "b".into()];
        assert_eq!(candidates(Balance::Na, &clusters), vec![Arc::from("a")]);
        assert!(candidates(Balance::Na, &[]).is_empty());
    }
}
