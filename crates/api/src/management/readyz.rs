//! `GET /readyz`

use std::convert::Infallible;

use crate::answer::Answer;
use crate::call::Call;

/// `GET /readyz` → 200 or 503, with the state of every part.
pub(super) async fn readyz(call: Call) -> Result<Answer, Infallible> {
    let report = (call.api.readiness)();
    Ok(super::ready_answer(report.ready && !*call.api.stopping.borrow(), &report))
}
