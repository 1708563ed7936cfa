//! What is said in one session, whatever carries it: frames down, messages up.
//!
//! It opens, beats when nothing else was said for a while, and once it is closed it says so whenever it is
//! asked. It keeps nothing that its application has said: what nobody reads is not asked for, and stays
//! where it is, for the chat behind a cursor.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout_at};
use wigeon_proto::limits::SOCKJS_HEARTBEAT_MS;
use wigeon_proto::sockjs::frame::Close;

use super::application::{Application, Message, Told};
use crate::telemetry::OpenSockJs;

pub(super) type Frame = wigeon_proto::sockjs::Frame<Message>;

/// How long the last commands may take; what they do is done all the same, once they are in line.
const SETTLE_MS_MAX: u64 = 2_000;

/// One session's talk.
pub(super) struct Conversation {
    state: State,
    opened: bool,
    /// Messages of one payload that the application has not taken yet.
    incoming: VecDeque<Message>,
    next_beat: Instant,
    _open: OpenSockJs,
}

enum State {
    Talking(Application),
    Closed(Close),
}

impl Conversation {
    pub(super) fn new(application: Application) -> Self {
        Self {
            state: State::Talking(application),
            opened: false,
            incoming: VecDeque::new(),
            next_beat: beat_from_now(),
            _open: OpenSockJs::new(),
        }
    }

    /// The next frame; waits for it. Cancel-safe.
    pub(super) async fn next(&mut self) -> Frame {
        if !self.opened {
            self.opened = true;
            self.rest();
            return Frame::Open;
        }
        self.bring();
        let told = match &mut self.state {
            State::Closed(close) => return Frame::Close(close.clone()),
            State::Talking(application) => tokio::select! {
                told = application.next() => Some(told),
                () = sleep_until(self.next_beat) => None,
            },
        };
        self.rest();
        match told {
            None => Frame::Heartbeat,
            Some(Told::Messages(messages)) => Frame::Messages(messages),
            Some(Told::Close(close)) => {
                self.close(close.clone());
                Frame::Close(close)
            }
        }
    }

    /// Whether more messages are taken.
    pub(super) fn has_room(&self) -> bool {
        match &self.state {
            State::Talking(application) => self.incoming.is_empty() && application.has_room(),
            State::Closed(_) => true,
        }
    }

    /// Takes the messages of one payload. What comes after the end is dropped: its sender hears of the end.
    pub(super) fn take(&mut self, messages: impl IntoIterator<Item = Message>) {
        if let State::Talking(_) = self.state {
            self.incoming.extend(messages);
            self.bring();
        }
    }

    /// Lets the application take in what was received, while nobody reads. Waits for ever where there is nothing
    /// to take in. Cancel-safe.
    pub(super) async fn work(&mut self) {
        self.bring();
        match &mut self.state {
            State::Talking(Application::Chat(chat)) if chat.has_work() => chat.settle().await,
            _ => std::future::pending().await,
        }
    }

    /// Lets the application take in what was received, before the end.
    pub(super) async fn settle(&mut self) {
        let until = Instant::now() + Duration::from_millis(SETTLE_MS_MAX);
        loop {
            self.bring();
            let State::Talking(Application::Chat(chat)) = &mut self.state else { return };
            if timeout_at(until, chat.settle()).await.is_err() || self.incoming.is_empty() {
                return;
            }
        }
    }

    /// Closes it, and lets go of the application.
    pub(super) fn close(&mut self, close: Close) {
        self.state = State::Closed(close);
        self.incoming.clear();
    }

    /// Counts the time to the next heartbeat from now.
    pub(super) fn rest(&mut self) {
        self.next_beat = beat_from_now();
    }

    fn bring(&mut self) {
        let State::Talking(application) = &mut self.state else { return };
        while application.has_room() {
            let Some(message) = self.incoming.pop_front() else { return };
            application.receive(message);
        }
    }
}

fn beat_from_now() -> Instant {
    Instant::now() + Duration::from_millis(SOCKJS_HEARTBEAT_MS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sockjs::application::Kind;

    fn echo() -> Conversation {
        Conversation::new(Application::service(Kind::Echo))
    }

    #[tokio::test(start_paused = true)]
    async fn it_beats_after_25_seconds_without_another_frame() {
        let mut echo = echo();
        assert_eq!(echo.next().await, Frame::Open);
        let start = Instant::now();
        assert_eq!(echo.next().await, Frame::Heartbeat);
        assert_eq!(start.elapsed(), Duration::from_secs(25));
        tokio::time::advance(Duration::from_secs(20)).await;
        echo.take(["x".to_owned().into()]);
        assert_eq!(echo.next().await, Frame::Messages(vec!["x".to_owned().into()]));
        assert_eq!(echo.next().await, Frame::Heartbeat);
        assert_eq!(start.elapsed(), Duration::from_secs(25 + 20 + 25));
    }

    #[tokio::test]
    async fn what_has_closed_says_so_and_hears_nothing() {
        let mut echo = echo();
        echo.take(["x".to_owned().into()]);
        echo.close(Close::interrupted());
        echo.take(["y".to_owned().into()]);
        assert_eq!(echo.next().await, Frame::Open);
        for _ in 0..3 {
            assert_eq!(echo.next().await, Frame::Close(Close::interrupted()));
        }
        assert!(echo.has_room(), "so that nobody waits for it");
    }
}
