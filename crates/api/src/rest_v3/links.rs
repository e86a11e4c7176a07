//! Links and resource names: the paths and CRNs of what v3 answers with.
//!
//! Segments are written as they are, not escaped, as the reference does. The authority of a CRN is empty.

use crate::call::Call;

/// Where the links of one answer start.
#[derive(Debug, Clone)]
pub(super) struct Links {
    base: String,
}

impl Links {
    /// Links on what the listener is advertised as, else on the request's own host.
    pub(super) fn of(call: &Call) -> Links {
        let base = call.listener.advertised_url.clone().unwrap_or_else(|| {
            let from_uri = call.head.uri.authority().map(|authority| authority.as_str().to_owned());
            let from_header = || call.head.headers.get(http::header::HOST)?.to_str().ok().map(str::to_owned);
            format!("http://{}", from_uri.or_else(from_header).unwrap_or_default())
        });
        Links { base }
    }

    /// `/v3/clusters`
    pub(super) fn clusters(&self) -> String {
        format!("{}/v3/clusters", self.base)
    }

    /// `/v3/clusters/{c}` and what stands behind it.
    pub(super) fn cluster(&self, cluster: &str, rest: &str) -> String {
        format!("{}/v3/clusters/{cluster}{rest}", self.base)
    }

    /// `…/topics/{t}` and what stands behind it.
    pub(super) fn topic(&self, cluster: &str, topic: &str, rest: &str) -> String {
        format!("{}/v3/clusters/{cluster}/topics/{topic}{rest}", self.base)
    }
}

/// `crn:///kafka={c}` and what stands behind it.
pub(super) fn crn(cluster: &str, rest: &str) -> String {
    format!("crn:///kafka={cluster}{rest}")
}
