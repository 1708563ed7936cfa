//! Metrics: their names, what they mean, and the guards that count what is open.

use metrics::{Counter, counter, describe_counter, describe_gauge, gauge};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use wigeon_proto::error::ErrorCode;
use wigeon_proto::transport::Transport;

use std::sync::{LazyLock, OnceLock};

/// Installs the recorder, once for the process, and describes every metric.
pub(crate) fn install() -> PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE
        .get_or_init(|| {
            let handle =
                PrometheusBuilder::new().install_recorder().expect("nobody else installs a recorder");
            describe_gauge!("wigeon_connections", "TCP connections that are open.");
            describe_gauge!("wigeon_streams", "Open streams and WebSockets, by transport.");
            describe_gauge!("wigeon_sockjs_sessions", "SockJS sessions that are open.");
            describe_gauge!("wigeon_feeds", "Live feeds.");
            describe_gauge!("wigeon_rooms_heard", "Rooms that at least one live feed hears.");
            describe_counter!("wigeon_reads_total", "Reads of /v1/events begun, by transport.");
            describe_counter!("wigeon_commands_total", "Commands received.");
            describe_counter!("wigeon_command_errors_total", "Commands refused, by error code.");
            describe_counter!(
                "wigeon_previews_total",
                "Links looked up, by outcome: shown, nothing, refused, unreachable, slow, busy, or kept from before."
            );
            describe_counter!(
                "wigeon_frames_sent_total",
                "Frames written to streams, WebSockets, SockJS sessions, and long polls that waited."
            );
            begin_at_zero();
            handle
        })
        .clone()
}

/// What has not happened yet is there as 0. A `rate()` would miss the first of what appears with 1, and an alert cannot
/// tell none from no such metric.
fn begin_at_zero() {
    gauge!("wigeon_connections").set(0.0);
    gauge!("wigeon_sockjs_sessions").set(0.0);
    for transport in Transport::ALL {
        counter!("wigeon_reads_total", "transport" => transport.as_str()).absolute(0);
    }
    for code in ErrorCode::ALL {
        counter!("wigeon_command_errors_total", "code" => code.as_str()).absolute(0);
    }
    for outcome in ["shown", "nothing", "refused", "unreachable", "slow", "busy", "kept"] {
        counter!("wigeon_previews_total", "outcome" => outcome).absolute(0);
    }
    commands_received(0);
    frames_sent(0);
}

/// Counts an open stream as long as it lives.
pub(crate) struct Open {
    transport: Transport,
}

impl Open {
    pub(crate) fn new(transport: Transport) -> Self {
        gauge!("wigeon_streams", "transport" => transport.as_str()).increment(1.0);
        Self { transport }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        gauge!("wigeon_streams", "transport" => self.transport.as_str()).decrement(1.0);
    }
}

/// Counts a SockJS session as long as it lives.
pub(crate) struct OpenSockJs;

impl OpenSockJs {
    pub(crate) fn new() -> Self {
        gauge!("wigeon_sockjs_sessions").increment(1.0);
        Self
    }
}

impl Drop for OpenSockJs {
    fn drop(&mut self) {
        gauge!("wigeon_sockjs_sessions").decrement(1.0);
    }
}

// Found once and not for each message. Whoever counts does so after [`install`].

/// Counts frames that leave.
pub(crate) fn frames_sent(count: usize) {
    static SENT: LazyLock<Counter> = LazyLock::new(|| counter!("wigeon_frames_sent_total"));
    SENT.increment(count as u64);
}

/// Counts commands that have come in.
pub(crate) fn commands_received(count: usize) {
    static RECEIVED: LazyLock<Counter> = LazyLock::new(|| counter!("wigeon_commands_total"));
    RECEIVED.increment(count as u64);
}
