//! `GET /readyz/registry`

use std::convert::Infallible;

use crate::answer::Answer;
use crate::call::Call;

/// `GET /readyz/registry` → 200 or 503, with what this API depends on.
pub(super) async fn readyz_registry(call: Call) -> Result<Answer, Infallible> {
    let report = (call.api.readiness)();
    Ok(super::ready_answer(report.ready && report.registry.ready, &report.registry))
}
