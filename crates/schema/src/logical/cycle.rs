//! Which of some things lead back to themselves.

/// For each thing, by its number, whether the things it `uses` lead back to it: strongly connected components
/// (Tarjan), on a stack of our own, in linear time.
pub(crate) fn cyclic(uses: &[Vec<usize>]) -> Vec<bool> {
    const NEW: usize = usize::MAX;
    let mut index = vec![NEW; uses.len()];
    let mut low = vec![NEW; uses.len()];
    let mut is_open = vec![false; uses.len()];
    let mut cyclic = vec![false; uses.len()];
    let (mut open, mut count) = (Vec::new(), 0);
    for start in 0..uses.len() {
        if index[start] != NEW {
            continue;
        }
        // A thing, and how many of its uses are done.
        let mut walk: Vec<(usize, usize)> = vec![(start, 0)];
        while let Some((at, done)) = walk.pop() {
            if done == 0 {
                (index[at], low[at], is_open[at]) = (count, count, true);
                count += 1;
                open.push(at);
            } else {
                low[at] = low[at].min(low[uses[at][done - 1]]);
            }
            let unseen = (done..uses[at].len()).find(|next| index[uses[at][*next]] == NEW);
            for used in uses[at][done..unseen.unwrap_or(uses[at].len())].iter().copied() {
                cyclic[at] |= used == at;
                if is_open[used] {
                    low[at] = low[at].min(index[used]);
                }
            }
            if let Some(next) = unseen {
                walk.push((at, next + 1));
                walk.push((uses[at][next], 0));
                continue;
            }
            if low[at] == index[at] {
                let from = open.iter().rposition(|open| *open == at).unwrap_or(0);
                let members = open.split_off(from);
                for member in &members {
                    is_open[*member] = false;
                    cyclic[*member] |= members.len() > 1;
                }
            }
        }
    }
    cyclic
}

#[cfg(test)]
mod tests {
    use super::cyclic;

    #[test]
    fn what_leads_back_to_itself_is_cyclic_and_what_leads_there_is_not() {
        // 0 → 1 → 2 → 1, 2 → 3, 4 → 4, 5 → 4, 6 alone, 7 ↔ 8 with a way through 3.
        let uses: [Vec<usize>; 9] =
            [vec![1], vec![2], vec![3, 1], vec![], vec![4], vec![3, 4], vec![], vec![3, 8], vec![7, 3]];
        let expected = [false, true, true, false, true, false, false, true, true];
        assert_eq!(cyclic(&uses), expected);
    }

    #[test]
    fn a_long_way_round_costs_no_stack() {
        let length = 100_000;
        let uses: Vec<Vec<usize>> = (0..length).map(|at| vec![(at + 1) % length]).collect();
        assert!(cyclic(&uses).into_iter().all(|cyclic| cyclic));
    }
}
