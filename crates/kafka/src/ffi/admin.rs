//! Admin calls: begun here, ended by an event of the same handle.
//!
//! Each call is one function that builds native arguments, submits them with a [`CallId`] and frees them; its result
//! comes out of [`decode`] with that id. The broker's own texts are kept: the safe wrapper of rdkafka drops them.
//!
//! To add one: a method of [`Handle`], a variant of [`AdminReply`], an arm in [`decode`].

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr::{self, NonNull};

use rdkafka::bindings as sys;
use sluice_data_plane::cluster::{Broker, ClusterDescription, NewTopic, PartitionDescription, TopicDescription};

use super::{ErrorText, Event, Handle, NativeEvent, owned, raw, slice};
use crate::error::{Code, INVALID_TOPIC, LOCAL_INVALID_ARG, LOCAL_STATE, NO_ERROR};

/// Names a call between its begin and its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct CallId(pub(crate) usize);

/// A code and the words that came with it.
type Failure = (Code, String);

/// What a call gave.
#[derive(Debug)]
pub(crate) enum AdminReply {
    /// CreateTopics of one topic.
    TopicCreated(Result<(), Failure>),
    /// DescribeTopics: names with what is known of them.
    Topics(Vec<(String, Result<TopicDescription, Failure>)>),
    /// DescribeCluster.
    Cluster(ClusterDescription),
    /// DescribeConfigs of one broker: names and values; a sensitive value is none.
    Configs(Result<Vec<(String, Option<String>)>, Failure>),
}

/// Options of one call, freed after it was submitted.
struct Options(NonNull<sys::rd_kafka_AdminOptions_t>);

impl Options {
    fn new(handle: &Handle, kind: sys::rd_kafka_admin_op_t, id: CallId, timeout_ms: i32) -> Result<Options, Failure> {
        // SAFETY: the client is alive.
        let options = unsafe { sys::rd_kafka_AdminOptions_new(handle.rk(), kind) };
        let options = Options(NonNull::new(options).ok_or((LOCAL_STATE, "no admin options".to_owned()))?);
        let mut said = ErrorText::new();
        let (text, size) = said.room();
        // SAFETY: the options are alive, `text` has room for `size` bytes. The opaque is a number, never followed.
        let result = unsafe {
            sys::rd_kafka_AdminOptions_set_opaque(options.0.as_ptr(), id.0 as *mut c_void);
            sys::rd_kafka_AdminOptions_set_request_timeout(options.0.as_ptr(), timeout_ms, text, size)
        };
        ok(result, said)?;
        Ok(options)
    }

    fn authorized_operations(&self, wanted: bool) {
        // SAFETY: the options are alive. Fails only for calls without that option; an error would be ours to free.
        unsafe {
            let error =
                sys::rd_kafka_AdminOptions_set_include_authorized_operations(self.0.as_ptr(), c_int::from(wanted));
            if !error.is_null() {
                sys::rd_kafka_error_destroy(error);
            }
        }
    }
}

impl Drop for Options {
    fn drop(&mut self) {
        // SAFETY: ours; calls copy what they need.
        unsafe { sys::rd_kafka_AdminOptions_destroy(self.0.as_ptr()) }
    }
}

/// A topic to be made, freed after it was submitted.
struct NativeTopic(NonNull<sys::rd_kafka_NewTopic_t>);

impl Drop for NativeTopic {
    fn drop(&mut self) {
        // SAFETY: ours; the call copies it.
        unsafe { sys::rd_kafka_NewTopic_destroy(self.0.as_ptr()) }
    }
}

impl NativeTopic {
    /// Errors: what librdkafka refuses before asking any broker.
    fn new(topic: &NewTopic) -> Result<NativeTopic, Failure> {
        let name = c_string(&topic.name)?;
        let (partitions, replicas) = match &topic.assignments {
            Some(assignments) => (c_int::try_from(assignments.len()).unwrap_or(c_int::MAX), -1),
            None => (topic.partitions.unwrap_or(-1), c_int::from(topic.replication_factor.unwrap_or(-1))),
        };
        let mut said = ErrorText::new();
        let (text, size) = said.room();
        // SAFETY: the name outlives the call, `text` has room for `size` bytes.
        let native = unsafe { sys::rd_kafka_NewTopic_new(name.as_ptr(), partitions, replicas, text, size) };
        let Some(native) = NonNull::new(native).map(NativeTopic) else {
            return Err((LOCAL_INVALID_ARG, said.take()));
        };
        for (partition, brokers) in topic.assignments.iter().flatten() {
            let mut said = ErrorText::new();
            let (text, size) = said.room();
            let mut brokers = brokers.clone();
            // SAFETY: the topic is alive, the brokers are copied during the call, `text` has room for `size` bytes.
            let result = unsafe {
                sys::rd_kafka_NewTopic_set_replica_assignment(
                    native.0.as_ptr(),
                    *partition,
                    brokers.as_mut_ptr(),
                    brokers.len(),
                    text,
                    size,
                )
            };
            ok(result, said)?;
        }
        for (key, value) in &topic.configs {
            let (key, value) = (c_string(key)?, value.as_deref().map(c_string).transpose()?);
            let value = value.as_ref().map_or(ptr::null(), |value| value.as_ptr());
            // SAFETY: the topic is alive, both strings are copied during the call; the value may be null.
            let result = unsafe { sys::rd_kafka_NewTopic_set_config(native.0.as_ptr(), key.as_ptr(), value) };
            ok(result, ErrorText::new())?;
        }
        Ok(native)
    }
}

impl Handle {
    /// CreateTopics of one topic. Assignments must name partitions 0, 1, 2 … in order.
    pub(crate) fn create_topic(&self, topic: &NewTopic, timeout_ms: i32, id: CallId) -> Result<(), Failure> {
        let native = NativeTopic::new(topic)?;
        let options = Options::new(self, sys::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_CREATETOPICS, id, timeout_ms)?;
        let mut said = ErrorText::new();
        let (text, size) = said.room();
        // SAFETY: the options are alive; the text is written by at most one failing call.
        let result = unsafe {
            let validate = c_int::from(topic.validate_only);
            match sys::rd_kafka_AdminOptions_set_operation_timeout(options.0.as_ptr(), timeout_ms, text, size) {
                sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR => {
                    sys::rd_kafka_AdminOptions_set_validate_only(options.0.as_ptr(), validate, text, size)
                }
                error => error,
            }
        };
        ok(result, said)?;
        let mut topics = [native.0.as_ptr()];
        // SAFETY: client, queue, options and topic are alive; all is copied during the call.
        unsafe {
            sys::rd_kafka_CreateTopics(self.rk(), topics.as_mut_ptr(), 1, options.0.as_ptr(), self.events.as_ptr());
        }
        Ok(())
    }

    /// DescribeTopics. Names must differ and not be empty.
    pub(crate) fn describe_topics(
        &self,
        names: &[String],
        authorized_operations: bool,
        timeout_ms: i32,
        id: CallId,
    ) -> Result<(), Failure> {
        let names = names.iter().map(|name| c_string(name)).collect::<Result<Vec<_>, _>>()?;
        let options = Options::new(self, sys::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS, id, timeout_ms)?;
        options.authorized_operations(authorized_operations);
        let mut pointers: Vec<*const c_char> = names.iter().map(|name| name.as_ptr()).collect();
        // SAFETY: the names outlive the collection's making, which copies them; client, queue and options are alive;
        // the collection is ours to free after the call, which copies it.
        unsafe {
            let topics = sys::rd_kafka_TopicCollection_of_topic_names(pointers.as_mut_ptr(), pointers.len());
            sys::rd_kafka_DescribeTopics(self.rk(), topics, options.0.as_ptr(), self.events.as_ptr());
            sys::rd_kafka_TopicCollection_destroy(topics);
        }
        Ok(())
    }

    /// DescribeCluster.
    pub(crate) fn describe_cluster(&self, timeout_ms: i32, id: CallId) -> Result<(), Failure> {
        let options = Options::new(self, sys::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBECLUSTER, id, timeout_ms)?;
        // SAFETY: client, queue and options are alive.
        unsafe { sys::rd_kafka_DescribeCluster(self.rk(), options.0.as_ptr(), self.events.as_ptr()) };
        Ok(())
    }
}

/// What configs are asked of, freed after it was submitted.
struct NativeResource(NonNull<sys::rd_kafka_ConfigResource_t>);

impl Drop for NativeResource {
    fn drop(&mut self) {
        // SAFETY: ours; the call copies it.
        unsafe { sys::rd_kafka_ConfigResource_destroy(self.0.as_ptr()) }
    }
}

impl Handle {
    /// DescribeConfigs of one broker, which is asked itself.
    pub(crate) fn describe_broker_configs(&self, broker: i32, timeout_ms: i32, id: CallId) -> Result<(), Failure> {
        let name = c_string(&broker.to_string())?;
        let options = Options::new(self, sys::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, id, timeout_ms)?;
        let kind = sys::rd_kafka_ResourceType_t::RD_KAFKA_RESOURCE_BROKER;
        // SAFETY: the name outlives the call, which copies it.
        let native = unsafe { sys::rd_kafka_ConfigResource_new(kind, name.as_ptr()) };
        let native = NativeResource(NonNull::new(native).ok_or((LOCAL_INVALID_ARG, "no such resource".to_owned()))?);
        let mut resources = [native.0.as_ptr()];
        // SAFETY: client, queue, options and resource are alive; all is copied during the call.
        unsafe {
            let events = self.events.as_ptr();
            sys::rd_kafka_DescribeConfigs(self.rk(), resources.as_mut_ptr(), 1, options.0.as_ptr(), events);
        }
        Ok(())
    }
}

/// A result code of librdkafka's own.
fn ok(result: sys::rd_kafka_resp_err_t, said: ErrorText) -> Result<(), Failure> {
    match result as Code {
        NO_ERROR => Ok(()),
        code => Err((code, said.take())),
    }
}

fn c_string(text: &str) -> Result<CString, Failure> {
    CString::new(text).map_err(|_| (INVALID_TOPIC, "a name or value contains a null byte".to_owned()))
}

/// The end of an admin call, or nothing that matters.
pub(super) fn decode<'h>(kind: sys::rd_kafka_event_type_t, event: &NativeEvent<'h>) -> Event<'h> {
    // SAFETY: the event is alive and of the kind whose result is read; results live as long as the event, and
    // everything is copied out of them.
    let read = || unsafe {
        match kind {
            sys::RD_KAFKA_EVENT_CREATETOPICS_RESULT => created(event),
            sys::RD_KAFKA_EVENT_DESCRIBETOPICS_RESULT => topics(event),
            sys::RD_KAFKA_EVENT_DESCRIBECLUSTER_RESULT => cluster(event),
            sys::RD_KAFKA_EVENT_DESCRIBECONFIGS_RESULT => configs(event),
            _ => None,
        }
    };
    let is_admin = [
        sys::RD_KAFKA_EVENT_CREATETOPICS_RESULT,
        sys::RD_KAFKA_EVENT_DESCRIBETOPICS_RESULT,
        sys::RD_KAFKA_EVENT_DESCRIBECLUSTER_RESULT,
        sys::RD_KAFKA_EVENT_DESCRIBECONFIGS_RESULT,
    ]
    .contains(&kind);
    if !is_admin {
        return Event::Other;
    }
    // SAFETY: the event is alive and an admin result; its opaque is the number given with the options.
    let call = CallId(unsafe { sys::rd_kafka_event_opaque(event.ptr()) } as usize);
    let reply = match event.error() {
        Some(failure) => Err(failure),
        None => read().ok_or_else(|| (LOCAL_STATE, "an admin result without content".to_owned())),
    };
    Event::Admin { call, reply }
}

/// # Safety
/// `event` is a CREATETOPICS_RESULT.
unsafe fn created(event: &NativeEvent<'_>) -> Option<AdminReply> {
    // SAFETY: the caller's; counts belong to their arrays.
    unsafe {
        let result = sys::rd_kafka_event_CreateTopics_result(event.ptr());
        if result.is_null() {
            return None;
        }
        let mut number = 0;
        let topics = sys::rd_kafka_CreateTopics_result_topics(result, &mut number);
        let topic = *slice(topics, number).first()?;
        let code = raw::rd_kafka_topic_result_error(topic);
        let said = owned(sys::rd_kafka_topic_result_error_string(topic)).unwrap_or_default();
        Some(AdminReply::TopicCreated(if code == NO_ERROR { Ok(()) } else { Err((code, said)) }))
    }
}

/// # Safety
/// `event` is a DESCRIBECONFIGS_RESULT.
unsafe fn configs(event: &NativeEvent<'_>) -> Option<AdminReply> {
    // SAFETY: the caller's; counts belong to their arrays, a value may be null.
    unsafe {
        let result = sys::rd_kafka_event_DescribeConfigs_result(event.ptr());
        if result.is_null() {
            return None;
        }
        let mut number = 0;
        let resources = sys::rd_kafka_DescribeConfigs_result_resources(result, &mut number);
        let resource = *slice(resources, number).first()?;
        let code = raw::rd_kafka_ConfigResource_error(resource);
        if code != NO_ERROR {
            let said = owned(sys::rd_kafka_ConfigResource_error_string(resource)).unwrap_or_default();
            return Some(AdminReply::Configs(Err((code, said))));
        }
        let mut number = 0;
        let entries = sys::rd_kafka_ConfigResource_configs(resource, &mut number);
        let entry = |entry: &*const sys::rd_kafka_ConfigEntry_t| {
            let name = owned(sys::rd_kafka_ConfigEntry_name(*entry))?;
            Some((name, owned(sys::rd_kafka_ConfigEntry_value(*entry))))
        };
        Some(AdminReply::Configs(Ok(slice(entries, number).iter().filter_map(entry).collect())))
    }
}

/// # Safety
/// `event` is a DESCRIBETOPICS_RESULT.
unsafe fn topics(event: &NativeEvent<'_>) -> Option<AdminReply> {
    // SAFETY: the caller's; counts belong to their arrays.
    unsafe {
        let result = sys::rd_kafka_event_DescribeTopics_result(event.ptr());
        if result.is_null() {
            return None;
        }
        let mut number = 0;
        let topics = sys::rd_kafka_DescribeTopics_result_topics(result, &mut number);
        Some(AdminReply::Topics(slice(topics, number).iter().map(|topic| described(*topic)).collect()))
    }
}

/// # Safety
/// `topic` belongs to a living event.
unsafe fn described(topic: *const sys::rd_kafka_TopicDescription_t) -> (String, Result<TopicDescription, Failure>) {
    // SAFETY: the caller's; counts belong to their arrays, nodes may be null where there is none.
    unsafe {
        let name = owned(sys::rd_kafka_TopicDescription_name(topic)).unwrap_or_default();
        let error = sys::rd_kafka_TopicDescription_error(topic);
        let code = if error.is_null() { NO_ERROR } else { raw::rd_kafka_error_code(error) };
        if code != NO_ERROR {
            let said = owned(sys::rd_kafka_error_string(error)).unwrap_or_default();
            return (name, Err((code, said)));
        }
        let mut number = 0;
        let partitions = sys::rd_kafka_TopicDescription_partitions(topic, &mut number);
        let mut partitions: Vec<_> = slice(partitions, number).iter().map(|partition| describe(*partition)).collect();
        partitions.sort_by_key(|partition| partition.id);
        let mut number = 0;
        let operations = sys::rd_kafka_TopicDescription_authorized_operations(topic, &mut number);
        let authorized_operations = slice(operations.cast::<c_int>(), number)
            .iter()
            .map(|operation| CStr::from_ptr(raw::rd_kafka_AclOperation_name(*operation)).to_string_lossy().into_owned())
            .collect();
        let is_internal = sys::rd_kafka_TopicDescription_is_internal(topic) != 0;
        (name.clone(), Ok(TopicDescription { name, is_internal, partitions, authorized_operations }))
    }
}

/// # Safety
/// `partition` belongs to a living event.
unsafe fn describe(partition: *const sys::rd_kafka_TopicPartitionInfo_t) -> PartitionDescription {
    type Nodes =
        unsafe extern "C" fn(*const sys::rd_kafka_TopicPartitionInfo_t, *mut usize) -> *mut *const sys::rd_kafka_Node_t;
    // SAFETY: the caller's; counts belong to their arrays, a leader may be null.
    unsafe {
        let ids = |nodes: Nodes| {
            let mut number = 0;
            let nodes = nodes(partition, &mut number);
            slice(nodes, number)
                .iter()
                .filter(|node| !node.is_null())
                .map(|node| sys::rd_kafka_Node_id(*node))
                .collect()
        };
        let leader = sys::rd_kafka_TopicPartitionInfo_leader(partition);
        PartitionDescription {
            id: sys::rd_kafka_TopicPartitionInfo_partition(partition),
            leader: (!leader.is_null()).then(|| sys::rd_kafka_Node_id(leader)).filter(|id| *id >= 0),
            replicas: ids(sys::rd_kafka_TopicPartitionInfo_replicas),
            in_sync: ids(sys::rd_kafka_TopicPartitionInfo_isr),
        }
    }
}

/// # Safety
/// `event` is a DESCRIBECLUSTER_RESULT.
unsafe fn cluster(event: &NativeEvent<'_>) -> Option<AdminReply> {
    // SAFETY: the caller's; counts belong to their arrays, controller and rack may be null.
    unsafe {
        let result = sys::rd_kafka_event_DescribeCluster_result(event.ptr());
        if result.is_null() {
            return None;
        }
        let controller = sys::rd_kafka_DescribeCluster_result_controller(result);
        let mut number = 0;
        let nodes = sys::rd_kafka_DescribeCluster_result_nodes(result, &mut number);
        let mut brokers: Vec<_> = slice(nodes, number)
            .iter()
            .map(|node| Broker {
                id: sys::rd_kafka_Node_id(*node),
                host: owned(sys::rd_kafka_Node_host(*node)),
                port: Some(i32::from(sys::rd_kafka_Node_port(*node))),
                rack: owned(sys::rd_kafka_Node_rack(*node)),
            })
            .collect();
        brokers.sort_by_key(|broker| broker.id);
        Some(AdminReply::Cluster(ClusterDescription {
            cluster_id: owned(sys::rd_kafka_DescribeCluster_result_cluster_id(result)).unwrap_or_default(),
            controller: (!controller.is_null()).then(|| sys::rd_kafka_Node_id(controller)).filter(|id| *id >= 0),
            brokers,
        }))
    }
}
