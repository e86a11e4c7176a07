//! `allOf`, `anyOf`, `oneOf`: which of the old alternatives becomes which of the new ones.
//!
//! The subschemas of both sides, without doubles, are matched one to one so that each pair is compatible; the shorter
//! side must be covered. Whether the longer side may be longer depends on how its subschemas count.
//!
//! Source: Confluent `json/diff/CombinedSchemaDiff.java`, 8.2.0 and later.

use super::matching;
use super::pair::{Pair, Sides};
use super::rule::{Findings, Step};
use super::*;
use crate::json::model::{Combined, Criterion};

pub(super) fn compare(sides: &Sides<'_>, pair: Pair, original: &Combined, update: &Combined, out: &mut impl Findings) {
    if let Some(change) = criterion_changed(original, update) {
        out.change(Step::Here, change);
        if change == COMBINED_TYPE_CHANGED {
            return;
        }
    }
    let was = sides.distinct_in_original(pair, &original.subschemas);
    let is = sides.distinct_in_update(pair, &update.subschemas);
    if was.len() < is.len() {
        let product = update.criterion == Criterion::All;
        out.change(Step::Here, if product { PRODUCT_TYPE_EXTENDED } else { SUM_TYPE_EXTENDED });
    } else if was.len() > is.len() {
        let product = original.criterion == Criterion::All;
        out.change(Step::Here, if product { PRODUCT_TYPE_NARROWED } else { SUM_TYPE_NARROWED });
    }
    if out.is_settled() {
        return;
    }
    let inside = |left: usize, right: usize| sides.inside(pair, was[left], is[right]);
    match matching::covering(was.len(), is.len(), |left, right| out.is_compatible(inside(left, right))) {
        Some(pairs) => {
            for (left, right) in pairs {
                out.compare(Step::Index(original.criterion.keyword(), left), inside(left, right));
            }
        }
        None => out.change(Step::Here, COMBINED_TYPE_SUBSCHEMAS_CHANGED),
    }
}

/// From one way of counting to another. Any of several asks least; a single schema is the same in all ways.
fn criterion_changed(original: &Combined, update: &Combined) -> Option<Change> {
    let single = |combined: &Combined| combined.subschemas.len() == 1;
    let extends = match (original.criterion, update.criterion) {
        (was, is) if was == is => return None,
        (_, Criterion::Any) => true,
        (_, Criterion::One) if single(original) => true,
        (Criterion::All, _) if single(update) => true,
        _ => single(original) && single(update),
    };
    Some(if extends { COMBINED_TYPE_EXTENDED } else { COMBINED_TYPE_CHANGED })
}
