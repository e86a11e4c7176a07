//! librdkafka's in-process broker, of which `sluice dev` is made.

use std::ffi::{CStr, CString};
use std::ptr::NonNull;

use rdkafka::bindings as sys;

use super::{Handle, Kind};
use crate::error::{Code, LOCAL_INVALID_ARG};

/// Brokers in this process, listening on 127.0.0.1. Stops when dropped.
pub(crate) struct Mock {
    cluster: NonNull<sys::rd_kafka_mock_cluster_t>,
    /// Owns the brokers' thread; field order: dropped after the cluster, by `Drop` below and then this.
    _handle: Handle,
}

// SAFETY: every call used here is passed to the broker's own thread as an operation and waited for; the pointer is
// freed only in `drop`.
unsafe impl Send for Mock {}
// SAFETY: as above.
unsafe impl Sync for Mock {}

impl Mock {
    /// `brokers` running brokers without topics. Consumer groups rebalance after `rebalance_delay_ms`.
    pub(crate) fn start(brokers: i32, rebalance_delay_ms: i32) -> Result<Mock, String> {
        let handle = Handle::new(Kind::Producer, &[("client.id".to_owned(), "sluice-dev-broker".to_owned())])?;
        // SAFETY: the client is alive and outlives the cluster.
        let cluster = unsafe { sys::rd_kafka_mock_cluster_new(handle.rk(), brokers) };
        let cluster = NonNull::new(cluster).ok_or("the in-process broker does not start: are there free ports?")?;
        // SAFETY: the cluster is alive.
        unsafe { sys::rd_kafka_mock_group_initial_rebalance_delay_ms(cluster.as_ptr(), rebalance_delay_ms) };
        Ok(Mock { cluster, _handle: handle })
    }

    /// `host:port,…`
    pub(crate) fn bootstrap_servers(&self) -> String {
        // SAFETY: the cluster is alive and its list of addresses never changes.
        unsafe { CStr::from_ptr(sys::rd_kafka_mock_cluster_bootstraps(self.cluster.as_ptr())) }
            .to_string_lossy()
            .into_owned()
    }

    /// Makes a topic. `partitions` and `replicas` must be at least 1: the broker does not check.
    pub(crate) fn create_topic(&self, name: &str, partitions: i32, replicas: i32) -> Result<(), Code> {
        let name = CString::new(name).map_err(|_| LOCAL_INVALID_ARG)?;
        // SAFETY: the cluster is alive, the name outlives the call, which waits for the broker's thread.
        let result =
            unsafe { sys::rd_kafka_mock_topic_create(self.cluster.as_ptr(), name.as_ptr(), partitions, replicas) };
        match result as Code {
            0 => Ok(()),
            code => Err(code),
        }
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        // SAFETY: made by `start`, destroyed once, before its client.
        unsafe { sys::rd_kafka_mock_cluster_destroy(self.cluster.as_ptr()) }
    }
}
