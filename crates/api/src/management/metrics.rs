//! `GET /metrics`

use prometheus::{Encoder, TextEncoder};

use crate::answer::Answer;
use crate::call::Call;
use crate::error::HttpError;

/// `GET /metrics` → everything that is counted, in Prometheus' text format.
pub(super) async fn metrics(call: Call) -> Result<Answer, HttpError> {
    let mut text = Vec::new();
    TextEncoder::new()
        .encode(&call.api.metric_registry.gather(), &mut text)
        .map_err(|error| HttpError::Internal(format!("metrics: {error}")))?;
    Ok(Answer::json_text(text))
}
